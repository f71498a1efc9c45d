package graphsim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever the control plane is sent, it is taken or refused, and what it took works.
func FuzzSignUpIsTakenOrRefused(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"wabas":2,"phones":3}`, `{"wabas":[{"id":"1","phones":[{"pin":"123456"}]}]}`, `{"wabaIds":["1"]}`, `{"wabas":null}`,
		`{"token":{"kind":"USER","expiresIn":9}}`, `{"phones":[null]}`, `{"wabas":1e3}`, `[`, `{"granular":"numeric"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var spec SignUp
		if decodeStrict(data, &spec) != nil || len(spec.WABAs)*len(spec.Phones) > 1000 {
			return
		}
		sim, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		done, err := sim.signUp(spec)
		if err == nil && sim.world.Codes[done.Code] == nil {
			t.Errorf("the code of %s is not known", data)
		}
	})
}

func FuzzFaultIsTakenOrRefused(f *testing.F) {
	for _, seed := range []string{
		`{"path":"/me","status":500}`, `{"html":true,"truncate":true}`, `{"body":"x","trickleMs":1}`, `{"hold":true,"times":-1}`,
		`{"error":{"code":190,"error_data":{"a":1}},"headers":{"A":"b"}}`, `{"drop":"after"}`, `{"params":{"a":""},"delayMs":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var fault Fault
		if decodeStrict(data, &fault) != nil || fault.validate() != nil {
			return
		}
		if fault.replaces() {
			if r := fault.answer(); r.status < 200 || r.status > 599 || r.header == nil {
				t.Errorf("%s answers %+v", data, r)
			}
		}
		s := scripted{Fault: fault}
		s.cut([]byte("some body"))
	})
}

func FuzzFieldsAreParsedOrRefused(f *testing.F) {
	for _, seed := range []string{"id,name", "a{b,c{d}},e.limit(5){f}", "a{", "}", ",", "a,,b", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		fields, err := parseFields(s)
		if err != nil {
			return
		}
		for name := range fields {
			if name == "" {
				t.Errorf("%q has a field without a name", s)
			}
		}
	})
}

func FuzzDialogAnswersWhateverItIsSent(f *testing.F) {
	query := popupQuery().Encode()
	for _, seed := range []string{
		"step=login&do=next&person=a", "step=verify&do=next&number=new&code=1", "step=permissions&do=next&waba=1&waba=new&business=new",
		"step=number&do=report&fail=3441041&session=1", "step=waba&do=back", "%zz", "step=business&do=cancel",
	} {
		f.Add(query, seed)
	}
	f.Add("extras=%7B&client_id=1", "")
	f.Fuzz(func(t *testing.T, query, form string) {
		sim, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r := httptest.NewRequestWithContext(t.Context(), method, "/dialog/oauth", strings.NewReader(form))
			r.URL.RawQuery = query
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			sim.ServeHTTP(w, r)
			if w.Code != http.StatusOK && w.Code != http.StatusBadRequest && w.Code != http.StatusSeeOther {
				t.Errorf("%s with %q and %q answers %d %s", method, query, form, w.Code, w.Body)
			}
			if strings.Contains(w.Body.String(), "<script>") {
				t.Errorf("%q and %q put a script on the page", query, form)
			}
		}
	})
}
