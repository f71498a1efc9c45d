package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whatrack/connect/services/graphsim"
)

// TestTheReceiverOfTheGuideReceives runs the receiver of docs/integrate.md as a destination.
func TestTheReceiverOfTheGuideReceives(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	_, blocks := parseMarkdown(t, readDocument(t, "docs/integrate.md"))
	for _, b := range blocks {
		if b.language == "js" {
			writeNamed(t, folder, b)
		}
	}
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	receiver := exec.CommandContext(t.Context(), "node", filepath.Join(folder, "receiver.mjs"))
	receiver.Env = append(os.Environ(), "PORT=0", "DESTINATION_SECRET="+secret)
	receiver.Stderr = t.Output()
	out, err := receiver.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = receiver.Process.Kill()
		_ = receiver.Wait()
	}()
	lines := bufio.NewScanner(out)
	lines.Scan()
	port, ok := strings.CutPrefix(lines.Text(), "listens on port ")
	if !ok {
		t.Fatalf("the receiver says %q", lines.Text())
	}
	url := "http://127.0.0.1:" + port
	if resp, err := http.Post(url, "application/json", strings.NewReader(`{"type": "forged"}`)); err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Fatalf("a forged event is answered %v, %v", resp, err)
	}

	k := startStack(t, filepath.Join(folder, "data"))
	var customer graphsim.SignedUp
	k.call(t, "http://"+k.meta.Addr()+"/_sim/signups", `{}`, &customer)
	k.call(t, k.api("claim-waba"), fmt.Sprintf(`{"code": %q}`, customer.Code), &struct{}{})
	k.call(t, k.api("destinations"), fmt.Sprintf(`{"kind": "EVENTS", "url": %q, "secret": %q, "eventTypes": ["change.messages"]}`, url, secret), &struct{}{})
	message := fmt.Sprintf(`{"phoneNumberId": %q, "from": "5511987654321", "text": "oi"}`, customer.PhoneNumberIDs[0])
	k.call(t, "http://"+k.meta.Addr()+"/_sim/messages", message, &struct{}{})
	if lines.Scan(); !strings.HasPrefix(lines.Text(), "change.messages {") {
		t.Errorf("the receiver says %q", lines.Text())
	}
}
