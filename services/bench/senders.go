package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// sendCommand makes bench the senders of a load, in a process of its own: in that of the services they would take turns
// with them, which Meta's servers do not.
const sendCommand = "send"

const (
	// distinct is how many different bodies the senders take turns with, and wabas of how many WABAs they are.
	distinct = 512
	wabas    = 16
	warmUp   = 200 * time.Millisecond
)

// crowd is so many senders that post bodies of so many bytes, each over a connection of its own.
type crowd struct{ senders, size int }

// compare runs rounds that alternate between the targets, the first of which is ours, and prints the median of the
// ratios to each of the others. What ours leaves to be done is waited for by settle.
func (c crowd) compare(ctx context.Context, targets, names []string, settle func() error, out *table) error {
	rates, ratios := make([][]float64, len(targets)), make([][]float64, len(targets))
	for round := range webhookRounds + 1 {
		var ours float64
		for i, target := range targets {
			rate, err := c.rate(ctx, target)
			if err != nil {
				return err
			}
			if i == 0 {
				ours = rate
				if err := settle(); err != nil {
					return err
				}
			}
			if round > 0 { // the first warms up
				rates[i], ratios[i] = append(rates[i], rate), append(ratios[i], ours/rate)
			}
		}
	}
	for i := 1; i < len(targets); i++ {
		out.line(names[i-1], fmt.Sprintf("%.0f/s", median(rates[0])), fmt.Sprintf("%.0f/s", median(rates[i])), fmt.Sprintf("%.2f", median(ratios[i])))
	}
	return nil
}

// rate is how many posts a second a process with these senders gets answered.
func (c crowd) rate(ctx context.Context, target string) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, sendCommand, target, strconv.Itoa(c.senders), strconv.Itoa(c.size)) //nolint:gosec // G204: ourselves
	cmd.Stderr = os.Stderr
	printed, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(printed)), 64)
}

// send is the process of a crowd: it prints its rate.
func send(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) != 3 {
		return fmt.Errorf("%s URL SENDERS BYTES", sendCommand)
	}
	count, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: count}}
	var bodies [][]byte
	var signatures []string
	for i := range distinct {
		body := envelope(102290129340000+i%wabas, size)
		bodies, signatures = append(bodies, body), append(signatures, signed([]byte(appSecret), body))
	}
	var next atomic.Int64
	one := func() error {
		i := next.Add(1) % distinct
		return post(ctx, client, args[0], bodies[i], signatures[i])
	}
	if _, err := throughput(ctx, count, warmUp, one); err != nil {
		return err
	}
	rate, err := throughput(ctx, count, webhookRoundTime, one)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, rate)
	return err
}
