package broker_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/token-broker/brokertest"
)

func TestNoSecretIsFoundInTablesLogsErrorsOrDescriptions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		secrets := map[string]string{"app secret": brokertest.AppSecret}
		var heard strings.Builder
		hear := func(answers ...any) { fmt.Fprintln(&heard, answers...) }

		// A token that is extended, served, listed and replaced.
		code := b.meta.SignUp(shortLived()).Code
		hold := b.meta.AddFault(graphsim.Fault{Path: exchangePath, Params: isExtension, Hold: graphsim.Before})
		meanwhile := b.exchangeMeanwhile(t, code)
		b.held(t, exchangePath, 1)
		old := reveal(t, b.Broker, ofToken(b.onlyToken(t)))
		b.meta.Release(hold)
		token := <-meanwhile
		extended := reveal(t, b.Broker, ofToken(token.GetTokenId()))
		secrets["code"], secrets["token"], secrets["extended token"] = code, old.GetAccessToken(), extended.GetAccessToken()
		secrets["proof"] = extended.GetAppsecretProof()
		bind(t, b.Broker, token.GetTokenId(), "1")
		hear(token, b.describe(t, token.GetTokenId()), b.events(t, token.GetTokenId()))
		revoke(t, b.Broker, token.GetTokenId())

		// Refusals in which Meta repeats what it was sent, and answers of every bad kind.
		for i, echo := range []func(code string) graphsim.Fault{
			func(code string) graphsim.Fault {
				return graphsim.Fault{Error: &graphsim.FaultError{Code: 191, Message: "no: " + code + " " + brokertest.AppSecret, TraceID: code}}
			},
			func(code string) graphsim.Fault { return graphsim.Fault{HTML: graphsim.HTML("<p>" + code)} },
			func(code string) graphsim.Fault {
				return graphsim.Fault{Body: text(`{"access_token":17,"code":%q}`, code), Status: 500}
			},
			func(string) graphsim.Fault { return graphsim.Fault{Drop: graphsim.After} },
		} {
			code := b.meta.SignUp(graphsim.SignUp{}).Code
			secrets[fmt.Sprintf("code %d", i)] = code
			f := echo(code)
			f.Path = exchangePath
			b.meta.AddFault(f)
			_, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
			refusal, _ := fault.As(err)
			hear(err, refusal.Status(fault.English).Proto())
		}

		// A ciphertext that does not open, and Meta silent about a token.
		b.meta.AddFault(graphsim.Fault{Path: debugPath, Drop: graphsim.After, Times: 2})
		b.meta.AddFault(graphsim.Fault{Path: revokePath, Drop: graphsim.After})
		moved, _ := b.token(t, graphsim.SignUp{})
		eventually(t, "the token is ACTIVE", func() bool {
			return b.describe(t, moved.GetTokenId()).GetState() == tokenbrokerv1.Token_ACTIVE
		})
		revoke(t, b.Broker, moved.GetTokenId())
		moved, _ = b.token(t, graphsim.SignUp{})
		exec(t, b.db, "update tokens set version = 7 where id = '%s'", moved.GetTokenId())
		_, err := b.GetAccessToken(t.Context(), ofToken(moved.GetTokenId()))
		wantFault(t, err, errorsv1.ErrorReason_DATA_INTEGRITY)
		hear(err)

		b.Stop()
		wantNoSecret(t, secrets, "the database", dump(t, b.db))
		wantNoSecret(t, secrets, "the log", b.logs.String())
		wantNoSecret(t, secrets, "an answer", heard.String())
	})
}

func wantNoSecret(t *testing.T, secrets map[string]string, where, haystack string) {
	t.Helper()
	if len(haystack) < 100 {
		t.Errorf("%s holds %q: is it all?", where, haystack)
	}
	for name, plain := range secrets {
		for _, form := range formsOf(plain) {
			if at := strings.Index(haystack, form); at >= 0 {
				t.Errorf("%s holds the %s: …%s…", where, name, haystack[max(0, at-80):min(len(haystack), at+80)])
			}
		}
	}
}

// formsOf are the ways in which a secret may be written, base64 at each alignment in a longer text.
func formsOf(plain string) []string {
	forms := []string{
		plain, url.QueryEscape(plain), url.PathEscape(plain), hex.EncodeToString([]byte(plain)),
		strings.ToUpper(hex.EncodeToString([]byte(plain))),
	}
	for shift := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			encoded := encoding.EncodeToString(append(make([]byte, shift), plain...))
			forms = append(forms, encoded[4*min(shift, 1):len(encoded)-4])
		}
	}
	return forms
}

// dump is every row of every table, the job queue's too; bytes as they are, and as text, hex and base64 would have them.
func dump(t *testing.T, db *database.DB) string {
	t.Helper()
	tables := "select name from sqlite_master where type = 'table'"
	if db.Dialect() == database.PostgreSQL {
		tables = "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"
	}
	var out strings.Builder
	for _, name := range rows(t, db, tables) {
		fmt.Fprintf(&out, "\n== %s\n%s", name, strings.Join(rows(t, db, "select * from "+name), "\n"))
	}
	if !strings.Contains(out.String(), "== tokens") || !strings.Contains(out.String(), "== river_job") {
		t.Error("the dump lacks tables")
	}
	return out.String()
}

// rows are the rows of a query as text.
func rows(t *testing.T, db *database.DB, query string) (all []string) {
	t.Helper()
	found, err := db.SQL().QueryContext(context.WithoutCancel(t.Context()), query)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for found.Next() {
		values := make([]any, len(columns))
		targets := make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := found.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		var row []string
		for _, value := range values {
			if raw, ok := value.([]byte); ok {
				value = string(raw)
			}
			row = append(row, fmt.Sprint(value))
		}
		all = append(all, strings.Join(row, " | "))
	}
	if err := errors.Join(found.Err(), found.Close()); err != nil {
		t.Fatal(err)
	}
	return all
}
