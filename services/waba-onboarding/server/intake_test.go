package server_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/token-broker/brokertest"
	"github.com/whatrack/connect/services/waba-onboarding/server"
)

// deliver posts a body as Meta does, and answers the status.
func (b *bundle) deliver(body string) int {
	b.t.Helper()
	mac := hmac.New(sha256.New, []byte(brokertest.AppSecret))
	mac.Write([]byte(body))
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.rest+"/api/v1/whatsapp/webhook", bytes.NewReader([]byte(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// delivered are the bodies of all deliveries, once they are so many and split.
func (b *bundle) delivered(many int) []string {
	b.t.Helper()
	client := onboardingv1.NewWebhookServiceClient(b.conn(b.replica, platform))
	var bodies []string
	eventually(b.t, "all are split", func() bool {
		list, err := client.ListDeliveries(b.t.Context(), &onboardingv1.ListDeliveriesRequest{PageSize: 200})
		if err != nil { // SQLite has one connection, which a large delivery holds for a while
			return false
		}
		if len(list.GetDeliveries()) < many {
			return false
		}
		bodies = nil
		for _, d := range list.GetDeliveries() {
			if d.GetState() == onboardingv1.Delivery_RECEIVED {
				return false
			}
			one, err := client.GetDelivery(b.t.Context(), &onboardingv1.GetDeliveryRequest{DeliveryId: d.GetDeliveryId()})
			if err != nil {
				b.t.Fatal(err)
			}
			bodies = append(bodies, string(one.GetDelivery().GetBody()))
		}
		return true
	})
	return bodies
}

func TestWhateverIsSignedIsKeptAndShown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		odd := []string{
			`no JSON`, "", "\x00\xff", `[]`, strings.Repeat(`{"a":`, 100_000), `{"object":"page","entry":[{"id":"1","changes":[{"field":"feed","value":1}]}]}`,
			`{"object":"whatsapp_business_account","entry":["text",{"id":1,"changes":[{"field":"unheard_of","value":{"x":"\u0000\ud83d"}},` +
				`{"field":"messages","value":null},{"field":"messages","value":{"metadata":{"phone_number_id":2},"messages":[]}}]}]}`,
			`{"object":"whatsapp_business_account","entry":[]}`, `{"b":"\u00e9 \/ é😀","object":"whatsapp_business_account"}`,
		}
		for _, body := range odd {
			if status := b.deliver(body); status != http.StatusOK {
				t.Errorf("%.40q: %d", body, status)
			}
		}
		got := b.delivered(len(odd))
		slices.Sort(got)
		slices.Sort(odd)
		if !slices.Equal(got, odd) {
			t.Errorf("kept %.80q, want %.80q", got, odd)
		}
		states := map[onboardingv1.Change_State]int{}
		for _, change := range b.changes(platform) {
			states[change.GetState()]++
		}
		if states[onboardingv1.Change_IGNORED] != 1 || states[onboardingv1.Change_UNPARSED] != 2 || states[onboardingv1.Change_WAITING] != 2 {
			t.Errorf("changes by state: %v", states)
		}
	})
}

// TestWhoeverIsRefusedIsInTheLogOnceAMinute: a wrong app secret stops all that Meta sends, and a stranger may send a
// thousand.
func TestWhoeverIsRefusedIsInTheLogOnceAMinute(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	send := func(query string, header http.Header) {
		t.Helper()
		method := http.MethodPost
		if query != "" {
			method = http.MethodGet
		}
		req, err := http.NewRequestWithContext(t.Context(), method, b.rest+"/api/v1/whatsapp/webhook?"+query, strings.NewReader("foreigncanary"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = header
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Errorf("%s %v: %s", query, header, resp.Status)
		}
	}
	for range 20 {
		send("", http.Header{"X-Hub-Signature-256": {"sha256=" + strings.Repeat("0", 64)}})
		send("", http.Header{"X-Hub-Signature": {"sha1=foreigncanary"}})
		send("", http.Header{"Content-Encoding": {"foreigncanary"}})
		send("hub.mode=subscribe&hub.challenge=1&hub.verify_token=foreigncanary", nil)
	}
	out := b.logs.String()
	for _, cause := range []string{"set META_APP_SECRET to", "X-Hub-Signature-256", "Content-Encoding", "META_WEBHOOK_VERIFY_TOKEN"} {
		if got := strings.Count(out, cause); got != 1 {
			t.Errorf("%d lines say %s, want 1", got, cause)
		}
	}
	if strings.Contains(out, "foreigncanary") {
		t.Error("what a stranger sent is in the log")
	}
}

func TestWhatWABAsSendIsSplitInTheOrderInWhichItCame(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		const many = 90
		for i := range many { // of several WABAs, so that they are split side by side
			body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"%d","changes":[{"field":"messages","value":{"n":%d}}]}]}`, 1+i%3, i)
			if status := b.deliver(body); status != http.StatusOK {
				t.Fatalf("answered %d", status)
			}
		}
		eventually(t, "all changes", func() bool { return len(b.changes(platform)) == many })
		last := map[string]string{}
		for _, change := range slices.Backward(b.changes(platform)) {
			waba, delivery := change.GetWabaId(), change.GetDeliveryId() // whose ids are in the order in which they came
			if delivery < last[waba] {
				t.Errorf("WABA %s: %s came after %s", waba, delivery, last[waba])
			}
			last[waba] = delivery
		}
		if len(last) != 3 {
			t.Errorf("WABAs: %v", last)
		}
	})
}

func TestAThousandUpdatesInOnePOST(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c, signed := b.connect(b.as(org1), graphsim.SignUp{})
		var messages []string
		for i := range 1000 {
			messages = append(messages, fmt.Sprintf(`{"id":"wamid.%d","from":"5511987654321","type":"text","text":{"body":%q}}`, i, strings.Repeat("x", 2900)))
		}
		body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"metadata":`+
			`{"phone_number_id":%q},"messages":[%s]}}]}]}`, signed.WABAIDs[0], signed.PhoneNumberIDs[0], strings.Join(messages, ","))
		start := time.Now()
		if status := b.deliver(body); status != http.StatusOK {
			t.Fatalf("%d bytes: %d", len(body), status)
		}
		t.Logf("%d bytes were answered after %s", len(body), time.Since(start))
		b.delivered(1)
		t.Logf("and were split after %s", time.Since(start))
		if got := len(b.allMessages(c.GetConnectionId())); got != 1000 {
			t.Errorf("%d messages", got)
		}
	})
}

func (b *bundle) allMessages(connection string) (all []*onboardingv1.Message) {
	b.t.Helper()
	client := onboardingv1.NewMessageServiceClient(b.conn(b.replica, org1))
	for page := ""; ; {
		resp, err := client.ListMessages(b.t.Context(), &onboardingv1.ListMessagesRequest{ConnectionId: connection, PageSize: 200, PageToken: page})
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, resp.GetMessages()...)
		if page = resp.GetNextPageToken(); page == "" {
			return all
		}
	}
}

// filed is a service on a SQLite file that somebody else has open too.
func filed(t *testing.T) (*bundle, *sql.DB) {
	t.Helper()
	databaseURL := databasetest.SQLiteURL(t, server.Migrations())
	other, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(databaseURL, "sqlite://")+"?_pragma=busy_timeout(8000)")
	if err != nil {
		t.Fatal(err)
	}
	other.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = other.Close() })
	return setup(t, databasetest.Open(t, databaseURL)), other
}

func (b *bundle) exec(db *sql.DB, statement string) {
	b.t.Helper()
	if _, err := db.ExecContext(b.t.Context(), statement); err != nil {
		b.t.Fatalf("%s: %v", statement, err)
	}
}

func (b *bundle) wantIntact(db *sql.DB) {
	b.t.Helper()
	var said string
	if err := db.QueryRowContext(b.t.Context(), "pragma integrity_check").Scan(&said); err != nil || said != "ok" {
		b.t.Errorf("the database: %s %v", said, err)
	}
}

func TestAFullDiskIsNo200AndHeals(t *testing.T) {
	t.Parallel()
	b, other := filed(t)
	var pages int
	if err := b.db.SQL().QueryRowContext(t.Context(), "pragma page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	b.exec(b.db.SQL(), fmt.Sprintf("pragma max_page_count = %d", pages+200)) // of the service's one connection
	var accepted []string
	full := false
	for i := range 100 {
		noise := make([]byte, 25_000) // which no compression makes less
		_, _ = rand.Read(noise)
		body := fmt.Sprintf(`{"number":%d,"x":"%x"}`, i, noise)
		switch status := b.deliver(body); status {
		case http.StatusOK:
			accepted = append(accepted, body)
		case http.StatusServiceUnavailable:
			full = true
		default:
			t.Fatalf("answered %d", status)
		}
	}
	if !full || len(accepted) == 0 {
		t.Fatalf("the disk was full: %v, after %d", full, len(accepted))
	}
	b.exec(b.db.SQL(), "pragma max_page_count = 1000000")
	last := `{"number":100}`
	if status := b.deliver(last); status != http.StatusOK {
		t.Errorf("with room again: %d", status)
	}
	got, want := b.delivered(len(accepted)+1), append(accepted, last)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d deliveries, want the %d that were answered 200", len(got), len(want))
	}
	b.wantIntact(other)
}

func TestALockedFileIs503AndLosesNothing(t *testing.T) {
	t.Parallel()
	b, other := filed(t)
	b.exec(other, "begin exclusive")
	if status := b.deliver(`{"number":1}`); status != http.StatusServiceUnavailable {
		t.Errorf("locked: %d", status)
	}
	b.exec(other, "rollback")
	if status := b.deliver(`{"number":2}`); status != http.StatusOK {
		t.Errorf("unlocked: %d", status)
	}
	if got := b.delivered(1); !slices.Contains(got, `{"number":2}`) {
		t.Errorf("deliveries: %q", got)
	}
	b.wantIntact(other)
}

func TestADeliveryThatCanNotBeSplitHoldsNobodyAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	b, _ := filed(t)
	b.exec(b.db.SQL(), "create trigger poison before insert on changes when instr(new.value, 'poison') begin select raise(abort, 'poison'); end")
	for i := range 30 {
		what := "good"
		if i%10 == 5 {
			what = "poison"
		}
		body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":"%s %d"}]}]}`, what, i)
		if status := b.deliver(body); status != http.StatusOK {
			t.Fatalf("answered %d", status)
		}
	}
	wantStates := func(received, split int) {
		t.Helper()
		client := onboardingv1.NewWebhookServiceClient(b.conn(b.replica, platform))
		eventually(t, fmt.Sprintf("%d received, %d split", received, split), func() bool {
			list, err := client.ListDeliveries(t.Context(), &onboardingv1.ListDeliveriesRequest{PageSize: 200})
			if err != nil {
				t.Fatal(err)
			}
			states := map[onboardingv1.Delivery_State]int{}
			for _, d := range list.GetDeliveries() {
				states[d.GetState()]++
			}
			return states[onboardingv1.Delivery_RECEIVED] == received && states[onboardingv1.Delivery_SPLIT] == split
		})
	}
	wantStates(3, 27)
	b.exec(b.db.SQL(), "drop trigger poison")
	wantStates(0, 30)
}
