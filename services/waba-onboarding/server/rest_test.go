package server_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// answer is what REST said.
type answer struct {
	status int
	header http.Header
	raw    []byte
	json   map[string]any
}

// at reads a value by its path, "error.code".
func (a answer) at(path string) any {
	var value any = a.json
	for name := range strings.SplitSeq(path, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

// info is the ErrorInfo of an error body.
func (a answer) info() map[string]any {
	details, _ := a.json["details"].([]any)
	for _, detail := range details {
		object, _ := detail.(map[string]any)
		if kind, _ := object["@type"].(string); strings.HasSuffix(kind, "ErrorInfo") {
			return object
		}
	}
	return nil
}

// send makes a REST request; headers are "Name: value".
func (b *bundle) send(method, path, token, body string, headers ...string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.rest+"/api/v1/whatsapp/"+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, raw: raw}
	_ = json.Unmarshal(raw, &a.json) // an answer that is no object has no fields
	return a
}

var (
	anyUUID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	anyTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
)

// wantGolden compares an answer with a file, its ids by the order in which they appear and its times by their form.
func wantGolden(t *testing.T, name string, a answer, also ...string) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, a.raw, "", "  "); err != nil {
		t.Fatalf("not JSON: %s", a.raw)
	}
	text := anyTime.ReplaceAllString(pretty.String(), "<time>")
	ids := map[string]string{}
	text = anyUUID.ReplaceAllStringFunc(text, func(id string) string {
		if ids[id] == "" {
			ids[id] = fmt.Sprintf("<id %d>", len(ids)+1)
		}
		return ids[id]
	})
	for _, value := range also {
		text = strings.ReplaceAll(text, value, "<other>")
	}
	text = fmt.Sprintf("HTTP %d\n%s\n", a.status, text)
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// shop is a signup whose ids and words are the same each time.
func shop() graphsim.SignUp {
	return graphsim.SignUp{WABAs: graphsim.List[graphsim.WABA]{{
		ID: "102290120000001", Name: "Padaria do João",
		Phones: graphsim.List[graphsim.Phone]{{
			ID: "106540350000001", DisplayPhoneNumber: "+55 11 91234-5678", PlatformType: "CLOUD_API", Status: "CONNECTED",
		}},
	}}}
}

func TestAnswersOverRESTAreAsTheContractHasThem(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		shared := b.meta.SignUp(shop())
		held := b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/subscribed_apps", Hold: graphsim.Before})
		body := fmt.Sprintf(`{"wabaId": %q, "code": %q}`, shared.WABAIDs[0], shared.Code)
		done := make(chan answer, 1)
		go func() { done <- b.send("POST", "claim-waba", org1, body) }()
		eventually(t, "the subscription is under way", func() bool { return b.meta.Count("POST", "/*/subscribed_apps") == 1 })

		list := b.send("GET", "onboardings", viewer1, "")
		id, _ := list.json["onboardings"].([]any)[0].(map[string]any)["onboardingId"].(string)
		wantGolden(t, "claiming.json", b.send("GET", "onboardings/"+id, viewer1, ""), shared.BusinessID)

		b.meta.Release(held)
		wantGolden(t, "connected.json", <-done, shared.BusinessID)
		wantGolden(t, "connections.json", b.send("GET", "connections?states=CONNECTED", viewer1, ""), shared.BusinessID)

		b.meta.AddFault(graphsim.Fault{Path: "/oauth/access_token", Error: &graphsim.FaultError{Code: 100, Subcode: 36007, TraceID: "Atrace"}})
		refused := b.send("POST", "claim-waba", org1, `{"code": "AQfirst"}`, "X-Request-Id: r-1")
		wantGolden(t, "refused.json", refused)

		started := b.send("POST", "onboardings", org1, `{}`)
		state, _ := started.json["state"].(string)
		token, _ := started.json["clientToken"].(string)
		wantGolden(t, "started.json", started, b.url, state, token)
	})
}

func TestSentencesAreInTheCallersLanguage(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.meta.AddFault(graphsim.Fault{Path: "/oauth/access_token", Error: &graphsim.FaultError{Code: 100, Subcode: 36009}})
	refused := b.send("POST", "claim-waba", org1, `{"code": "AQused"}`, "Accept-Language: pt-BR,pt;q=0.9,en;q=0.8")
	if !strings.Contains(string(refused.raw), `"locale":"pt-BR"`) || !strings.Contains(string(refused.raw), "código") {
		t.Errorf("the error is not in Portuguese: %s", refused.raw)
	}
	id, _ := refused.info()["metadata"].(map[string]any)["onboardingId"].(string)
	failed := b.send("GET", "onboardings/"+id, org1, "", "Accept-Language: pt-BR")
	english := b.send("GET", "onboardings/"+id, org1, "")
	if failed.at("state") != "FAILED" || failed.at("message") == english.at("message") || failed.at("nextAction") == "" {
		t.Errorf("the onboarding is not in Portuguese: %s", failed.raw)
	}

	connected, shared := b.connect(b.as(org1), graphsim.SignUp{Phones: graphsim.List[graphsim.Phone]{}})
	path := "connections/" + connected.GetConnectionId()
	if raw := b.send("GET", path, org1, "", "Accept-Language: pt-BR").raw; !strings.Contains(string(raw), "número") {
		t.Errorf("the connection of %s is not in Portuguese: %s", shared.WABAIDs[0], raw)
	}
}

func TestRESTRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
	}{
		{"unknown field", "POST", "claim-waba", `{"code": "AQ", "organizationId": "org-2"}`, 400},
		{"neither code nor WABA", "POST", "claim-waba", `{}`, 400},
		{"a code with a space", "POST", "claim-waba", `{"code": "AQ x"}`, 400},
		{"a WABA that is no id", "POST", "claim-waba", `{"code": "AQ", "wabaId": "../me"}`, 400},
		{"an id that is none", "GET", "onboardings/x", ``, 400},
		{"a state that is none", "GET", "onboardings?states=HAPPY", ``, 400},
		{"a page that is too large", "GET", "connections?pageSize=201", ``, 400},
		{"a PIN of five digits", "POST", "connections/0193d3d0-0000-7000-8000-000000000000:registerPhoneNumber", `{"phoneNumberId": "1", "pin": "12345"}`, 400},
	} {
		if got := b.send(c.method, c.path, org1, c.body); got.status != c.status || got.info()["reason"] != "INVALID_FIELD" {
			t.Errorf("%s: %d %s", c.name, got.status, got.raw)
		}
	}
	if n := b.meta.Count("", "*"); n != 0 {
		t.Errorf("Meta was called %d times", n)
	}
	list, err := b.as(platform).ListOnboardings(t.Context(), &onboardingv1.ListOnboardingsRequest{})
	if err != nil || len(list.GetOnboardings()) != 0 {
		t.Errorf("something was recorded: %v %v", list, err)
	}
}
