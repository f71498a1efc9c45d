package processtest

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

// inspect looks for what must not have happened, whatever the test was about.
func (w *world) inspect() {
	w.t.Helper()
	search := w.meta.search()
	for _, p := range []*process{w.broker, w.onboarding} {
		output := p.read()
		wantCleanLog(w.t, p.program, output)
		wantNoSecret(w.t, search, p.program+"'s output", output)
		wantNoSecret(w.t, search, p.program+"'s database", dump(w.t, w.databases[p.program]))
	}
	w.meta.mu.Lock()
	defer w.meta.mu.Unlock()
	for uri := range w.meta.urls {
		if !mayCarrySecrets(uri) {
			wantNoSecret(w.t, search, "a URL", uri)
		}
	}
}

func wantCleanLog(t *testing.T, program, output string) {
	t.Helper()
	for _, sign := range []string{"panic", "DATA RACE", "goroutine "} {
		if at := strings.Index(output, sign); at >= 0 {
			t.Errorf("%s: %q in its output: %s", program, sign, around(output, at))
		}
	}
	for line := range strings.Lines(output) {
		if strings.HasSuffix(line, "keyset.json\n") { // what `keyset create` says
			continue
		}
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Errorf("%s: a line of the log is no JSON object: %q", program, line)
		}
	}
}

func wantNoSecret(t *testing.T, search search, place, text string) {
	t.Helper()
	if what, at := search.in(text); what != "" {
		t.Errorf("%s holds %s: %s", place, what, around(text, at))
	}
}

// in finds the first secret in a text.
func (s search) in(text string) (what string, at int) {
	for at := 0; at+keyLength <= len(text); at++ {
		for _, n := range s[text[at:at+keyLength]] {
			if strings.HasPrefix(text[at:], n.shown) && (!n.digits || standsAlone(text, at, len(n.shown))) {
				return n.what, at
			}
		}
	}
	return "", 0
}

// standsAlone tells whether digits are a number of their own, and none that measures time.
func standsAlone(text string, at, length int) bool {
	partOf := func(s string) bool {
		return strings.ContainsAny(s, ".-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	}
	return !partOf(text[max(0, at-1):at]) && !partOf(text[at+length:min(len(text), at+length+1)]) &&
		!strings.HasSuffix(text[:at], `"duration":`)
}

// search holds what to look for, by its first bytes.
type search map[string][]needle

const keyLength = 6

type needle struct {
	shown, what string
	digits      bool
}

// search is every secret so far, in each form in which it would be given away.
func (m *meta) search() search {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := search{}
	add := func(n needle) {
		if len(n.shown) >= keyLength { // less is found anywhere, by chance
			s[n.shown[:keyLength]] = append(s[n.shown[:keyLength]], n)
		}
	}
	for secret, what := range m.secrets {
		for form, shown := range disguises(secret) {
			add(needle{shown: shown, what: what + ", " + form})
		}
	}
	for pin := range m.pins {
		for form, shown := range disguises(pin) {
			add(needle{shown: shown, what: "a PIN, " + form, digits: form == "plain"})
		}
	}
	return s
}

// disguises are the forms in which a secret would be given away. Base64 shows it in three ways, depending on what stands
// before it.
func disguises(secret string) map[string]string {
	forms := map[string]string{
		"plain": secret, "hex": hex.EncodeToString([]byte(secret)),
		"HEX": strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	if escaped := url.QueryEscape(secret); escaped != secret {
		forms["URL-encoded"] = escaped
	}
	for before := range 3 {
		shifted := strings.Repeat("x", before) + secret
		whole := shifted[:len(shifted)/3*3] // the rest depends on what follows
		from := (before*8 + 5) / 6          // so much depends on what stands before
		forms[fmt.Sprintf("base64+%d", before)] = base64.StdEncoding.EncodeToString([]byte(whole))[from:]
		forms[fmt.Sprintf("base64url+%d", before)] = base64.URLEncoding.EncodeToString([]byte(whole))[from:]
	}
	return forms
}

// dump is everything that a database holds, as text.
func dump(t *testing.T, databaseURL string) string {
	t.Helper()
	driver, source, tables := "pgx", databaseURL, "select tablename from pg_tables where schemaname = 'public'"
	if path, ok := strings.CutPrefix(databaseURL, "sqlite://"); ok {
		driver, source, tables = "sqlite", path, "select name from sqlite_master where type = 'table'"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var out strings.Builder
	names := query(t, db, tables)
	for _, name := range names {
		for _, row := range query(t, db, `select * from "`+name[0]+`"`) {
			fmt.Fprintln(&out, name[0], strings.Join(row, " | "))
		}
	}
	if len(names) < 8 {
		t.Errorf("only %d tables in a dump", len(names))
	}
	return out.String()
}

func query(t *testing.T, db *sql.DB, statement string) [][]string {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var found [][]string
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		texts := make([]string, len(values))
		for i, value := range values {
			if data, ok := value.([]byte); ok {
				value = string(data)
			}
			texts[i] = fmt.Sprint(value)
		}
		found = append(found, texts)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return found
}

func around(text string, at int) string {
	return strings.ToValidUTF8(text[max(0, at-200):min(len(text), at+200)], "?")
}

func TestAHiddenSecretIsFound(t *testing.T) {
	t.Parallel()
	m := &meta{secrets: map[string]string{"EAA/secret+token": "a token"}, pins: map[string]bool{"012345": true}}
	search := m.search()
	for _, shown := range []string{
		"EAA/secret+token", url.QueryEscape("EAA/secret+token"), hex.EncodeToString([]byte("EAA/secret+token")),
		base64.StdEncoding.EncodeToString([]byte("EAA/secret+token")), base64.RawURLEncoding.EncodeToString([]byte("x=EAA/secret+token;")),
		base64.StdEncoding.EncodeToString([]byte("a|EAA/secret+token")), `"012345"`, "012345", base64.StdEncoding.EncodeToString([]byte("012345")),
	} {
		if what, _ := search.in("before " + shown + " after"); what == "" {
			t.Errorf("%q is not found", shown)
		}
	}
	for _, harmless := range []string{"EAA/secret", "1012345", "18:05:14.012345Z", `"duration":012345,`, "a012345"} {
		if what, _ := search.in("before " + harmless + " after"); what != "" {
			t.Errorf("%q is taken for %s", harmless, what)
		}
	}
}
