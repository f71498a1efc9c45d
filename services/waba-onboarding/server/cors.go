package server

import "net/http"

// cors lets the pages of listed origins call the API (https://fetch.spec.whatwg.org/#http-cors-protocol). They carry a
// bearer token, never cookies, so that credentials stay off. To all others it says nothing, and their browsers refuse.
type cors struct {
	origins map[string]bool
	next    http.Handler
}

func newCORS(origins []string, next http.Handler) *cors {
	c := &cors{origins: map[string]bool{}, next: next}
	for _, origin := range origins {
		c.origins[origin] = true
	}
	return c
}

// ServeHTTP implements http.Handler.
func (c *cors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Add("Vary", "Origin")
	origins := r.Header.Values("Origin")
	if len(origins) != 1 || !c.origins[origins[0]] {
		c.next.ServeHTTP(w, r)
		return
	}
	header.Set("Access-Control-Allow-Origin", origins[0])
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		header.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After")
		c.next.ServeHTTP(w, r)
		return
	}
	header.Set("Access-Control-Allow-Methods", "GET, POST, PATCH, DELETE")
	header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Organization-Id, Accept-Language")
	header.Set("Access-Control-Max-Age", "600")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}
