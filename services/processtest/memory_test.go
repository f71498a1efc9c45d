package processtest

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/whatrack/connect/services/graphsim"
)

const (
	largeSenders = 64
	largeBody    = 3_900_000 // bytes; the limit is 4 MiB
	// mostMemory is what a replica may take at its peak.
	mostMemory = 400 << 20
)

// largeBodies are webhooks that differ in one message of many, so that each is split and none has to be kept whole here.
type largeBodies struct {
	t         *testing.T
	to        *process
	appSecret string
	customer  graphsim.SignedUp
	rest      []byte // what all have in common

	accepted, refused, cut atomic.Int64
}

func newLargeBodies(w *world, customer graphsim.SignedUp) *largeBodies {
	const messages = 16
	l := &largeBodies{t: w.t, to: w.onboarding, appSecret: w.appSecret, customer: customer}
	left := largeBody - len(l.head(0))
	text := strings.Repeat(`\u00e9 `, (left/messages-200)/len(`\u00e9 `))
	for i := range messages {
		l.rest = fmt.Appendf(l.rest, `,{"from":"5511987654321","id":"wamid.rest%d","timestamp":"1739321024","type":"text","text":{"body":"%s"}}`, i, text)
	}
	l.rest = append(l.rest, `]},"field":"messages"}]}]}`...)
	l.rest = append(l.rest, bytes.Repeat([]byte(" "), left-len(l.rest))...)
	return l
}

func (l *largeBodies) head(i int) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"value":{"metadata":{"phone_number_id":%q},"messages":[`+
		`{"from":"5511987654321","id":"wamid.large%04d","timestamp":"1739321024","type":"text","text":{"body":"large"}}`,
		l.customer.WABAIDs[0], l.customer.PhoneNumberIDs[0], i)
}

// post sends a body once, over a connection of its own, and reads the answer meanwhile: it may come before the body was
// taken.
func (l *largeBodies) post(i int) {
	head := l.head(i)
	mac := hmac.New(sha256.New, []byte(l.appSecret))
	mac.Write(head)
	mac.Write(l.rest)
	conn, err := net.Dial("tcp", l.to.http)
	if err != nil {
		l.t.Error(err)
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	go func() {
		_, _ = fmt.Fprintf(conn, "POST /api/v1/whatsapp/webhook HTTP/1.1\r\nHost: %s\r\nX-Hub-Signature-256: sha256=%s\r\nContent-Length: %d\r\n\r\n",
			l.to.http, hex.EncodeToString(mac.Sum(nil)), len(head)+len(l.rest))
		_, _ = io.Copy(conn, io.MultiReader(bytes.NewReader(head), bytes.NewReader(l.rest)))
	}()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		l.cut.Add(1)
		return
	}
	_ = resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		l.accepted.Add(1)
	case http.StatusServiceUnavailable:
		l.refused.Add(1)
	default:
		l.t.Errorf("a body of %d bytes was answered %s", len(head)+len(l.rest), resp.Status)
	}
}

// It runs alone, as the tests of intake do, and without the race detector, which takes several times as much for itself.
func TestLargeWebhooksFromManySendersDoNotExhaustTheMemory(t *testing.T) {
	const rounds = 3
	folder := t.TempDir()
	if err := build(folder, false, "../waba-onboarding"); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, setup{folder: folder, env: []string{"GOMEMLIMIT=256MiB"}})
	l := newLargeBodies(w, w.connected())
	db, err := sql.Open("pgx", w.databases["waba-onboarding"])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	idle := peakMemory(t, w.onboarding)
	var senders sync.WaitGroup
	for s := range largeSenders {
		senders.Go(func() {
			for round := range rounds {
				l.post(s*rounds + round)
			}
		})
	}
	senders.Wait()
	w.awaitSplit(db)
	peak := peakMemory(t, w.onboarding)
	t.Logf("%d bodies of %d bytes from %d senders: %d times 200, %d times 503, %d times no answer; at most %d MiB, %d before",
		largeSenders*rounds, largeBody, largeSenders, l.accepted.Load(), l.refused.Load(), l.cut.Load(), peak>>20, idle>>20)
	if peak > mostMemory {
		t.Errorf("at its peak it took %d MiB, more than %d", peak>>20, mostMemory>>20)
	}
	if l.accepted.Load() == 0 || !w.onboarding.runs() {
		t.Fatalf("%d were answered 200; it runs: %v", l.accepted.Load(), w.onboarding.runs())
	}
	kept := query(t, db, "select count(*) from messages where wamid like 'wamid.large%'")[0][0]
	if n, err := strconv.ParseInt(kept, 10, 64); err != nil || n < l.accepted.Load() || n > l.accepted.Load()+l.cut.Load() {
		t.Errorf("%s are kept (%v), %d were answered 200 and %d not at all", kept, err, l.accepted.Load(), l.cut.Load())
	}
	small := &load{w: w, client: &http.Client{Timeout: 15 * time.Second}, customer: l.customer}
	if !small.post(w.onboarding, 0) {
		t.Error("afterwards a small webhook is not accepted")
	}
	w.awaitSplit(db)
	for _, statement := range []string{"delete from deliveries", "update changes set value = ''", "update messages set content = '', text = ''"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil { // or the search for secrets goes through all of it
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// peakMemory is the most that a process had resident so far, in bytes; 0 where the system does not say.
func peakMemory(t *testing.T, p *process) int64 {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	t.Fatalf("no VmHWM in %s", status)
	return 0
}
