package graphsim

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"
)

// stopped is a clock that only Advance moves.
func stopped() time.Time { return time.Unix(1_790_000_000, 0) }

func TestWhatIsNotAnswered200ComesAgainWhenTimePasses(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{Now: stopped}, SignUp{})
	s.rc.answerWith(http.StatusNoContent) // not 200 either
	said := s.sim.SendMessage(MessageSpec{PhoneNumberID: s.phone, Text: "hi"})
	if said.Delivered || said.Status != http.StatusNoContent {
		t.Errorf("answer is %+v", said)
	}
	pending := s.waitDelivery(t, said.DeliveryIDs[0], DeliveryPending, 1)
	if got, want := pending.NextAttempt.Sub(stopped()), retryPause(len(pending.Attempts)); got != want {
		t.Errorf("tried again after %s, want %s", got, want)
	}
	s.sim.Advance(time.Second)
	s.waitDelivery(t, said.DeliveryIDs[0], DeliveryPending, 2)
	s.rc.answerWith(http.StatusOK)
	s.sim.Advance(5 * time.Second)
	done := s.waitDelivery(t, said.DeliveryIDs[0], DeliveryDelivered, 3)
	all := s.rc.list()
	last := len(all) - 1
	if all[0].body != all[last].body || done.Attempts[last].Status != http.StatusOK {
		t.Errorf("%d POSTs, the log has %+v", len(all), done)
	}
	s.sim.Advance(24 * time.Hour)
	if got := len(s.rc.list()); got != len(all) {
		t.Errorf("%d POSTs after it was delivered", got)
	}
}

func TestRetriesEndAfterSevenDays(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{Now: stopped}, SignUp{})
	s.rc.answerWith(http.StatusInternalServerError)
	said := s.sim.SendMessage(MessageSpec{PhoneNumberID: s.phone, Text: "hi"})
	d := s.waitDelivery(t, said.DeliveryIDs[0], "", 1)
	for d.State != DeliveryFailed {
		s.sim.Advance(12 * time.Hour)
		d = s.waitDelivery(t, d.ID, "", len(d.Attempts)+1)
	}
	last := d.Attempts[len(d.Attempts)-1].Time.Sub(d.Time)
	if last <= 6*24*time.Hour || last > 7*24*time.Hour {
		t.Errorf("given up after %s and %d attempts", last, len(d.Attempts))
	}
}

func TestPausesGrowFromASecondToHalfADay(t *testing.T) {
	t.Parallel()
	if retryPause(1) != time.Second || retryPause(100) != 12*time.Hour {
		t.Errorf("the first pause is %s, late ones are %s", retryPause(1), retryPause(100))
	}
	for n := 2; n < 20; n++ {
		if retryPause(n) < retryPause(n-1) {
			t.Errorf("pause %d is %s, shorter than the one before", n, retryPause(n))
		}
	}
}

func TestRetriesFollowTheAppToItsNewCallback(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{Now: stopped}, SignUp{})
	s.sim.SetWebhook(WebhookSettings{CallbackURL: "http://127.0.0.1:1/"})
	said := s.sim.SendMessage(MessageSpec{PhoneNumberID: s.phone, Text: "hi"})
	if said.Delivered || said.Status != 0 || said.Reason == "" {
		t.Errorf("answer is %+v", said)
	}
	s.sim.SetWebhook(WebhookSettings{CallbackURL: s.rc.url})
	s.sim.Advance(time.Second)
	s.waitDelivery(t, said.DeliveryIDs[0], DeliveryDelivered, 2)
}

func TestDelayedWebhookComesByItselfOnceItsTimeHasPassed(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{Now: stopped}, SignUp{})
	hour := int64(time.Hour / time.Millisecond)
	said := s.sim.SendMessage(MessageSpec{PhoneNumberID: s.phone, Text: "hi", Sending: Sending{DelayMs: hour}})
	if said.Delivered || said.Reason != "scheduled" || said.Wamid == "" {
		t.Errorf("answer is %+v", said)
	}
	said = s.sim.Deliver(Webhook{Body: []byte(`{}`), DelayMs: hour})
	if said.Reason != "scheduled" || len(s.rc.list()) != 0 {
		t.Errorf("answer is %+v", said)
	}
	s.sim.Advance(time.Hour)
	s.rc.wait(t, 2)

	s.sim.SendMessage(MessageSpec{PhoneNumberID: s.phone, Text: "hi", Sending: Sending{DelayMs: 20}})
	s.rc.wait(t, 3) // the real clock gets there too
}

func TestStateFileKeepsWebhookSettingsAndWhatIsStillToBeSent(t *testing.T) {
	t.Parallel()
	rc := newReceiver(t)
	rc.answerWith(http.StatusServiceUnavailable)
	cfg := Config{StateFile: filepath.Join(t.TempDir(), "state.json"), Now: stopped}
	b := setup(t, cfg)
	b.sim.SetWebhook(WebhookSettings{CallbackURL: rc.url, VerifyToken: testVerifyToken, Fields: []string{"messages"}})
	token, done := b.token(t, SignUp{})
	b.send(t, http.MethodPost, "/v25.0/"+done.WABAIDs[0]+"/subscribed_apps", token, "")
	first := b.sim.SendMessage(MessageSpec{PhoneNumberID: done.PhoneNumberIDs[0], Text: "Olá"})
	b.sim.SendMessage(MessageSpec{
		PhoneNumberID: done.PhoneNumberIDs[0], Text: "later", Sending: Sending{DelayMs: 3_600_000, Time: TimeNow, Batch: BatchEntries},
	})
	if err := b.sim.Close(); err != nil {
		t.Fatal(err)
	}
	before := rc.wait(t, 1)
	rc.answerWith(http.StatusOK)

	again := setup(t, cfg)
	again.sim.Advance(time.Hour)
	after := rc.wait(t, len(before)+2)
	if same := after[len(before)].body == before[0].body || after[len(before)+1].body == before[0].body; !same {
		t.Errorf("after the restart came %+v, want %s again", after[len(before):], before[0].body)
	}
	again.waitDelivery(t, first.DeliveryIDs[0], DeliveryDelivered, 2)
	if a := again.get(t, "/_sim/webhook-settings", ""); a.str("callbackUrl") != rc.url || a.str("verifyToken") != testVerifyToken {
		t.Errorf("settings are %s", a.text)
	}
}

func TestReceiverMayCallGraphWhileItReceives(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{})
	asking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(s.get(t, "/v25.0/"+s.waba, s.token).status)
	}))
	t.Cleanup(asking.Close)
	s.sim.SetWebhook(WebhookSettings{CallbackURL: asking.URL})
	if said := s.sim.SendMessage(MessageSpec{PhoneNumberID: s.phone, Text: "hi"}); !said.Delivered {
		t.Errorf("answer is %+v", said)
	}
}

func TestResetForgetsWhatIsStillToBeSent(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{Now: stopped}, SignUp{})
	s.rc.answerWith(http.StatusInternalServerError)
	s.sim.SendMessage(MessageSpec{PhoneNumberID: s.phone, Text: "hi"})
	s.sim.Reset()
	s.sim.Advance(time.Hour)
	if got := s.sim.Deliveries(); len(got) != 0 {
		t.Errorf("the log has %+v", got)
	}
	if a := s.get(t, "/_sim/webhook-settings", ""); a.str("callbackUrl") != s.rc.url {
		t.Errorf("the configured callback is lost: %s", a.text)
	}
}

func TestCloseDoesNotWaitForASlowReceiver(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{})
	gate, entered := make(chan struct{}), make(chan struct{}, 1)
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-gate
	}))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(gate) })
	s.sim.SetWebhook(WebhookSettings{CallbackURL: slow.URL})
	s.sim.SendMessage(MessageSpec{PhoneNumberID: s.phone, Text: "hi", Sending: Sending{DelayMs: 1}})
	<-entered
	start := time.Now()
	if err := s.sim.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("Close took %s", took)
	}
	if got := s.sim.Deliveries(); len(got) != 1 || got[0].State != DeliveryPending {
		t.Errorf("what was under way is %+v", got)
	}
}
