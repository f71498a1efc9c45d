package web

import (
	"net/http"
	"strings"
)

// Origins are those, beside our own, that the signup needs in a page.
type Origins struct {
	// Scripts is where the SDK comes from.
	Scripts string
	// Connect is what the SDK asks, and Frames what it embeds.
	Connect, Frames []string
}

// policy is the Content-Security-Policy of a page. No script stands in a page itself. Styles may: the components write
// their variables into style elements, and a nonce would have to be written into each page as it is served.
func (o Origins) policy() string {
	self := func(sources ...string) string { return strings.Join(append([]string{"'self'"}, sources...), " ") }
	return strings.Join([]string{
		"default-src 'none'",
		"script-src " + self(o.Scripts),
		"style-src " + self("'unsafe-inline'"),
		"img-src " + self("data:"),
		"font-src " + self(),
		"manifest-src " + self(),
		"connect-src " + self(o.Connect...),
		"frame-src " + self(o.Frames...),
		"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "object-src 'none'",
	}, "; ")
}

// Secure puts on every answer what keeps a browser from doing more with it than it is for. A page says by itself what else
// it needs.
func Secure(next http.Handler, overTLS bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		if overTLS {
			header.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
