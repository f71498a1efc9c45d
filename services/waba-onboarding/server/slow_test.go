package server_test

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/whatrack/connect/services/token-broker/brokertest"
)

// slowSender posts a body that is long and signed as Meta's, a byte at a time.
type slowSender struct {
	conn   net.Conn
	status string // of its answer; empty: cut without one
	lasted time.Duration
}

// beginSlow sends all that comes before the body.
func (b *bundle) beginSlow(length int, signature string) *slowSender {
	b.t.Helper()
	address := strings.TrimPrefix(b.rest, "http://")
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(b.t.Context(), "tcp", address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST /api/v1/whatsapp/webhook HTTP/1.1\r\nHost: %s\r\nX-Hub-Signature-256: sha256=%s\r\nContent-Length: %d\r\n\r\n",
		address, signature, length)
	if err != nil {
		b.t.Fatal(err)
	}
	return &slowSender{conn: conn}
}

// trickle sends a byte now and then until it is stopped, at most for as long as patience.
func (s *slowSender) trickle(patience time.Duration) (stopped bool) {
	began := time.Now()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if resp, err := http.ReadResponse(bufio.NewReader(s.conn), nil); err == nil {
			s.status = resp.Status
			_ = resp.Body.Close()
		}
		s.lasted = time.Since(began)
	}()
	defer func() { _ = s.conn.Close(); <-ended }()
	for time.Since(began) < patience {
		select {
		case <-ended:
			return true
		case <-time.After(500 * time.Millisecond):
			_, _ = io.WriteString(s.conn, "x") // where it fails, the answer was missed or there is none: the reader ends
		}
	}
	return false
}

// It runs alone: it is about how long others wait.
func TestSlowSendersDisturbNobodyAndLeaveNothing(t *testing.T) {
	const slow, honest = 500, 100
	b := setupOne(t)
	body := bytes.Repeat([]byte("x"), 3_000_000)
	mac := hmac.New(sha256.New, []byte(brokertest.AppSecret))
	mac.Write(body)
	signature := hex.EncodeToString(mac.Sum(nil))
	senders := make([]*slowSender, slow)
	for i := range senders {
		senders[i] = b.beginSlow(len(body), signature)
	}
	var group sync.WaitGroup
	var ended, unstopped atomic.Int64
	for _, s := range senders {
		group.Go(func() {
			if !s.trickle(time.Minute) {
				unstopped.Add(1)
			}
			ended.Add(1)
		})
	}

	took := make([]time.Duration, 0, honest)
	for i := range honest {
		began := time.Now()
		if status := b.deliver(fmt.Sprintf(`{"number":%d}`, i)); status != http.StatusOK {
			t.Errorf("beside slow senders: %d", status)
		}
		took = append(took, time.Since(began))
	}
	if n := ended.Load(); n > 0 {
		t.Errorf("%d slow senders ended before the others were answered", n)
	}
	slices.Sort(took)
	p99 := took[honest*99/100-1]
	t.Logf("beside %d slow senders: p50 %s, p99 %s", slow, took[honest/2], p99)

	group.Wait()
	statuses, longest := map[string]int{}, time.Duration(0)
	for _, s := range senders {
		statuses[s.status]++
		longest = max(longest, s.lasted)
	}
	t.Logf("the slow ones were answered %v, the last after %s", statuses, longest)
	if p99 > longest/3 { // whoever waits for a slow one waits for as long as that one lasts
		t.Errorf("beside slow senders p99 is %s", p99)
	}
	if unstopped.Load() > 0 || statuses[""]+statuses["408 Request Timeout"] != slow {
		t.Errorf("%d were not stopped; answers: %v", unstopped.Load(), statuses)
	}
	if got := b.delivered(honest); len(got) != honest {
		t.Errorf("%d deliveries, want %d", len(got), honest)
	}
}
