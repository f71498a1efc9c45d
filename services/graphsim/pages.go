package graphsim

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"regexp"
	"strings"
)

//go:embed pages
var pageFiles embed.FS

//go:embed doc.go
var packageComment string

// page finds what a browser meets besides the control plane, nil for the paths of the Graph API.
func (s *Simulator) page(r *http.Request) http.HandlerFunc {
	_, path := splitVersion(r.URL.Path)
	switch {
	case r.URL.Path == "/" && r.Method == http.MethodGet:
		return s.showIndex
	case isSDK(r.URL.Path):
		return s.serveSDK
	case path == "/dialog/oauth":
		return s.serveDialog
	default:
		return nil
	}
}

// isSDK tells whether a path is /sdk.js, or that of a locale as Meta has it: /en_US/sdk.js.
func isSDK(path string) bool {
	locale, found := strings.CutSuffix(path, "/sdk.js")
	return found && (locale == "" || regexp.MustCompile(`^/[a-z]{2}_[A-Z]{2}$`).MatchString(locale))
}

// controlPages routes what a browser meets under /_sim.
func (s *Simulator) controlPages(mux *http.ServeMux) {
	for _, name := range []string{"sim.css", "dialog.js", "phone.js"} {
		mux.HandleFunc("GET /_sim/pages/"+name, func(w http.ResponseWriter, r *http.Request) {
			pageHeaders(w, "")
			http.ServeFileFS(w, r, pageFiles, "pages/"+name)
		})
	}
	mux.HandleFunc("GET /_sim/phone", s.showPhone)
	mux.HandleFunc("GET /_sim/numbers", s.controlNumbers)
	mux.HandleFunc("GET /_sim/messages", s.controlConversation)
	mux.HandleFunc("GET /_sim/reference", showReference)
}

// serveSDK serves the JavaScript SDK, in every locale the same: what the person reads is the dialog's, and follows
// their browser.
func (s *Simulator) serveSDK(w http.ResponseWriter, r *http.Request) {
	pageHeaders(w, "")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.Header().Set("Access-Control-Allow-Origin", "*") // pages load it with crossorigin="anonymous"
	http.ServeFileFS(w, r, pageFiles, "pages/sdk.js")
}

// pageHeaders fence every page: nobody frames it, nothing foreign runs in it, and its address is told to nobody. There
// is no Cross-Origin-Opener-Policy, since the popup must reach its opener. A form may also end at formTarget.
func pageHeaders(w http.ResponseWriter, formTarget string) {
	header := w.Header()
	header.Set("Content-Security-Policy", strings.TrimSpace("default-src 'none'; script-src 'self'; style-src 'self'; "+
		"connect-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+formTarget))
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
}

// templates of all pages. That they parse is a test's business.
func templates() (*template.Template, error) {
	return template.ParseFS(pageFiles, "pages/*.html")
}

// renderPage answers with a template.
func (s *Simulator) renderPage(w http.ResponseWriter, status int, name string, data any) {
	var page bytes.Buffer
	if err := s.templates.ExecuteTemplate(&page, name, data); err != nil {
		s.cfg.Log.Error("page not rendered", "page", name, "error", err)
		http.Error(w, "page not rendered", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // a client that is gone needs no answer
}

// plainView is what a page without a state of its own shows.
type plainView struct {
	W    *words
	Page string
}

func (s *Simulator) showIndex(w http.ResponseWriter, r *http.Request) {
	pageHeaders(w, "")
	s.renderPage(w, http.StatusOK, "index", plainView{W: wordsFor(r), Page: "index"})
}

func (s *Simulator) showPhone(w http.ResponseWriter, r *http.Request) {
	pageHeaders(w, "")
	s.renderPage(w, http.StatusOK, "phone", plainView{W: wordsFor(r), Page: "phone"})
}

// showReference shows the package comment, which is the reference, as text.
func showReference(w http.ResponseWriter, _ *http.Request) {
	pageHeaders(w, "")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for line := range strings.Lines(packageComment) {
		if comment, found := strings.CutPrefix(line, "//"); found {
			_, _ = w.Write([]byte(strings.TrimPrefix(comment, " "))) // a client that is gone needs no answer
		}
	}
}
