package graphsim

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTokenReadsNothingButItsOwnCustomersAccounts(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	mine, own := b.token(t, SignUp{})
	_, other := b.token(t, SignUp{})

	wantStatus(t, b.get(t, "/v25.0/"+own.WABAIDs[0]+"/phone_numbers", mine), http.StatusOK)
	for _, id := range []string{other.WABAIDs[0], other.PhoneNumberIDs[0], other.BusinessID, "999"} {
		wantError(t, b.get(t, "/v25.0/"+id, mine), 400, 100, 33)
		wantError(t, b.get(t, "/v25.0/"+id+"/phone_numbers", mine), 400, 100, 33)
	}
	wantError(t, b.send(t, http.MethodPost, "/v25.0/"+other.WABAIDs[0]+"/subscribed_apps", mine, ""), 400, 100, 33)
	wantError(t, b.get(t, "/v25.0/"+own.WABAIDs[0], appToken), 400, 100, 33)
}

func TestCallsWithoutAReadableTokenAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	id := b.sim.SignUp(SignUp{}).WABAIDs[0]
	wantError(t, b.get(t, "/v25.0/"+id, ""), 400, 104, 0)
	wantError(t, b.get(t, "/v25.0/me", ""), 400, 2500, 0)
	wantError(t, b.get(t, "/v25.0/"+id, "garbage"), 401, 190, 0)
	a := b.get(t, "/v25.0/"+id, "EAAunknown")
	wantError(t, a, 401, 190, 0)
	if !strings.Contains(a.header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("WWW-Authenticate is %q", a.header.Get("WWW-Authenticate"))
	}
}

func TestAppSecretProofIsVerifiedWhereverItIsGiven(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, _ := b.token(t, SignUp{})
	wantStatus(t, b.get(t, "/v25.0/me?appsecret_proof="+proofOf(defaultAppSecret, token), token), http.StatusOK)
	a := b.get(t, "/v25.0/me?appsecret_proof="+proofOf("wrong", token), token)
	wantError(t, a, 400, 100, 0)
	if a.str("error.type") != "GraphMethodException" {
		t.Errorf("type is %q", a.str("error.type"))
	}
}

func TestAppSecretProofIsRequiredWhenTheSwitchIsOn(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{RequireAppSecretProof: true})
	token, _ := b.token(t, SignUp{})
	wantError(t, b.get(t, "/v25.0/me", token), 400, 100, 0)
	wantStatus(t, b.get(t, "/v25.0/me?appsecret_proof="+proofOf(defaultAppSecret, token), token), http.StatusOK)
	wantStatus(t, b.debug(t, token), http.StatusOK) // the app's own token needs none
}

func TestFieldsSelectAndUnknownOnesAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{WABAs: []WABA{{Name: "Padaria"}}})
	path := "/v25.0/" + done.WABAIDs[0]

	a := b.get(t, path+"?fields=name,owner_business_info{id},account_review_status", token)
	want := map[string]any{
		"id": done.WABAIDs[0], "name": "Padaria", "account_review_status": "APPROVED",
		"owner_business_info": map[string]any{"id": done.BusinessID},
	}
	if diff := cmp.Diff(want, a.json); diff != "" {
		t.Errorf("WABA differs (-want +got):\n%s", diff)
	}
	wantError(t, b.get(t, path+"?fields=id,nonsense", token), 400, 100, 0)
	wantError(t, b.get(t, path+"?fields=owner_business_info{id", token), 400, 2500, 0)

	phone := b.get(t, "/v25.0/"+done.PhoneNumberIDs[0]+"?fields=is_on_biz_app,platform_type,health_status", token)
	if phone.at("is_on_biz_app") != false || phone.at("platform_type") != "NOT_APPLICABLE" || phone.at("health_status.can_send_message") != "AVAILABLE" {
		t.Errorf("phone is %s", phone.text)
	}
}

func TestMeProvesTheCustomersBusiness(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{})
	a := b.get(t, "/v25.0/me?fields=client_business_id", token)
	if a.str("client_business_id") != done.BusinessID || a.str("id") == "" {
		t.Errorf("me is %s, want client_business_id %s", a.text, done.BusinessID)
	}
	user, _ := b.token(t, SignUp{Token: TokenSpec{Kind: KindUser}})
	wantError(t, b.get(t, "/v25.0/me?fields=client_business_id", user), 400, 100, 0)
}

func TestBusinessHasNoPhoneNumbers(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{})
	a := b.get(t, "/v25.0/"+done.BusinessID+"/phone_numbers", token)
	wantError(t, a, 400, 100, 0)
	if want := "(#100) Tried accessing nonexisting field (phone_numbers) on node type (Business)"; a.str("error.message") != want {
		t.Errorf("message is %q, want %q", a.str("error.message"), want)
	}
}

func TestUnknownPathsAreAnsweredAsMetaDoes(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{})
	for _, path := range []string{"/me", "/v25/me", "/v25.x/me", "/v25.0/nothing/here", "/v25.0/", "/_simulated"} {
		wantError(t, b.get(t, path, token), 400, 2500, 0)
	}
	wantError(t, b.send(t, http.MethodPost, "/v25.0/"+done.WABAIDs[0]+"/nothing", token, ""), 400, 2500, 0)
	wantError(t, b.get(t, "/v25.0/"+done.WABAIDs[0]+"/nothing", token), 400, 100, 0)
	wantError(t, b.get(t, "/v25.0/"+done.PhoneNumberIDs[0]+"/register", token), 400, 100, 0)
	wantStatus(t, b.get(t, "/v99.0/me", token), http.StatusOK)
}

func TestPhoneNumbersComeInPages(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{Phones: make([]Phone, 60)})
	path := "/v25.0/" + done.WABAIDs[0] + "/phone_numbers?fields=id"

	got, cursor := []string{}, ""
	for page := range 3 {
		a := b.get(t, path+"&limit=25&after="+url.QueryEscape(cursor), token)
		wantStatus(t, a, http.StatusOK)
		items, _ := a.at("data").([]any)
		for _, item := range items {
			got = append(got, item.(map[string]any)["id"].(string))
		}
		next := a.str("paging.next")
		if last := page == 2; (next == "") != last {
			t.Errorf("page %d: next is %q", page, next)
		}
		if next != "" && !strings.Contains(next, "access_token="+token) {
			t.Errorf("page %d: next %q carries no access token, as Meta's does", page, next)
		}
		cursor = a.str("paging.cursors.after") // there on the last page too
	}
	if diff := cmp.Diff(done.PhoneNumberIDs, got); diff != "" {
		t.Errorf("three pages differ from the signup (-want +got):\n%s", diff)
	}

	a := b.get(t, path+"&before="+url.QueryEscape(cursor), token)
	if items, _ := a.at("data").([]any); len(items) != 25 {
		t.Errorf("the page before the last number has %d items, want 25", len(items))
	}
	wantError(t, b.get(t, path+"&after=nonsense", token), 400, 100, 0)
	wantError(t, b.get(t, path+"&limit=0", token), 400, 100, 0)
}

func TestNextLeadsToTheNextPage(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{Phones: make([]Phone, 2)})
	first := b.get(t, "/v25.0/"+done.WABAIDs[0]+"/phone_numbers?limit=1", token)
	second := b.get(t, strings.TrimPrefix(first.str("paging.next"), b.url), "")
	items, _ := second.at("data").([]any)
	if len(items) != 1 || items[0].(map[string]any)["id"] != done.PhoneNumberIDs[1] {
		t.Errorf("second page is %s, want number %s", second.text, done.PhoneNumberIDs[1])
	}
	if second.str("paging.next") != "" || second.str("paging.previous") == "" {
		t.Errorf("paging of the last page is %v", second.at("paging"))
	}
}

func TestWABAWithoutNumbersHasAnEmptyPage(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{Phones: []Phone{}})
	if a := b.get(t, "/v25.0/"+done.WABAIDs[0]+"/phone_numbers", token); a.text != `{"data":[]}` {
		t.Errorf("answer is %s", a.text)
	}
}
