package main

import (
	"testing"

	"github.com/whatrack/connect/services/graphsim"
)

// TestWhatIsMeasuredIsStillThere: a claim makes the calls whose gaps are named, and a message arrives.
func TestWhatIsMeasuredIsStillThere(t *testing.T) {
	t.Parallel()
	p, err := newPair(t.Context(), t.TempDir(), sqlite)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if _, err := p.claim(t.Context(), "org-1"); err != nil {
		t.Error(err)
	}
	customer := p.meta.SignUp(graphsim.SignUp{})
	connection, err := p.postCode(t.Context(), organization, customer.Code)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.arrival(t.Context(), connection, customer); err != nil {
		t.Error(err)
	}
}
