package store

import (
	"testing"
	"time"
)

func TestARegistrationUnderWayIsNotTakenUpOnceItsConnectionOrItsNumberIsGone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		for waba, end := range map[string]func(c Connection){
			"7": func(c Connection) { // the connection ends
				b.must(b.RequestDisconnect(ctx, "org-1", c.ID, "test"))
				b.must(b.EndConnection(ctx, b.connection(c.ID)))
			},
			"8": func(c Connection) { // Meta lists the number no more
				b.must(b.RecordFindings(ctx, c, Findings{Read: &WabaFacts{Name: "Shop"}}))
			},
		} {
			_, c := b.connected("org-1", waba)
			number, err := b.FindNumber(ctx, c.ID, "1"+waba)
			b.must(err)
			begun, err := b.BeginRegistration(ctx, number, Sealed{Ciphertext: []byte("sealed"), KeyID: 1})
			b.must(err)
			end(c)
			before := b.jobs("register_phone_number")
			sweep := func() {
				b.pass(jobLife + slack)
				b.must(b.Sweep(ctx))
				if n := b.jobs("register_phone_number") - before; n != 0 {
					t.Errorf("WABA %s: enqueued %d times", waba, n)
				}
			}
			sweep()
			b.fenced(b.EndRegistration(ctx, begun, Pending, "META_UNAVAILABLE", time.Second)) // its worker comes back
			sweep()
		}
	})
}

func TestANumberKeepsWhatMetaSaidAgainstIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		_, c := b.connected("org-1", "7")
		said := func() string {
			t.Helper()
			n, err := b.FindNumber(ctx, c.ID, "17")
			b.must(err)
			return n.Metadata["metaCode"]
		}
		number, err := b.FindNumber(ctx, c.ID, "17")
		b.must(err)
		number.Said = map[string]string{"metaCode": "131042"}
		b.must(b.EndRegistration(ctx, number, RegistrationFailed, "META_REJECTED", 0))
		read := WabaFacts{PhoneNumbers: []PhoneNumber{{PhoneNumberID: "17", Registration: Pending}}}
		b.must(b.RecordFindings(ctx, c, Findings{Read: &read}))
		if got := said(); got != "131042" {
			t.Errorf("Meta said %q", got)
		}
		b.must(b.StartRegistration(ctx, c, "17", nil, "test"))
		if got := said(); got != "" {
			t.Errorf("a registration that begins anew says %q", got)
		}
	})
}
