package web

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// built is what a build leaves in dist.
func built() fstest.MapFS {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	return fstest.MapFS{
		".gitkeep":              file(""),
		"index.html":            file("<!doctype html>dashboard"),
		"connect.html":          file("<!doctype html>connect"),
		"connect.js":            file("the kit"),
		"favicon.svg":           file("<svg/>"),
		"assets/app-1a2b.js":    file("0123456789"),
		"assets/app-1a2b.js.gz": file("gzipped"),
		"assets/app-1a2b.js.br": file("brotli"),
		"assets/app-3c4d.css":   file("a{}"),
	}
}

func pages(t *testing.T, files fstest.MapFS) http.Handler {
	t.Helper()
	p, err := newPages(files, Origins{
		Scripts: "https://connect.facebook.net", Connect: []string{"https://www.facebook.com"}, Frames: []string{"https://web.facebook.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return Secure(p, true)
}

func get(h http.Handler, method, path string, headers ...string) *http.Response {
	req := httptest.NewRequest(method, "http://x/", http.NoBody)
	req.URL.Path = path // as it is: what a mux would clean
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Result()
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	var text bytes.Buffer
	if _, err := text.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestEachPathHasItsFile(t *testing.T) {
	t.Parallel()
	h := pages(t, built())
	const forever, none = "public, max-age=31536000, immutable", "no-store"
	for path, want := range map[string]struct {
		status              int
		text, kind, caching string
	}{
		"/":                          {200, "<!doctype html>dashboard", "text/html; charset=utf-8", none},
		"/connections":               {200, "<!doctype html>dashboard", "text/html; charset=utf-8", none},
		"/connections/0193-a/events": {200, "<!doctype html>dashboard", "text/html; charset=utf-8", none},
		"/connect":                   {200, "<!doctype html>connect", "text/html; charset=utf-8", "no-cache"},
		"/connect.js":                {200, "the kit", "text/javascript; charset=utf-8", "public, max-age=300"},
		"/favicon.svg":               {200, "<svg/>", "image/svg+xml", "public, max-age=300"},
		"/assets/app-1a2b.js":        {200, "0123456789", "text/javascript; charset=utf-8", forever},
		"/assets/app-3c4d.css":       {200, "a{}", "text/css; charset=utf-8", forever},
		"/assets/app-1a2b.js.gz":     {404, "there is no such file\n", "text/plain; charset=utf-8", none},
		"/assets/":                   {404, "there is no such file\n", "text/plain; charset=utf-8", none},
		"/assets/gone-5e6f":          {404, "there is no such file\n", "text/plain; charset=utf-8", none},
		"/assets/../index.html":      {404, "there is no such file\n", "text/plain; charset=utf-8", none},
		"/index.html":                {404, "there is no such file\n", "text/plain; charset=utf-8", none},
		"/.gitkeep":                  {404, "there is no such file\n", "text/plain; charset=utf-8", none},
		"/../../../etc/passwd.txt":   {200, "<!doctype html>dashboard", "text/html; charset=utf-8", none},
		"/organizations/acme.inc":    {200, "<!doctype html>dashboard", "text/html; charset=utf-8", none},
		"/assets/../web.go":          {404, "there is no such file\n", "text/plain; charset=utf-8", none},
		`/..\..\web.go`:              {404, "there is no such file\n", "text/plain; charset=utf-8", none},
		"/web.go\x00.js":             {404, "there is no such file\n", "text/plain; charset=utf-8", none},
	} {
		resp := get(h, "GET", path)
		if text := body(t, resp); resp.StatusCode != want.status || text != want.text ||
			resp.Header.Get("Content-Type") != want.kind || resp.Header.Get("Cache-Control") != want.caching {
			t.Errorf("%s: %d %q %v, want %+v", path, resp.StatusCode, text, resp.Header, want)
		}
		if head := get(h, "HEAD", path); head.StatusCode != want.status || (want.status == 200 && body(t, head) != "") {
			t.Errorf("HEAD %s: %d", path, head.StatusCode)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		if resp := get(h, method, "/"); resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d", method, resp.StatusCode)
		}
	}
}

func TestABrowserGetsTheEncodingThatItTakes(t *testing.T) {
	t.Parallel()
	h := pages(t, built())
	seen := []string{}
	for accept, want := range map[string]struct{ encoding, text string }{
		"":                               {"", "0123456789"},
		"identity":                       {"", "0123456789"},
		"gzip, deflate, br, zstd":        {"br", "brotli"},
		"gzip":                           {"gzip", "gzipped"},
		"GZIP;q=0.5, br;q=0":             {"gzip", "gzipped"},
		"br; q=0.0, gzip; q=0, identity": {"", "0123456789"},
		"bro, gzipped":                   {"", "0123456789"},
		"br;q=0.001":                     {"br", "brotli"},
	} {
		resp := get(h, "GET", "/assets/app-1a2b.js", "Accept-Encoding", accept)
		if text := body(t, resp); resp.Header.Get("Content-Encoding") != want.encoding || text != want.text || resp.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: %q %q", accept, resp.Header.Get("Content-Encoding"), text)
		}
		if tag := resp.Header.Get("ETag"); !slices.Contains(seen, tag) {
			seen = append(seen, tag)
		}
		again := get(h, "GET", "/assets/app-1a2b.js", "Accept-Encoding", accept, "If-None-Match", resp.Header.Get("ETag"))
		if again.StatusCode != 304 || body(t, again) != "" {
			t.Errorf("%q again: %d", accept, again.StatusCode)
		}
	}
	if len(seen) != 3 {
		t.Errorf("three encodings have %d tags", len(seen))
	}
	part := get(h, "GET", "/assets/app-1a2b.js", "Range", "bytes=2-4")
	if text := body(t, part); part.StatusCode != 206 || text != "234" || part.Header.Get("Content-Range") != "bytes 2-4/10" {
		t.Errorf("a range: %d %q", part.StatusCode, text)
	}
}

func TestPagesAreHeldToTheirOrigins(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/connect", "/connections"} {
		header := get(pages(t, built()), "GET", path).Header
		policy := header.Get("Content-Security-Policy")
		for _, want := range []string{
			"default-src 'none'", "script-src 'self' https://connect.facebook.net", "style-src 'self' 'unsafe-inline'",
			"connect-src 'self' https://www.facebook.com", "frame-src 'self' https://web.facebook.com",
			"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "object-src 'none'",
		} {
			if !slices.Contains(strings.Split(policy, "; "), want) {
				t.Errorf("%s: %q lacks %q", path, policy, want)
			}
		}
		for name, want := range map[string]string{
			"Cross-Origin-Opener-Policy": "same-origin-allow-popups", "Referrer-Policy": "no-referrer",
			"X-Content-Type-Options": "nosniff", "Strict-Transport-Security": "max-age=31536000",
		} {
			if header.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, header.Get(name))
			}
		}
		if header.Get("Permissions-Policy") == "" {
			t.Errorf("%s: no Permissions-Policy", path)
		}
	}
}

func TestWithoutABuildThePagesSayHowToMakeThem(t *testing.T) {
	t.Parallel()
	h := pages(t, fstest.MapFS{".gitkeep": &fstest.MapFile{}})
	for _, path := range []string{"/", "/connect", "/connections"} {
		resp := get(h, "GET", path)
		if text := body(t, resp); resp.StatusCode != 503 || !strings.Contains(text, "run make web") || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q", path, resp.StatusCode, text)
		}
	}
	if resp := get(h, "GET", "/connect.js"); resp.StatusCode != 404 {
		t.Errorf("connect.js: %d", resp.StatusCode)
	}
}

// TestTheEmbeddedPagesAreRead holds whatever this binary was built with.
func TestTheEmbeddedPagesAreRead(t *testing.T) {
	t.Parallel()
	p, err := New(Origins{})
	if err != nil {
		t.Fatal(err)
	}
	if resp := get(p, "GET", "/"); (resp.StatusCode == 200) != (p.files["/index.html"] != nil) {
		t.Errorf("the dashboard answers %d", resp.StatusCode)
	}
}
