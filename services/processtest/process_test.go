package processtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is one replica of a service. Killed and started again, it has the same settings and addresses, and its output
// goes on in the same file.
type process struct {
	t       *testing.T
	folder  string // with the program
	program string
	env     []string
	output  string // a file, so that not even a killed process loses a line

	grpc, admin, http string // addresses

	cmd   *exec.Cmd
	ended chan struct{}
	told  bool // to end, by us
}

// run runs a subcommand to its end.
func (p *process) run(args ...string) {
	p.t.Helper()
	cmd, closeOutput := p.command(args...)
	defer closeOutput()
	if err := cmd.Run(); err != nil {
		p.t.Fatalf("%s %v: %v\n%s", p.program, args, err, p.read())
	}
}

func (p *process) command(args ...string) (*exec.Cmd, func()) {
	p.t.Helper()
	output, err := os.OpenFile(p.output, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.CommandContext(context.Background(), filepath.Join(p.folder, p.program), args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = p.env, output, output
	return cmd, func() { _ = output.Close() }
}

// start starts it and does not wait until it is ready.
func (p *process) start() {
	p.t.Helper()
	cmd, closeOutput := p.command()
	defer closeOutput()
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("start %s: %v", p.program, err)
	}
	p.cmd, p.ended, p.told = cmd, make(chan struct{}), false
	go func(ended chan struct{}) {
		defer close(ended)
		_ = cmd.Wait() // what it says is read from the state
	}(p.ended)
}

// ready waits until it says so itself.
func (p *process) ready() {
	p.t.Helper()
	client := &http.Client{Timeout: 3 * time.Second}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := client.Get("http://" + p.admin + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
			err = errors.New(resp.Status)
		}
		select {
		case <-p.ended:
			p.t.Fatalf("%s ended before it was ready: %s\n%s", p.program, p.cmd.ProcessState, p.read())
		default:
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s is not ready: %v\n%s", p.program, err, p.read())
		}
	}
}

// kill ends it as a power cut does.
func (p *process) kill() {
	p.t.Helper()
	p.told = true
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatalf("kill %s: %v", p.program, err)
	}
	<-p.ended
}

// stop asks it to end.
func (p *process) stop() {
	p.t.Helper()
	p.told = true
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Errorf("stop %s: %v", p.program, err)
	}
}

// stopping waits until the signal is handled: no more connections are taken.
func (p *process) stopping() {
	p.t.Helper()
	waitFor(p.t, grace, p.program+" takes connections", func() bool {
		conn, err := net.Dial("tcp", cmp.Or(p.http, p.grpc))
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
}

// accepted waits until a connection of its own is answered: those that were made before it were accepted before it.
func (p *process) accepted() {
	p.t.Helper()
	client := &http.Client{Timeout: grace, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + p.http + "/")
	if err != nil {
		p.t.Fatalf("%s does not answer: %v", p.program, err)
	}
	_ = resp.Body.Close()
}

// grace is what a process may take to stop: it lets calls finish for 30 s and jobs for 20.
const grace = 35 * time.Second

// wantStopped waits for the end after stop, which must be a clean one.
func (p *process) wantStopped() {
	p.t.Helper()
	select {
	case <-p.ended:
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			p.t.Errorf("%s ended with %s", p.program, p.cmd.ProcessState)
		}
	case <-time.After(grace):
		p.t.Errorf("%s did not stop within %s", p.program, grace)
		p.kill()
	}
}

func (p *process) runs() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *process) read() string {
	data, err := os.ReadFile(p.output)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(data)
}

// taken are the ports that this test process has given out.
var taken sync.Map

// freeAddress is an address that stays free while a process is down: below the ports that the kernel gives to outgoing
// connections, of which there are many meanwhile.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000))
		if _, given := taken.LoadOrStore(address, true); given {
			continue
		}
		if listener, err := net.Listen("tcp", address); err == nil {
			_ = listener.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}
