package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const startTimeout = time.Minute

var settings = []string{
	"max_connections=300",
	"listen_addresses=127.0.0.1", "unix_socket_directories=",
	"lc_messages=C",
}

// forgetful makes the server fast: it lives as long as one run of the tests.
var forgetful = []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off"}

// A cluster is a running server with its data, in a folder that dies with it.
type cluster struct {
	url     string
	dir     string
	process *os.Process
	exited  <-chan struct{}
}

// start makes a cluster in dir and waits until it takes connections.
func (s server) start(ctx context.Context, dir string) (*cluster, error) {
	// Other users of this machine reach the port too, and the superuser can run programs: so there is a password.
	password := rand.Text()
	if err := s.initialize(ctx, dir, password); err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		port, err := freePort(ctx)
		if err != nil {
			return nil, err
		}
		address := url.URL{
			Scheme: "postgres", User: url.UserPassword("postgres", password),
			Host: net.JoinHostPort("127.0.0.1", port), Path: "/postgres", RawQuery: "sslmode=disable",
		}
		c, err := s.launch(dir, port)
		if err != nil {
			return nil, err
		}
		c.url = address.String()
		if err = c.waitReady(ctx); err == nil {
			return c, nil
		}
		c.kill()
		// Somebody may have taken the port between our asking and the server's binding.
		if attempt == 3 || ctx.Err() != nil {
			return nil, err
		}
	}
}

func (s server) initialize(ctx context.Context, dir, password string) error {
	passwordFile := filepath.Join(dir, "password")
	if err := os.WriteFile(passwordFile, []byte(password), 0o600); err != nil {
		return err
	}
	if err := s.account.own(passwordFile); err != nil {
		return err
	}
	args := []string{
		"--pgdata", filepath.Join(dir, "data"), "--username=postgres", "--pwfile", passwordFile,
		"--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync",
	}
	if s.major() >= 16 {
		// Tests connect often, and nobody has the time to guess a random password.
		args = append(args, "--set=scram_iterations=1")
	}
	if out, err := s.account.command(ctx, dir, filepath.Join(s.bin, "initdb"), args...).CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func (s server) launch(dir, port string) (*cluster, error) {
	args := []string{"-D", filepath.Join(dir, "data"), "-p", port}
	set := settings
	if !s.durable {
		set = append(slices.Clone(set), forgetful...)
	}
	for _, setting := range set {
		args = append(args, "-c", setting)
	}
	// Not bound to the context: it serves until the tests have ended, however they end.
	cmd := s.account.command(context.Background(), dir, filepath.Join(s.bin, "postgres"), args...)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	// In a group of its own, out of reach of the terminal's Ctrl-C, which the tests outlive for a moment.
	cmd.SysProcAttr.Setpgid = true
	dieWithParent(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &cluster{dir: dir, process: cmd.Process, exited: waitFor(cmd)}, nil
}

func waitFor(cmd *exec.Cmd) <-chan struct{} {
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // how it ended stands in its log
	}()
	return exited
}

// waitReady reads what pg_ctl reads: the last line of postmaster.pid is the server's state.
func (c *cluster) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("not ready within %s", startTimeout))
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		state, _ := os.ReadFile(filepath.Join(c.dir, "data", "postmaster.pid")) // absent at first
		lines := strings.Split(string(state), "\n")
		// A file of another attempt names another process.
		if lines[0] == strconv.Itoa(c.process.Pid) && len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready" {
			return nil
		}
		select {
		case <-tick.C:
		case <-c.exited:
			return fmt.Errorf("PostgreSQL did not start:\n%s", c.log())
		case <-ctx.Done():
			return fmt.Errorf("start PostgreSQL: %w\n%s", context.Cause(ctx), c.log())
		}
	}
}

// stop takes the server down and removes everything it left.
func (c *cluster) stop() {
	select {
	case <-c.exited:
		say("PostgreSQL ended before the tests did:\n%s", c.log())
	default:
		c.kill()
	}
	if err := os.RemoveAll(c.dir); err != nil {
		say("remove the test cluster: %v", err)
	}
}

// kill stops the server without saving anything: there is nobody to read it. It fails only when the server is gone.
func (c *cluster) kill() {
	_ = c.process.Signal(syscall.SIGQUIT)
	select {
	case <-c.exited:
	case <-time.After(10 * time.Second):
		_ = c.process.Kill()
		<-c.exited
	}
}

func (c *cluster) log() string {
	const tail = 4000
	text, err := os.ReadFile(filepath.Join(c.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-tail):])
}

func freePort(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return "", err
	}
	return port, listener.Close()
}
