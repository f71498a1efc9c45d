package webhook_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// blocked is a Keeper whose database does not answer until it is released.
type blocked struct {
	waiting atomic.Int64
	release chan struct{}
}

func (b *blocked) Keep([]byte) error {
	b.waiting.Add(1)
	<-b.release
	return nil
}

func TestManyLargeBodiesAtOnceAreBounded(t *testing.T) {
	t.Parallel()
	const senders, fit = 64, 3 // of 4 MiB in 14 of 16 MiB; the rest is for small ones
	k := &blocked{release: make(chan struct{})}
	server := start(t, k)
	body := bytes.Repeat([]byte("x"), 4<<20)
	header := signedBy(sign(body, appSecret))
	statuses := make(chan int, senders)
	for range fit {
		go func() { statuses <- post(t, server, body, header).StatusCode }()
	}
	eventually(t, "as many are inside as fit", func() bool { return k.waiting.Load() == fit })
	var group sync.WaitGroup
	for range senders - fit {
		group.Go(func() { statuses <- statusOf(server, body, header) })
	}
	group.Wait() // while nothing is kept, nothing more fits
	for range senders - fit {
		if status := <-statuses; status != http.StatusServiceUnavailable {
			t.Errorf("past the bound: %d", status)
		}
	}
	small := bytes.Repeat([]byte("x"), 60<<10)
	go func() { statuses <- statusOf(server, small, signedBy(sign(small, appSecret))) }()
	eventually(t, "the small one is inside too", func() bool { return k.waiting.Load() == fit+1 })
	close(k.release)
	for range fit + 1 {
		if status := <-statuses; status != http.StatusOK {
			t.Errorf("within the bound: %d", status)
		}
	}
	if status := statusOf(server, body, header); status != http.StatusOK {
		t.Errorf("after they were kept: %d", status)
	}
}

// statusOf posts over a connection of its own. A server that refuses a body it has not read may cut the connection
// before its answer is read: that is a refusal too.
func statusOf(server *httptest.Server, body []byte, header http.Header) int {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server.URL, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header = header
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return http.StatusServiceUnavailable
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestAnEndlessBodyIsCut(t *testing.T) {
	t.Parallel()
	server := start(t, &kept{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, endless{})
	if err != nil {
		t.Fatal(err)
	}
	req.Header = signedBy(sign(nil, appSecret))
	resp, err := server.Client().Do(req)
	if err != nil {
		return // cut in the middle of writing
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("answered %s", resp.Status)
	}
}

func TestAnEncodedBodyIsNotEvenRead(t *testing.T) {
	t.Parallel()
	server := start(t, &kept{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	resp := post(t, server, bytes.Repeat([]byte{0}, 3<<20), http.Header{
		"Content-Encoding": {"gzip"}, "X-Hub-Signature-256": {sign(nil, appSecret)},
	})
	runtime.ReadMemStats(&after)
	if resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("gzip: %s", resp.Status)
	}
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 32<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}
