package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	webhookRounds    = 7
	webhookRoundTime = time.Second
	small            = 2 << 10
	large            = 20 << 10
)

// measureIntake posts signed webhooks to us and to the two baselines: one commits a row for each body before it answers,
// the other keeps nothing. Splitting is held meanwhile, since the baselines do none; then it is measured by itself, and
// intake beside it.
func (p *pair) measureIntake(ctx context.Context, out *table) error {
	release, err := p.holdSplitting(ctx)
	if err != nil {
		return err
	}
	rows, err := p.receivedRows(ctx)
	if err != nil {
		return err
	}
	committing, err := p.serveReceiver(ctx, &receiver{key: []byte(appSecret), rows: rows})
	if err != nil {
		return err
	}
	checking, err := p.serveReceiver(ctx, &receiver{key: []byte(appSecret)})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		crowd
		checking bool
	}{{crowd{1, small}, true}, {crowd{16, small}, true}, {crowd{64, small}, true}, {crowd{256, small}, true}, {crowd{16, large}, false}} {
		name := fmt.Sprintf("webhook intake, %d KB, senders: %d", c.size>>10, c.senders)
		targets := []string{p.hookURL(), committing}
		names := []string{name + ", a commit each", "  the HMAC alone"}
		if c.checking {
			targets = append(targets, checking)
		}
		if err := c.compare(ctx, targets, names, func() error { return nil }, out); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	split, err := p.measureSplit(ctx, release, out)
	if err != nil {
		return err
	}
	for _, senders := range []int{1, 16, 64, 256} {
		name := fmt.Sprintf("the same while splitting, senders: %d, a commit each", senders)
		err := crowd{senders, small}.compare(ctx, []string{p.hookURL(), committing}, []string{name}, split, out)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (p *pair) hookURL() string { return "http://" + p.restAddr + "/api/v1/whatsapp/webhook" }

// holdSplitting keeps deliveries from being split until release: what a change would be written to is locked.
func (p *pair) holdSplitting(ctx context.Context) (release func() error, err error) {
	db, err := sql.Open("pgx", p.databases["waba-onboarding"])
	if err != nil {
		return nil, err
	}
	p.closers = append(p.closers, func() { _ = db.Close() })
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	p.closers = append(p.closers, func() { _ = tx.Rollback() }) // if it was not released
	_, err = tx.ExecContext(ctx, "lock table changes in access exclusive mode")
	return tx.Rollback, err
}

// measureSplit lets splitting go on with what intake left, and prints how many deliveries a second become rows. It
// answers how to wait until all are.
func (p *pair) measureSplit(ctx context.Context, release func() error, out *table) (split func() error, err error) {
	db, err := sql.Open("pgx", p.databases["waba-onboarding"])
	if err != nil {
		return nil, err
	}
	p.closers = append(p.closers, func() { _ = db.Close() })
	count := func(table string) (n int, err error) {
		return n, db.QueryRowContext(ctx, "select count(*) from "+table).Scan(&n)
	}
	if err := release(); err != nil {
		return nil, err
	}
	before, err := count("deliveries")
	if err != nil {
		return nil, err
	}
	start := time.Now()
	time.Sleep(5 * time.Second)
	after, err := count("deliveries")
	if err != nil {
		return nil, err
	}
	out.line("deliveries split, of a backlog", fmt.Sprintf("%.0f/s", float64(after-before)/time.Since(start).Seconds()), "", "")
	if _, err := db.ExecContext(ctx, "truncate batches, deliveries"); err != nil { // what follows waits for nothing
		return nil, err
	}
	return func() error {
		for {
			if left, err := count("batches"); left == 0 || err != nil {
				return err
			}
			time.Sleep(50 * time.Millisecond)
		}
	}, nil
}

// envelope is a POST of Meta's of so many bytes: messages of a number of a WABA that nobody claimed.
func envelope(waba, size int) []byte {
	head := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"%d","time":1739321024,"changes":[{"field":"messages",`+
		`"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"messages":[`, waba)
	const tail = `]}}]}]}`
	var b strings.Builder
	b.WriteString(head)
	for more := ""; ; more = "," {
		message := more + fmt.Sprintf(`{"from":"5511%08d","id":"wamid.HBgN%s","timestamp":"1739321024","type":"text","text":{"body":"Oi! %s"}}`,
			len(rand.Text()), rand.Text()+rand.Text(), rand.Text())
		if b.Len()+len(message)+len(tail) > size {
			break
		}
		b.WriteString(message)
	}
	b.WriteString(strings.Repeat(" ", size-b.Len()-len(tail)))
	b.WriteString(tail)
	return []byte(b.String())
}

// post wants 200. It is not bound to the end of a round: what was sent is answered.
func post(ctx context.Context, client *http.Client, target string, body []byte, signature string) error {
	req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, target, bytes.NewReader(body)) //nolint:gosec // G704: the URL that bench gave its senders
	if err != nil {
		return err
	}
	req.Header.Set(signatureHeader, signature)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req) //nolint:gosec // G704
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("a webhook was answered %s", resp.Status)
	}
	return nil
}
