package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// idle is how long the devstack is left alone before its memory is read.
const idle = 5 * time.Second

// measureDevstack starts the whole of it as a program: with no data yet, then once more.
func measureDevstack(ctx context.Context, dir string, out *table) error {
	program := filepath.Join(dir, "devstack")
	if _, err := output(ctx, "go", "build", "-o", program, "./services/devstack"); err != nil {
		return err
	}
	for _, name := range []string{"the first time", "again"} {
		if err := startOnce(ctx, program, filepath.Join(dir, "data"), name, out); err != nil {
			return fmt.Errorf("devstack, %s: %w", name, err)
		}
	}
	return nil
}

func startOnce(ctx context.Context, program, data, name string, out *table) (err error) {
	addresses, err := freeAddresses(ctx, 6)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, "--data", data, "--http-listen", addresses[0], "--graphsim-listen", addresses[1], //nolint:gosec // our own build
		"--grpc-listen", addresses[2], "--admin-listen", addresses[3], "--broker-grpc-listen", addresses[4],
		"--broker-admin-listen", addresses[5])
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		err = errors.Join(err, cmd.Wait())
	}()
	if err := untilReady(ctx, addresses[3], addresses[5]); err != nil {
		return err
	}
	out.line("devstack: start to ready, "+name, milliseconds(time.Since(start)), "", "")
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(idle):
	}
	if memory := resident(cmd.Process.Pid); memory != "" {
		out.line("devstack: resident memory when idle, "+name, memory, "", "")
	}
	return nil
}

// untilReady waits until both services say so.
func untilReady(ctx context.Context, admins ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for _, admin := range admins {
		for !isReady(ctx, admin) {
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s is not ready: %w", admin, ctx.Err())
			case <-time.After(2 * time.Millisecond):
			}
		}
	}
	return nil
}

func isReady(ctx context.Context, admin string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/readyz", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// resident is a process's memory, as Linux tells it; empty elsewhere.
func resident(pid int) string {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			var kilobytes int
			if _, err := fmt.Sscan(value, &kilobytes); err == nil {
				return fmt.Sprintf("%.1f MiB", float64(kilobytes)/1024)
			}
		}
	}
	return ""
}

func freeAddresses(ctx context.Context, n int) (addresses []string, err error) {
	for range n {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", loopback)
		if err != nil {
			return nil, err
		}
		defer func() { _ = listener.Close() }() // all of them at the end, so that none is given twice
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}

// output runs a command of the developer's.
func output(ctx context.Context, name string, args ...string) (string, error) {
	said, err := exec.CommandContext(ctx, name, args...).Output() //nolint:gosec // the program just built
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(said)), nil
}
