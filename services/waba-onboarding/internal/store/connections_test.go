package store

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
)

func TestStateFollowsFromFactsAlone(t *testing.T) {
	t.Parallel()
	now := time.Now()
	number := func(r Registration) []PhoneNumber { return []PhoneNumber{{Registration: r}} }
	for name, c := range map[string]struct {
		facts   Connection
		state   ConnectionState
		reasons []string
	}{
		"all well":               {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: number(Registered)}, ConnectionConnected, []string{}},
		"registration under way": {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: number(Pending)}, ConnectionConnected, []string{}},
		"no number":              {Connection{TokenState: "ACTIVE", SubscriptionProven: true}, ConnectionAttention, []string{"NO_PHONE_NUMBER"}},
		"in review":              {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: number(WaitingForMeta)}, ConnectionAttention, []string{"DISPLAY_NAME_IN_REVIEW"}},
		"a PIN is asked for":     {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: number(PINRequired)}, ConnectionAttention, []string{"PIN_REQUIRED"}},
		"registration failed":    {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: append(number(RegistrationFailed), number(RegistrationFailed)...)}, ConnectionAttention, []string{"REGISTRATION_FAILED"}},
		"not subscribed":         {Connection{TokenState: "ACTIVE", PhoneNumbers: number(NotNeeded)}, ConnectionAttention, []string{"WEBHOOK_SUBSCRIPTION_FAILED"}},
		"token invalid":          {Connection{TokenState: "INVALID", SubscriptionProven: true, PhoneNumbers: number(NotNeeded)}, ConnectionReconnectRequired, []string{"TOKEN_INVALID"}},
		"token expired":          {Connection{TokenState: "EXPIRED", SubscriptionProven: true, PhoneNumbers: number(NotNeeded)}, ConnectionReconnectRequired, []string{"TOKEN_EXPIRED"}},
		"token's time is over":   {Connection{TokenState: "ACTIVE", TokenExpireTime: &now, SubscriptionProven: true, PhoneNumbers: number(NotNeeded)}, ConnectionReconnectRequired, []string{"TOKEN_EXPIRED"}},
		"said twice":             {Connection{TokenState: "REVOKED", AccessReason: "TOKEN_INVALID", SubscriptionProven: true, PhoneNumbers: number(NotNeeded)}, ConnectionReconnectRequired, []string{"TOKEN_INVALID"}},
		"no longer shared":       {Connection{TokenState: "ACTIVE", AccessReason: "WABA_NOT_SHARED"}, ConnectionReconnectRequired, []string{"WABA_NOT_SHARED", "WEBHOOK_SUBSCRIPTION_FAILED", "NO_PHONE_NUMBER"}},
		"being disconnected":     {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: number(NotNeeded), DisconnectTime: &now}, ConnectionAttention, []string{"DISCONNECTING"}},
		"disabled":               {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: number(Registered), Account: Account{MatterBan: {Reason: "ACCOUNT_DISABLED"}}}, ConnectionAttention, []string{"ACCOUNT_DISABLED"}},
		"restricted no more":     {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: number(Registered), Account: Account{MatterRestriction: {Reason: "ACCOUNT_RESTRICTED", Until: &now}}}, ConnectionConnected, []string{}},
		"flagged":                {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: []PhoneNumber{{Registration: Registered, Status: "FLAGGED"}}}, ConnectionAttention, []string{"PHONE_NUMBER_UNHEALTHY"}},
		"may not send":           {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: []PhoneNumber{{Registration: Registered, CanSendMessage: "BLOCKED"}}}, ConnectionAttention, []string{"SENDING_BLOCKED"}},
		"may send a little":      {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: []PhoneNumber{{Registration: Registered, CanSendMessage: "LIMITED"}}}, ConnectionConnected, []string{}},
		"deleted":                {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: []PhoneNumber{{Registration: Registered, Status: "DELETED"}}}, ConnectionAttention, []string{"PHONE_NUMBER_UNHEALTHY"}},
		"no word of the API's":   {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: []PhoneNumber{{Registration: Registered, Status: "OFFLINE"}}}, ConnectionConnected, []string{}},
		"not verified":           {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: []PhoneNumber{{PlatformType: "NOT_APPLICABLE", Verification: "NOT_VERIFIED"}}}, ConnectionAttention, []string{"PHONE_NUMBER_NOT_VERIFIED"}},
		"verified long ago":      {Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: []PhoneNumber{{PlatformType: "CLOUD_API", Verification: "EXPIRED"}}}, ConnectionConnected, []string{}},
		"given up":               {Connection{State: ConnectionDisconnected, Reasons: []string{"WABA_NOT_SHARED"}}, ConnectionDisconnected, []string{"WABA_NOT_SHARED"}},
		"being claimed":          {Connection{State: ConnectionClaiming, Reasons: []string{}}, ConnectionClaiming, []string{}},
	} {
		c.facts.LastEventTime = &now
		state, reasons := c.facts.assess(now)
		if state != c.state || !slices.Equal(reasons, c.reasons) {
			t.Errorf("%s: %s %v, want %s %v", name, state, reasons, c.state, c.reasons)
		}
	}
}

func TestThatNoEventCameYetIsSaidOfWhatWorksAlone(t *testing.T) {
	t.Parallel()
	c := Connection{TokenState: "ACTIVE", SubscriptionProven: true, PhoneNumbers: []PhoneNumber{{Registration: Registered}}}
	said := func() []string { _, reasons := c.assess(time.Now()); return reasons }
	if got := said(); !slices.Equal(got, []string{"NO_EVENT_YET"}) {
		t.Errorf("a new connection says %v", got)
	}
	c.AccessReason = "TOKEN_INVALID"
	if got := said(); !slices.Equal(got, []string{"TOKEN_INVALID"}) {
		t.Errorf("a dead one says %v", got)
	}
}

func TestATokenWhoseTimeIsOverEndsItsConnection(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, c := b.connected("org-1", "7")
		end := b.now().Add(time.Hour).UTC()
		b.must(b.RecordFindings(t.Context(), c, Findings{Token: &TokenFacts{State: "ACTIVE", ExpireTime: &end}}))
		b.must(b.Sweep(t.Context()))
		if c = b.connection(c.ID); c.State == ConnectionReconnectRequired {
			t.Fatalf("before its time: %s %v", c.State, c.Reasons)
		}
		b.pass(time.Hour)
		b.must(b.Sweep(t.Context()))
		if c = b.connection(c.ID); c.State != ConnectionReconnectRequired || c.Reasons[0] != "TOKEN_EXPIRED" || c.ReassessTime != nil {
			t.Errorf("after it: %s %v, looked at again %v", c.State, c.Reasons, c.ReassessTime)
		}
	})
}

func TestADisconnectionIsOneEvent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, c := b.connected("org-1", "7")
		_, before, err := b.StreamBounds(t.Context())
		b.must(err)
		b.must(b.RequestDisconnect(t.Context(), "org-1", c.ID, "test"))
		if c = b.connection(c.ID); c.State != ConnectionAttention {
			t.Errorf("meanwhile it is %s %v", c.State, c.Reasons)
		}
		b.must(b.EndConnection(t.Context(), c))
		var types []string
		b.must(b.db.Read(t.Context(), func(tx *gorm.DB) error {
			return tx.Model(&Event{}).Where("position > ?", before).Order("position").Pluck("type", &types).Error
		}))
		if !slices.Equal(types, []string{"connection.disconnected"}) {
			t.Errorf("the events are %v", types)
		}
	})
}

func TestOldNewsIsNotWritten(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		_, old := b.connected("org-1", "7")
		_, fresh := b.connected("org-1", "7") // a reconnection, while somebody checks the old token
		dead := "TOKEN_INVALID"
		check := Findings{Token: &TokenFacts{State: "SUPERSEDED"}, AccessReason: &dead, Activity: "CHECKED"}
		b.must(b.RecordFindings(ctx, old, check))
		if diff := cmp.Diff(fresh, b.connection(fresh.ID)); diff != "" {
			t.Errorf("old news changed the connection (-want +got):\n%s", diff)
		}
		b.must(b.RecordFindings(ctx, fresh, check))
		if now := b.connection(fresh.ID); now.State != ConnectionReconnectRequired {
			t.Errorf("news did not: %s", now.State)
		}
	})
}

func TestAReconnectionChangesNothingBeforeItIsBound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, before := b.connected("org-1", "7")
		again := b.at(b.claiming("org-1"), "7", StepRead)
		facts := WabaFacts{Name: "Renamed", PhoneNumbers: []PhoneNumber{{PhoneNumberID: "20", Registration: NotNeeded}}}
		b.must(b.FinishStep(t.Context(), &again, Progress{Read: &facts}, true))
		if diff := cmp.Diff(before, b.connection(before.ID)); diff != "" {
			t.Errorf("before bind (-want +got):\n%s", diff)
		}
		again, err := b.LoadClaim(t.Context(), again.ID) // as after a crash
		b.must(err)
		b.at(again, "7", "the end")
		after := b.connection(before.ID)
		if after.Name != "Renamed" || len(after.PhoneNumbers) != 1 || after.PhoneNumbers[0].PhoneNumberID != "20" || after.TokenID != again.TokenID {
			t.Errorf("after bind: %v", after)
		}
		if o := b.onboarding(again.ID); o.Facts != nil {
			t.Errorf("what was read stayed: %v", o.Facts)
		}
	})
}

// told applies what Meta says of the number of a WABA of one number.
func (b *bundle) told(c Connection, at time.Time, fact NumberFact) PhoneNumber {
	b.t.Helper()
	change := Change{EntryTime: &at}
	b.must(b.inTx(b.t.Context(), func(tx *gorm.DB) error { return b.applyNews(tx, c, change, Effect{Number: &fact}) }))
	return b.connection(c.ID).PhoneNumbers[0]
}

func TestWhatAClaimReadDoesNotUndoWhatWasToldSince(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, before := b.connected("org-1", "7")
		again := b.at(b.claiming("org-1"), "7", StepRead)
		read := b.now().Truncate(time.Second)
		facts := WabaFacts{PhoneNumbers: []PhoneNumber{{
			PhoneNumberID: "17", Registration: NotNeeded, Status: "CONNECTED", VerifiedName: "Shop", QualityRating: "GREEN",
			QualityTime: &read, NameTime: &read,
		}}}
		b.must(b.FinishStep(t.Context(), &again, Progress{Read: &facts}, true))
		b.told(before, read.Add(time.Minute), NumberFact{Status: ptr("FLAGGED"), Event: "NUMBER_QUALITY_FLAGGED"})
		again, err := b.LoadClaim(t.Context(), again.ID)
		b.must(err)
		b.at(again, "7", "the end")
		if n := b.connection(before.ID).PhoneNumbers[0]; n.Status != "FLAGGED" || n.VerifiedName != "Shop" || n.QualityRating != "GREEN" {
			t.Errorf("after bind: %+v", n)
		}
	})
}

func TestAnApprovalThatComesLateStillWakesARegistration(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, c := b.connected("org-1", "7")
		n, err := b.FindNumber(t.Context(), c.ID, "17")
		b.must(err)
		n, err = b.BeginRegistration(t.Context(), n, Sealed{Ciphertext: []byte("pin"), KeyID: 1})
		b.must(err)
		b.must(b.EndRegistration(t.Context(), n, WaitingForMeta, "DISPLAY_NAME_IN_REVIEW", time.Hour))
		read := b.now().Add(time.Hour)
		b.must(b.RecordFindings(t.Context(), c, Findings{Read: &WabaFacts{PhoneNumbers: []PhoneNumber{{
			PhoneNumberID: "17", Registration: Pending, VerifiedName: "Shop", NameStatus: "APPROVED", QualityTime: &read, NameTime: &read,
		}}}}))
		approved := NumberFact{NameStatus: ptr("APPROVED"), VerifiedName: ptr("Old"), Named: true, Approved: true, Event: "NUMBER_NAME_APPROVED"}
		if n := b.told(c, read.Add(-time.Minute), approved); n.Registration != Pending || n.VerifiedName != "Shop" {
			t.Errorf("the number is %+v", n)
		}
	})
}

func TestAnOldAttemptToRegisterHasNothingToSay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		_, c := b.connected("org-1", "7")
		begin := func(pin string) PhoneNumber {
			n, err := b.FindNumber(ctx, c.ID, "17")
			b.must(err)
			n, err = b.BeginRegistration(ctx, n, Sealed{Ciphertext: []byte(pin), KeyID: 1})
			b.must(err)
			return n
		}
		slow := begin("first")
		b.must(b.StartRegistration(ctx, c, "17", &Sealed{Ciphertext: []byte("given"), KeyID: 1}, "test"))
		b.fenced(b.EndRegistration(ctx, slow, PINRequired, "PIN_REQUIRED", 0))
		fast := begin("never used")
		if string(slow.PIN) != "first" || string(fast.PIN) != "given" || slow.Attempts != fast.Attempts {
			t.Errorf("PINs %q and %q, attempts %d and %d", slow.PIN, fast.PIN, slow.Attempts, fast.Attempts)
		}
		b.must(b.EndRegistration(ctx, fast, Registered, "", 0))
		b.fenced(b.EndRegistration(ctx, slow, PINRequired, "PIN_REQUIRED", 0))
		if n, err := b.FindNumber(ctx, c.ID, "17"); err != nil || n.Registration != Registered {
			t.Errorf("%v %v", n, err)
		}
	})
}

func TestANumberThatMetaForgotKeepsItsPIN(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		_, c := b.connected("org-1", "7")
		n, err := b.FindNumber(ctx, c.ID, "17")
		b.must(err)
		n, err = b.BeginRegistration(ctx, n, Sealed{Ciphertext: []byte("pin"), KeyID: 1})
		b.must(err)
		check := func(numbers ...PhoneNumber) Connection {
			b.must(b.RecordFindings(ctx, c, Findings{Read: &WabaFacts{PhoneNumbers: numbers}}))
			return b.connection(c.ID)
		}
		if gone := check(); len(gone.PhoneNumbers) != 0 || gone.State != ConnectionAttention {
			t.Errorf("gone: %v", gone)
		}
		back := check(PhoneNumber{PhoneNumberID: "17", Registration: NotNeeded, PlatformType: "CLOUD_API"})
		if len(back.PhoneNumbers) != 1 || string(back.PhoneNumbers[0].PIN) != "pin" || back.PhoneNumbers[0].Registration != Registered {
			t.Errorf("back: %v", back)
		}
		b.fenced(b.EndRegistration(ctx, n, RegistrationFailed, "META_UNAVAILABLE", 0))
	})
}

func TestRowsOfAnotherOrganizationAreNotFound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		o, c := b.connected("org-1", "7")
		_, missing := b.FindConnection(ctx, "org-2", uuid.New())
		for name, ask := range map[string]func(string) error{
			"onboarding": func(as string) error { _, err := b.FindOnboarding(ctx, as, o.ID); return err },
			"connection": func(as string) error { _, err := b.FindConnection(ctx, as, c.ID); return err },
			"timeline":   func(as string) error { _, err := b.ListActivities(ctx, as, c.ID, uuid.Nil, 10); return err },
			"choice":     func(as string) error { _, err := b.SelectWABA(ctx, as, o.ID, "1", "test"); return err },
			"end":        func(as string) error { return b.RequestDisconnect(ctx, as, c.ID, "test") },
		} {
			if err := ask("org-2"); err != missing { //nolint:errorlint // the very same
				t.Errorf("%s: %v, want %v", name, err, missing)
			}
		}
	})
}

func TestTheDatabaseRefusesASecondHolder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, c := b.connected("org-1", "7")
		thief := c
		thief.ID, thief.OrganizationID = database.NewID(), "org-2"
		err := b.inTx(t.Context(), func(tx *gorm.DB) error { return tx.Create(&thief).Error })
		if err == nil {
			t.Error("two connections hold one WABA")
		}
	})
}
