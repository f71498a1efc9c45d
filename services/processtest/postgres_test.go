package processtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// postgres is a PostgreSQL of one test's own, which it may stop and start. Its commits are as durable as in production.
type postgres struct {
	t        *testing.T
	bin, dir string
	address  string
	password string
	nobody   *syscall.Credential // PostgreSQL does not run as root; nil: we are somebody else

	cmd *exec.Cmd
}

// newPostgres makes a server and starts it.
func newPostgres(t *testing.T) *postgres {
	t.Helper()
	p := &postgres{t: t, bin: os.Getenv("TEST_POSTGRES_BIN"), address: freeAddress(t), password: rand.Text()}
	if p.bin == "" {
		t.Fatal("TEST_POSTGRES_BIN is not set: `make test` sets it unless TEST_DATABASE_URL is given; it names the folder of initdb and postgres")
	}
	var err error
	if p.dir, err = os.MkdirTemp("", "processtest-postgres-"); err != nil { // t.TempDir is closed to nobody
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(p.dir) })
	passwordFile := filepath.Join(p.dir, "password")
	if err := os.WriteFile(passwordFile, []byte(p.password), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		p.nobody = nobody(t)
		for _, path := range []string{p.dir, passwordFile} {
			if err := os.Chown(path, int(p.nobody.Uid), int(p.nobody.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	initdb := p.command("initdb", "--pgdata", filepath.Join(p.dir, "data"), "--username=postgres", "--pwfile", passwordFile,
		"--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	p.start()
	t.Cleanup(p.stop)
	return p
}

func nobody(t *testing.T) *syscall.Credential {
	t.Helper()
	account, err := user.Lookup("nobody")
	if err != nil {
		t.Fatalf("PostgreSQL does not run as root: %v", err)
	}
	uid, errUID := strconv.ParseUint(account.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(account.Gid, 10, 32)
	if errUID != nil || errGID != nil {
		t.Fatalf("nobody is %s:%s", account.Uid, account.Gid)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (p *postgres) command(program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), filepath.Join(p.bin, program), args...)
	cmd.Dir = p.dir
	cmd.Env = []string{"LC_ALL=C", "HOME=" + p.dir, "PATH=/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.nobody}
	return cmd
}

// start starts the server and waits until it answers.
func (p *postgres) start() {
	p.t.Helper()
	host, port, _ := net.SplitHostPort(p.address)
	p.cmd = p.command("postgres", "-D", filepath.Join(p.dir, "data"), "-p", port,
		"-c", "listen_addresses="+host, "-c", "unix_socket_directories=", "-c", "lc_messages=C")
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	db, err := sql.Open("pgx", p.url("postgres"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	waitFor(p.t, time.Minute, "PostgreSQL does not answer", func() bool { return db.PingContext(p.t.Context()) == nil })
}

// stop ends the server as a crash does: nothing is saved, and every connection is cut.
func (p *postgres) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	_ = p.cmd.Wait() // how it ended stands in its log
}

func (p *postgres) url(name string) string {
	return fmt.Sprintf("postgres://postgres:%s@%s/%s?sslmode=disable", p.password, p.address, name)
}

// create makes an empty database and answers its URL.
func (p *postgres) create(name string) string {
	p.t.Helper()
	name = strings.ReplaceAll(name, "-", "_")
	db, err := sql.Open("pgx", p.url("postgres"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(p.t.Context(), "create database "+name); err != nil {
		p.t.Fatal(err)
	}
	return p.url(name)
}
