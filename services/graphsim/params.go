package graphsim

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// maxBody bounds a Graph request's body.
const maxBody = 1 << 20

// params are a request's parameters, wherever they came from: Graph takes them from the query, a form or a JSON
// object alike, and the body wins.
type params map[string]param

// param is one value. Presence matters (an empty redirect_uri is still one), and so does whether JSON wrote a string.
type param struct {
	text     string // the string itself, or the JSON of anything else
	isString bool
}

func (p params) get(name string) string { return p[name].text }

func (p params) has(name string) bool {
	_, ok := p[name]
	return ok
}

// readParams reads the query and the body. Broken pairs are left out, as PHP does; broken JSON is an error.
func readParams(w http.ResponseWriter, r *http.Request) (params, *Error) {
	p := params{}
	query, _ := url.ParseQuery(r.URL.RawQuery) // what could be read is returned beside the error
	p.add(query)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return p, paramError("Invalid parameter: the body could not be read")
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/x-www-form-urlencoded":
		form, _ := url.ParseQuery(string(body))
		p.add(form)
	case "application/json":
		return p, p.addJSON(body)
	}
	return p, nil
}

func (p params) add(values url.Values) {
	for name, all := range values {
		p[name] = param{text: all[len(all)-1], isString: true} // the last one wins, as in PHP
	}
}

func (p params) addJSON(body []byte) *Error {
	if len(strings.TrimSpace(string(body))) == 0 {
		return nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil {
		return paramError("Invalid parameter: the body is no JSON object")
	}
	for name, raw := range object {
		var text string
		if json.Unmarshal(raw, &text) == nil && raw[0] == '"' {
			p[name] = param{text: text, isString: true}
			continue
		}
		p[name] = param{text: string(raw)}
	}
	return nil
}

// bearer is the access token of the Authorization header. Graph takes the scheme of the older OAuth drafts too.
func bearer(r *http.Request) string {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "OAuth") {
		return strings.TrimSpace(value)
	}
	return ""
}
