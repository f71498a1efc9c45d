// Package web serves the pages: the dashboard, the customer's page, and the signup kit for other pages.
//
// They are built into dist by `make web` and embedded. What is served is a file of that folder, found by its exact name,
// or one of the two pages; nothing of a request reaches the file system, and nothing is written into a page.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed all:dist
var dist embed.FS

// Pages is the handler of everything that is no API.
type Pages struct {
	files  map[string]*file // by the path of their URL
	policy string
}

// file is one file of dist with the encodings that the build made of it.
type file struct {
	contentType string
	identity    variant
	encoded     []variant // the best first
}

type variant struct {
	encoding string // as in Accept-Encoding; empty: none
	etag     string
	data     []byte
}

// encodings are those that a build may have made, the smallest first.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

// New reads the embedded pages.
func New(origins Origins) (*Pages, error) {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	return newPages(built, origins)
}

func newPages(built fs.FS, origins Origins) (*Pages, error) {
	p := &Pages{files: map[string]*file{}, policy: origins.policy()}
	err := fs.WalkDir(built, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") || isEncoded(name) {
			return err
		}
		f, err := readFile(built, name)
		p.files["/"+name] = f
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the pages: %w", err)
	}
	return p, nil
}

func isEncoded(name string) bool {
	for _, encoding := range encodings {
		if path.Ext(name) == encoding.suffix {
			return true
		}
	}
	return false
}

func readFile(built fs.FS, name string) (*file, error) {
	data, err := fs.ReadFile(built, name)
	if err != nil {
		return nil, err
	}
	f := &file{contentType: contentType(name), identity: variant{etag: etag(data), data: data}}
	for _, encoding := range encodings {
		data, err := fs.ReadFile(built, name+encoding.suffix)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		default:
			f.encoded = append(f.encoded, variant{encoding.name, etag(data), data})
		}
	}
	return f, nil
}

func etag(data []byte) string {
	sum := sha256.Sum256(data)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// contentType does not ask the machine for the types that a page can not do without.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json", ".map":
		return "application/json"
	case ".woff2":
		return "font/woff2"
	default:
		if known := mime.TypeByExtension(ext); known != "" {
			return known
		}
		return "application/octet-stream"
	}
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "pages are read with GET", http.StatusMethodNotAllowed)
		return
	}
	name := r.URL.Path
	f, found := p.files[name]
	switch {
	case name == "/connect":
		// A browser may keep it as it was: who comes back from Meta's dialog by its button finds the link still there.
		p.page(w, r, "/connect.html", "no-cache")
	case found && path.Ext(name) != ".html":
		w.Header().Set("Cache-Control", caching(name))
		f.serve(w, r)
	case strings.HasPrefix(name, "/assets/"), path.Ext(name) != "" && path.Dir(name) == "/":
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "there is no such file", http.StatusNotFound)
	default: // the dashboard routes by itself
		p.page(w, r, "/index.html", "no-store") // nor may who is signed in be gone back to
	}
}

// caching: the build names what lies in assets by its content.
func caching(name string) string {
	if strings.HasPrefix(name, "/assets/") {
		return "public, max-age=31536000, immutable"
	}
	return "public, max-age=300"
}

func (p *Pages) page(w http.ResponseWriter, r *http.Request, name, caching string) {
	header := w.Header()
	f, built := p.files[name]
	if !built {
		header.Set("Cache-Control", "no-store")
		http.Error(w, "The pages are not built: run make web, then build the program again.", http.StatusServiceUnavailable)
		return
	}
	header.Set("Cache-Control", caching)
	header.Set("Content-Security-Policy", p.policy)
	header.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups") // the popup answers to the page that opened it
	f.serve(w, r)
}

// serve answers with the smallest encoding that the browser takes, or a part of it, or that it is what the browser has.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	chosen := f.identity
	for _, v := range f.encoded {
		if accepts(r.Header.Values("Accept-Encoding"), v.encoding) {
			chosen = v
			w.Header().Set("Content-Encoding", v.encoding)
			break
		}
	}
	if len(f.encoded) > 0 {
		w.Header().Add("Vary", "Accept-Encoding")
	}
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("ETag", chosen.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(chosen.data))
}

// accepts reads Accept-Encoding (RFC 9110, 12.5.3) as far as a browser writes it: names, and q=0 for what it refuses.
func accepts(headers []string, encoding string) bool {
	for item := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		name, weight, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(name), encoding) {
			continue
		}
		value, _ := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		return strings.Trim(value, "0.") != "" || value == ""
	}
	return false
}
