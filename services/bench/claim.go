package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/whatrack/connect/services/graphsim"
)

const (
	warmUps = 3
	claims  = 21
)

// claimed is one claim, from the post of its code to the answer CONNECTED.
type claimed struct {
	whole time.Duration
	meta  time.Duration // while at least one call to Meta was under way
	// gaps are the stretches of our own time: before the first call, between calls, after the last.
	gaps []time.Duration
}

func (c claimed) own() time.Duration { return c.whole - c.meta }

// measureClaims runs claims one after the other. What is subtracted from each is the time during which Meta had a call
// of it, by Meta's own journal: the longest chain of calls, since what runs side by side counts once.
func (p *pair) measureClaims(ctx context.Context, storage string, out *table) error {
	var all []claimed
	for i := range warmUps + claims {
		c, err := p.claim(ctx, fmt.Sprintf("org-%d", i))
		if err != nil {
			return err
		}
		if i >= warmUps {
			all = append(all, c)
		}
	}
	own, meta := collect(all, claimed.own), collect(all, func(c claimed) time.Duration { return c.meta })
	out.line(fmt.Sprintf("a claim's own time, %s: median", storage), milliseconds(median(own)), "Meta "+milliseconds(median(meta)), "")
	out.line("  worst of "+fmt.Sprint(claims), milliseconds(slices.Max(own)), "", "")
	for i, name := range gapNames {
		gap := collect(all, func(c claimed) time.Duration { return c.gaps[i] })
		out.line("  "+name, milliseconds(median(gap)), "", "")
	}
	return nil
}

// gapNames are what happens between the calls of a claim, which are: exchange, inspect, find, read (two side by side),
// subscribe, prove.
var gapNames = []string{
	"post → exchange", "exchange → inspect (token stored)", "inspect → find (job started)", "find → read",
	"read → subscribe", "subscribe → prove", "prove → answer (bound)",
}

func (p *pair) claim(ctx context.Context, organization string) (claimed, error) {
	registered := graphsim.Phone{PlatformType: "CLOUD_API", Status: "CONNECTED"} // nothing follows that would disturb the next
	code := p.meta.SignUp(graphsim.SignUp{Phones: []graphsim.Phone{registered}}).Code
	start := time.Now()
	_, err := p.postCode(ctx, organization, code)
	end := time.Now()
	if err != nil {
		return claimed{}, err
	}
	c := clock(start, end, p.meta.Journal())
	if len(c.gaps) != len(gapNames) {
		return claimed{}, fmt.Errorf("a claim has %d stretches between its calls to Meta, want %d", len(c.gaps), len(gapNames))
	}
	return c, nil
}

// postCode claims by REST what a code is for, and answers the connection's id.
func (p *pair) postCode(ctx context.Context, organization, code string) (connectionID string, err error) {
	var answer struct {
		State, Reason, Message string
		Connection             struct{ ConnectionID string }
	}
	body := strings.NewReader(fmt.Sprintf(`{"code": %q}`, code))
	if err := p.rest(ctx, "claim-waba", organization, body, &answer); err != nil {
		return "", err
	}
	if answer.State != "CONNECTED" {
		return "", fmt.Errorf("a claim ended %s %s %s", answer.State, answer.Reason, answer.Message)
	}
	return answer.Connection.ConnectionID, nil
}

// rest posts a body, or gets without one.
func (p *pair) rest(ctx context.Context, path, organization string, body io.Reader, answer any) error {
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+p.restAddr+"/api/v1/whatsapp/"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+p.bearer.Reveal())
	req.Header.Set("X-Organization-Id", organization)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	return json.NewDecoder(resp.Body).Decode(answer)
}

// clock splits the time of a claim.
func clock(start, end time.Time, journal []graphsim.Request) claimed {
	c := claimed{whole: end.Sub(start)}
	free := start // since when Meta has had no call
	for _, r := range journal {
		if r.Time.Before(start) || r.Time.After(end) {
			continue
		}
		done := r.Time.Add(time.Duration(r.DurationMs * float64(time.Millisecond)))
		if done.After(end) {
			done = end
		}
		if r.Time.After(free) {
			c.gaps = append(c.gaps, r.Time.Sub(free))
		}
		if done.After(free) {
			c.meta += done.Sub(latest(free, r.Time))
			free = done
		}
	}
	c.gaps = append(c.gaps, end.Sub(free))
	return c
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func collect[T any](all []T, f func(T) time.Duration) []time.Duration {
	values := make([]time.Duration, 0, len(all))
	for _, v := range all {
		values = append(values, f(v))
	}
	return values
}

// median of an odd number of values, or the upper of the two in the middle.
func median[T int64 | float64 | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
