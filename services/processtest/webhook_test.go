package processtest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/whatrack/connect/services/graphsim"
)

const (
	webhooksPerSecond = 300
	senders           = 32
	// betweenKills is how long a replica lives that is ready.
	betweenKills = time.Second
	// away is how long the database is.
	away = 4 * time.Second
)

// webhooks is how many are sent.
func webhooks(t *testing.T) int {
	t.Helper()
	given := os.Getenv("PROCESSTEST_WEBHOOKS")
	if given == "" {
		return 10 * webhooksPerSecond
	}
	n, err := strconv.Atoi(given)
	if err != nil || n <= 0 {
		t.Fatalf("PROCESSTEST_WEBHOOKS=%q is no number", given)
	}
	return n
}

// load is Meta sending webhooks, each until it is answered 200, as Meta does.
type load struct {
	w        *world
	client   *http.Client
	customer graphsim.SignedUp

	started  sync.WaitGroup
	accepted atomic.Int64 // answers 200
	refused  atomic.Int64 // answers 503
	cut      atomic.Int64 // no answer
	written  atomic.Int64 // on their way, or further
	sent     int
}

// startLoad sends n webhooks of one message each, at a steady rate, to the replicas in turn, every tenth to all of them.
func (w *world) startLoad(customer graphsim.SignedUp, n int) *load {
	l := &load{w: w, customer: customer, sent: n, client: &http.Client{
		Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: senders},
	}}
	numbers := make(chan int)
	l.started.Go(func() {
		defer close(numbers)
		tick := time.NewTicker(time.Second / webhooksPerSecond)
		defer tick.Stop()
		for i := range n {
			<-tick.C
			numbers <- i
		}
	})
	for range senders {
		l.started.Go(func() {
			for i := range numbers {
				l.send(i)
			}
		})
	}
	return l
}

func (l *load) send(i int) {
	to := l.w.onboardings[i%len(l.w.onboardings)]
	for try := 0; !l.post(to, i); try++ {
		if try == 600 {
			l.w.t.Errorf("webhook %d was never answered 200", i)
			return
		}
		time.Sleep(100 * time.Millisecond)
		to = l.w.onboardings[(i+try)%len(l.w.onboardings)]
	}
	if i%10 == 0 {
		for _, p := range l.w.onboardings {
			l.post(p, i)
		}
	}
}

// body is the same each time a webhook is sent.
func (l *load) body(i int) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":%q,"time":1739321024,"changes":[{"value":`+
		`{"messaging_product":"whatsapp","metadata":{"phone_number_id":%q},"messages":[{"from":"5511987654321","id":"wamid.n%d",`+
		`"timestamp":"1739321024","type":"text","text":{"body":"n%d \u00e9\/"}}]},"field":"messages"}]}]}`,
		l.customer.WABAIDs[0], l.customer.PhoneNumberIDs[0], i, i)
}

// post tells whether a webhook was answered 200. No other answer is right but 503.
func (l *load) post(to *process, i int) bool {
	body := l.body(i)
	mac := hmac.New(sha256.New, []byte(l.w.appSecret))
	mac.Write(body)
	traced := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { l.written.Add(1) },
	})
	req, err := http.NewRequestWithContext(traced, http.MethodPost, "http://"+to.http+"/api/v1/whatsapp/webhook", bytes.NewReader(body))
	if err != nil {
		l.w.t.Error(err)
		return true
	}
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := l.client.Do(req)
	if err != nil {
		l.cut.Add(1)
		return false
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		l.accepted.Add(1)
		return true
	case http.StatusServiceUnavailable:
		l.refused.Add(1)
	default:
		l.w.t.Errorf("webhook %d was answered %s", i, resp.Status)
	}
	return false
}

// killInTurn kills the replicas, one after the other, until it is told to stop.
func (w *world) killInTurn() (stop func() (kills int)) {
	told, ended, kills := make(chan struct{}), make(chan struct{}), 0
	go func() {
		defer close(ended)
		for {
			p := w.onboardings[kills%len(w.onboardings)]
			select {
			case <-told:
				return
			case <-time.After(betweenKills):
			}
			kills++
			p.kill()
			p.start()
			p.ready()
		}
	}()
	return func() int {
		close(told)
		<-ended
		return kills
	}
}

// The tests of intake run alone: their load would take the others' deadlines.

func TestNoWebhookIsLostWhenReplicasAndTheDatabaseDie(t *testing.T) {
	server := newPostgres(t)
	w := newWorld(t, setup{replicas: 2, server: server})
	customer := w.connected()
	n := webhooks(t)
	l := w.startLoad(customer, n)
	stop := w.killInTurn()
	waitFor(t, l.patience(), "half of the webhooks were not accepted", func() bool { return l.accepted.Load() > int64(n/2) })
	kills := stop()

	server.stop()
	l.stands()
	accepted, refused := l.accepted.Load(), l.refused.Load()
	time.Sleep(away)
	if l.accepted.Load() > accepted || l.refused.Load() == refused {
		t.Errorf("without a database %d were answered 200 and %d were answered 503", l.accepted.Load()-accepted, l.refused.Load()-refused)
	}
	server.start()
	waitFor(t, l.patience(), "none was accepted", func() bool { return l.accepted.Load() > accepted })

	stop = w.killInTurn()
	l.started.Wait()
	kills += stop()
	w.wantAll(l, "pgx", w.databases["waba-onboarding"], kills)
}

func TestNoWebhookIsLostWhenTheProcessDiesOnSQLite(t *testing.T) {
	w := newWorld(t, setup{sqlite: true})
	l := w.startLoad(w.connected(), webhooks(t))
	stop := w.killInTurn()
	l.started.Wait()
	kills := stop()
	path := strings.TrimPrefix(w.databases["waba-onboarding"], "sqlite://")
	w.wantAll(l, "sqlite", path, kills)

	w.stop(w.onboarding)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if said := query(t, db, "pragma integrity_check"); len(said) != 1 || said[0][0] != "ok" {
		t.Errorf("the database is damaged: %v", said)
	}
}

// connected is a customer whose WABA is claimed.
func (w *world) connected() graphsim.SignedUp {
	w.t.Helper()
	customer := w.meta.SignUp(graphsim.SignUp{})
	w.claim(w.t.Context(), w.onboarding, "org-1", customer.Code)
	w.wantEnd("the customer", "org-1", "CONNECTED")
	return customer
}

// awaitSplit waits until nothing is left to be split, as long as it becomes less.
func (w *world) awaitSplit(db *sql.DB) {
	w.t.Helper()
	const standstill = 30 * time.Second
	last, since := "", time.Now()
	for {
		left := query(w.t, db, "select (select count(*) from deliveries where state = 'RECEIVED') + (select coalesce(sum(length(bodies)), 0) from batches)")[0][0]
		switch {
		case left == "0":
			return
		case left != last:
			last, since = left, time.Now()
		case time.Since(since) > standstill:
			w.t.Fatalf("%s deliveries and bytes of batches are not split", left)
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// stands waits until what was on its way when the database went is answered: none is accepted any more, however many are
// refused.
func (l *load) stands() {
	l.w.t.Helper()
	accepted, refused := l.accepted.Load(), l.refused.Load()
	waitFor(l.w.t, l.patience(), "webhooks are still accepted, or none is refused", func() bool {
		if now := l.accepted.Load(); now != accepted {
			accepted, refused = now, l.refused.Load()
		}
		return l.refused.Load() > refused+2*senders
	})
}

// patience is long enough for a load: this machine may be busy.
func (l *load) patience() time.Duration {
	return time.Minute + 4*time.Duration(l.sent)*time.Second/webhooksPerSecond
}

// wantAll wants each webhook kept byte for byte, and its one change and its one message there once.
func (w *world) wantAll(l *load, driver, source string, kills int) {
	w.t.Helper()
	w.t.Logf("%d webhooks, %d kills: %d times 200, %d times 503, %d times no answer", l.sent, kills, l.accepted.Load(), l.refused.Load(), l.cut.Load())
	if kills == 0 || l.cut.Load() == 0 {
		w.t.Errorf("%d kills cut nothing", kills)
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	w.awaitSplit(db)
	kept, times := map[string]int{}, map[string]int{}
	for _, row := range query(w.t, db, "select body, state from deliveries") {
		kept[row[0]]++
		if row[1] != "SPLIT" {
			w.t.Errorf("a delivery is %s: %s", row[1], row[0])
		}
	}
	for _, row := range query(w.t, db, "select wamid, text from messages") {
		times[row[0]+" "+row[1]]++
	}
	for i := range l.sent {
		if kept[string(l.body(i))] == 0 {
			w.t.Errorf("webhook %d was answered 200 and is lost", i)
		}
		if n := times[fmt.Sprintf("wamid.n%d n%d é/", i, i)]; n != 1 {
			w.t.Errorf("message %d is there %d times", i, n)
		}
	}
	changes := query(w.t, db, "select count(*) from changes where field = 'messages' and state = 'RESOLVED'")[0][0]
	if len(kept) != l.sent || len(times) != l.sent || changes != strconv.Itoa(l.sent) {
		w.t.Errorf("%d deliveries, %s changes and %d messages of %d webhooks", len(kept), changes, len(times), l.sent)
	}
}
