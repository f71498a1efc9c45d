package graphsim

import (
	"cmp"
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const testOrigin = "http://localhost:3000"

// walker is a person with a browser in front of the dialog: it sends the form of each screen with what that screen
// holds, but for what the test fills in.
type walker struct {
	t     *testing.T
	b     *bundle
	path  string
	shown answer
}

// popupQuery is what sdk.js asks of the dialog.
func popupQuery() url.Values {
	return url.Values{
		"client_id": {defaultAppID}, "config_id": {defaultConfigID}, "response_type": {"code"},
		"override_default_response_type": {"true"}, "display": {"popup"}, "cb": {"f1"}, "origin": {testOrigin},
		"extras": {`{"setup":{},"featureType":"","sessionInfoVersion":"3","version":"v4"}`},
	}
}

// pageQuery is what a link to the full-page dialog asks.
func pageQuery(redirectURI string) url.Values {
	return url.Values{
		"client_id": {defaultAppID}, "config_id": {defaultConfigID}, "response_type": {"code"},
		"redirect_uri": {redirectURI}, "state": {"s+1"},
	}
}

func (b *bundle) open(t *testing.T, query url.Values) *walker {
	t.Helper()
	k := &walker{t: t, b: b, path: "/v25.0/dialog/oauth?" + query.Encode()}
	k.shown = b.get(t, k.path, "")
	return k
}

// with changes a query for one test.
func with(query url.Values, name, value string) url.Values {
	changed := maps.Clone(query)
	changed[name] = []string{value}
	if value == "" {
		delete(changed, name)
	}
	return changed
}

func (k *walker) attribute(name string) string {
	found := regexp.MustCompile(`<body[^>]* data-` + name + `="([^"]*)"`).FindStringSubmatch(k.shown.text)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

func (k *walker) step() string { return k.attribute("step") }

// form is what the form of the screen would send: its inputs, but choices that are not checked.
func (k *walker) form() url.Values {
	form := url.Values{}
	for _, tag := range regexp.MustCompile(`<input[^>]*>`).FindAllString(k.shown.text, -1) {
		name, value := attributeOf(tag, "name"), attributeOf(tag, "value")
		choice := strings.Contains(tag, `type="radio"`) || strings.Contains(tag, `type="checkbox"`)
		if !choice || strings.Contains(tag, " checked") {
			form.Add(name, value)
		}
	}
	return form
}

func attributeOf(tag, name string) string {
	found := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(tag)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

// press presses a button of the screen, with some fields filled in by pairs of name and value.
func (k *walker) press(button string, pairs ...string) *walker {
	k.t.Helper()
	form := k.form()
	filled := map[string]bool{}
	for i := 0; i < len(pairs); i += 2 {
		if !filled[pairs[i]] {
			form.Del(pairs[i])
		}
		filled[pairs[i]] = true
		form.Add(pairs[i], pairs[i+1])
	}
	form.Set("do", button)
	return k.send(form)
}

func (k *walker) send(form url.Values) *walker {
	k.t.Helper()
	req := k.b.request(k.t, http.MethodPost, k.path, "", form.Encode())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	shown, err := k.b.do(req)
	if err != nil {
		k.t.Fatal(err)
	}
	k.shown = shown
	return k
}

// to goes on, taking what each screen offers, until it stands at a screen.
func (k *walker) to(step string) *walker {
	k.t.Helper()
	for range 10 {
		switch k.step() {
		case step:
			return k
		case "verify":
			k.press("next", "code", k.sentCode())
		default:
			k.press("next")
		}
	}
	k.t.Fatalf("never came to %s, but to %s: %s", step, k.step(), k.shown.text)
	return nil
}

func (k *walker) sentCode() string {
	found := regexp.MustCompile(`data-sent="([0-9]+)"`).FindStringSubmatch(k.shown.text)
	if found == nil {
		k.t.Fatalf("no code was sent: %s", k.shown.text)
	}
	return found[1]
}

// heard is what the last page posts to its opener.
type heard struct {
	posts   posts
	session *sessionInfo // nil: there is none
	answer  url.Values   // nil: there is none
}

func (k *walker) heard() heard {
	k.t.Helper()
	var h heard
	if err := json.Unmarshal([]byte(k.attribute("posts")), &h.posts); err != nil {
		k.t.Fatalf("%v: %d %s", err, k.shown.status, k.shown.text)
	}
	for _, p := range h.posts.Posts {
		if p.To == testOrigin {
			text, _ := p.Data.(string)
			h.answer, _ = url.ParseQuery(text)
			continue
		}
		text, isString := p.Data.(string)
		if !isString {
			encoded, _ := json.Marshal(p.Data)
			text = string(encoded)
		}
		h.session = &sessionInfo{}
		if err := decodeStrict([]byte(text), h.session); err != nil || p.To != "*" {
			k.t.Errorf("posted to %s: %s, %v", p.To, text, err)
		}
	}
	return h
}

func (h heard) data(name string) string {
	if h.session == nil {
		return ""
	}
	text, _ := h.session.Data[name].(string)
	return text
}

func (h heard) event() string { return cmp.Or(h.session, &sessionInfo{}).Event }
