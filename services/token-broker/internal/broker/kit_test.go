package broker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/token-broker/brokertest"
	"github.com/whatrack/connect/services/token-broker/server"
)

const (
	exchangePath = "/oauth/access_token"
	debugPath    = "/debug_token"
	revokePath   = "/oauth/revoke"
)

// The grant_type of the two calls to exchangePath.
var (
	isExchange  = map[string]string{"grant_type": "authorization_code"}
	isExtension = map[string]string{"grant_type": "fb_exchange_token"}
)

// bundle is one broker with everything around it.
type bundle struct {
	*brokertest.Broker

	meta  *graphsim.Simulator
	url   string
	db    *database.DB
	keys  *keyring.Keyring
	clock *clock
	logs  *logs
}

// each runs f on both databases, with a broker on each.
func each(t *testing.T, f func(t *testing.T, b *bundle)) {
	t.Helper()
	eachDatabase(t, func(t *testing.T, db *database.DB) { f(t, setup(t, db, server.Settings{})) })
}

// eachDatabase is databasetest.Each with a SQLite file that is migrated once: the race detector makes that slow.
func eachDatabase(t *testing.T, f func(t *testing.T, db *database.DB)) {
	t.Helper()
	for name, open := range map[string]func(testing.TB) string{"sqlite": sqliteURL, "postgres": postgresURL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, databasetest.Open(t, open(t)))
		})
	}
}

func postgresURL(t testing.TB) string { return databasetest.PostgresURL(t, server.Migrations()) }

func sqliteURL(t testing.TB) string {
	t.Helper()
	migrated.Do(func() {
		file, err := os.ReadFile(strings.TrimPrefix(databasetest.SQLiteURL(t, server.Migrations()), "sqlite://"))
		if err != nil {
			t.Fatal(err)
		}
		migratedFile = file
	})
	path := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, migratedFile, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite://" + path
}

var (
	migrated     sync.Once
	migratedFile []byte
)

// setup starts a broker, and Meta before it.
func setup(t *testing.T, db *database.DB, settings server.Settings) *bundle {
	t.Helper()
	b := &bundle{db: db, clock: &clock{}, logs: &logs{}}
	b.meta, b.url = brokertest.ServeMeta(t, graphsim.Config{})
	keys, err := keyring.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	b.keys = keys
	b.Broker = b.start(t, db, settings)
	return b
}

// start starts one more broker with the same keys, clock and Meta.
func (b *bundle) start(t *testing.T, db *database.DB, settings server.Settings) *brokertest.Broker {
	t.Helper()
	return brokertest.Start(t, db, b.url, brokertest.Options{Settings: settings, Keys: b.keys, Now: b.clock.now, Log: b.logs.logger()})
}

// onPostgres is a broker on PostgreSQL alone: for what only it can do, and where the database is not the point, since
// SQLite is slow under the race detector.
func onPostgres(t *testing.T) *bundle {
	t.Helper()
	return setup(t, databasetest.Open(t, postgresURL(t)), server.Settings{})
}

// pair is two brokers on one PostgreSQL database, each with connections of its own.
func pair(t *testing.T) (first *bundle, second *brokertest.Broker) {
	t.Helper()
	databaseURL := postgresURL(t)
	first = setup(t, databasetest.Open(t, databaseURL), server.Settings{})
	return first, first.start(t, databasetest.Open(t, databaseURL), server.Settings{})
}

// clock is the real one, moved by as much as a test says.
type clock struct {
	ahead   atomic.Int64
	stopped atomic.Pointer[time.Time]
}

func (c *clock) now() time.Time {
	now := time.Now()
	if at := c.stopped.Load(); at != nil {
		now = *at
	}
	return now.Add(time.Duration(c.ahead.Load()))
}

// stop makes it stand still, so that it is moved by the test alone.
func (c *clock) stop() {
	now := time.Now()
	c.stopped.Store(&now)
}

func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// logs keeps everything that is logged.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logs) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func exchangeOf(organization, code string) *tokenbrokerv1.ExchangeCodeRequest {
	return &tokenbrokerv1.ExchangeCodeRequest{OrganizationId: organization, Code: code, OnboardingId: "onboarding-of-" + organization}
}

// exchange spends a code of org-1.
func (b *bundle) exchange(t *testing.T, code string) *tokenbrokerv1.Token {
	t.Helper()
	resp, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
	if err != nil {
		t.Fatalf("ExchangeCode: %v\n%s", err, b.logs)
	}
	return resp.GetToken()
}

// token makes a new token of org-1 and answers the WABA that it was granted.
func (b *bundle) token(t *testing.T, spec graphsim.SignUp) (token *tokenbrokerv1.Token, waba string) {
	t.Helper()
	done := b.meta.SignUp(spec)
	return b.exchange(t, done.Code), done.WABAIDs[0]
}

func bind(t *testing.T, b *brokertest.Broker, tokenID, waba string) (replaced string) {
	t.Helper()
	resp, err := b.BindWaba(t.Context(), &tokenbrokerv1.BindWabaRequest{OrganizationId: "org-1", TokenId: tokenID, WabaId: waba})
	if err != nil {
		t.Fatalf("BindWaba: %v", err)
	}
	return resp.GetReplacedTokenId()
}

func ofWABA(waba string) *tokenbrokerv1.GetAccessTokenRequest {
	return &tokenbrokerv1.GetAccessTokenRequest{OrganizationId: "org-1", Of: &tokenbrokerv1.GetAccessTokenRequest_WabaId{WabaId: waba}}
}

func ofToken(id string) *tokenbrokerv1.GetAccessTokenRequest {
	return &tokenbrokerv1.GetAccessTokenRequest{OrganizationId: "org-1", Of: &tokenbrokerv1.GetAccessTokenRequest_TokenId{TokenId: id}}
}

// reveal gets an access token that must be there.
func reveal(t *testing.T, b *brokertest.Broker, req *tokenbrokerv1.GetAccessTokenRequest) *tokenbrokerv1.GetAccessTokenResponse {
	t.Helper()
	resp, err := b.GetAccessToken(t.Context(), req)
	if err != nil {
		t.Fatalf("GetAccessToken: %v", err)
	}
	return resp
}

// describe gets a token of org-1 that must be there.
func (b *bundle) describe(t *testing.T, id string) *tokenbrokerv1.Token {
	t.Helper()
	resp, err := b.GetToken(t.Context(), &tokenbrokerv1.GetTokenRequest{
		OrganizationId: "org-1", Of: &tokenbrokerv1.GetTokenRequest_TokenId{TokenId: id},
	})
	if err != nil {
		t.Fatalf("GetToken: %v", err)
	}
	return resp.GetToken()
}

// ofOnboarding gets the token of the onboarding that exchangeOf names.
func (b *bundle) ofOnboarding(t *testing.T, organization string) (*tokenbrokerv1.Token, error) {
	t.Helper()
	resp, err := b.GetToken(t.Context(), &tokenbrokerv1.GetTokenRequest{
		OrganizationId: organization, Of: &tokenbrokerv1.GetTokenRequest_OnboardingId{OnboardingId: "onboarding-of-" + organization},
	})
	return resp.GetToken(), err
}

// events lists what happened to a token, oldest first: type, or type/reason.
func (b *bundle) events(t *testing.T, id string) []string {
	t.Helper()
	resp, err := b.ListTokenEvents(t.Context(), &tokenbrokerv1.ListTokenEventsRequest{OrganizationId: "org-1", TokenId: id})
	if err != nil {
		t.Fatalf("ListTokenEvents: %v", err)
	}
	var types []string
	for _, e := range resp.GetEvents() {
		name := e.GetType()
		if e.GetReason() != "" {
			name += "/" + e.GetReason()
		}
		types = append([]string{name}, types...)
	}
	return types
}

// wantFault checks the reason of an error and answers the fault.
func wantFault(t *testing.T, err error, reason errorsv1.ErrorReason) *fault.Error {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Reason() != reason {
		t.Fatalf("the error is %v, want %s", err, reason)
	}
	return f
}

// exec runs SQL beside the broker.
func exec(t *testing.T, db *database.DB, format string, args ...any) {
	t.Helper()
	if _, err := db.SQL().ExecContext(context.WithoutCancel(t.Context()), fmt.Sprintf(format, args...)); err != nil {
		t.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
}

// number reads one number.
func number(t *testing.T, db *database.DB, format string, args ...any) (n int) {
	t.Helper()
	if err := db.SQL().QueryRowContext(t.Context(), fmt.Sprintf(format, args...)).Scan(&n); err != nil {
		t.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
	return n
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so after a while: %s", what)
		}
	}
}

// lock locks a table of PostgreSQL from a second session, until the answered function is called.
func lock(t *testing.T, db *database.DB, table string) (unlock func()) {
	t.Helper()
	tx, err := db.SQL().BeginTx(context.WithoutCancel(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "lock table "+table+" in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	unlock = sync.OnceFunc(func() { _ = tx.Rollback() })
	t.Cleanup(unlock)
	return unlock
}

// awaitLock waits until a session of the test's PostgreSQL database waits for what another has locked.
func awaitLock(t *testing.T, db *database.DB) {
	t.Helper()
	const waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
	eventually(t, "somebody waits for the lock", func() bool { return number(t, db, waiting) > 0 })
}

// held waits until Meta holds so many requests to a path.
func (b *bundle) held(t *testing.T, path string, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("Meta holds %d requests to %s", n, path), func() bool {
		count := 0
		for _, r := range b.meta.Journal() {
			if r.State == graphsim.StateHeld && r.Path == "/v25.0"+path {
				count++
			}
		}
		return count == n
	})
}

// count tells how often a call with these parameters reached Meta.
func (b *bundle) count(params map[string]string) int {
	n := 0
	for _, r := range b.meta.Journal() {
		if r.Path == "/v25.0"+exchangePath && r.Parameters["grant_type"] == params["grant_type"] {
			n++
		}
	}
	return n
}

// atOnce runs f so many times at once.
func atOnce(n int, f func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { f(i) })
	}
	group.Wait()
}

func text(format string, args ...any) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(format, args...))
}
