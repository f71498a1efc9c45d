package store

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// naming is a change of a WABA whose webhook names a number.
func naming(waba, phone, hash string) NewChange {
	n := saying(waba, hash, hash)
	n.Change.PhoneNumberID, n.Effect.Messages[0].PhoneNumberID = phone, phone
	return n
}

// takers each take in so many of a flood.
const takers, apiece = 4, 10

// flood takes in what names numbers of WABAs, side by side.
func (b *bundle) flood(round string, whose ...[2]string) {
	b.t.Helper()
	var taking sync.WaitGroup
	for i := range takers {
		taking.Go(func() {
			var changes []NewChange
			for j := range apiece {
				for k, one := range whose {
					changes = append(changes, naming(one[0], one[1], fmt.Sprint(round, i, j, k)))
				}
			}
			if i%2 == 1 {
				slices.Reverse(changes)
			}
			if err := b.SplitDeliveries(b.t.Context(), []Split{holding(changes...)}); err != nil {
				b.t.Error(err)
			}
		})
	}
	taking.Wait()
}

// asks wants Meta to be asked once by now, however many come to do so, and Meta to list nothing but the given numbers.
func (b *bundle) asks(c Connection, listed ...string) {
	b.t.Helper()
	begun, due, err := b.BeginSeek(b.t.Context(), c)
	if b.must(err); !due {
		b.t.Fatalf("Meta is not asked: %+v", b.connection(c.ID))
	}
	if _, again, err := b.BeginSeek(b.t.Context(), c); again || err != nil {
		b.t.Errorf("a twin asks too: %v", err)
	}
	facts := WabaFacts{Name: "Shop"}
	for _, phone := range append([]string{"1" + c.WabaID}, listed...) {
		facts.PhoneNumbers = append(facts.PhoneNumbers, PhoneNumber{PhoneNumberID: phone, Registration: Pending})
	}
	b.must(b.RecordFindings(b.t.Context(), begun, Findings{Read: &facts, Activity: "CHECKED"}))
}

// quietFor wants no job to be enqueued, whatever comes, before a pause is over; and then one.
func (b *bundle) quietFor(pause time.Duration, whose [2]string) {
	b.t.Helper()
	ctx, before := b.t.Context(), b.jobs("seek_phone_numbers")
	b.pass(pause - 20*time.Second)
	b.flood(uuid.NewString(), whose)
	b.must(b.Sweep(ctx))
	if n := b.jobs("seek_phone_numbers"); n != before {
		b.t.Errorf("%d jobs within %s", n-before, pause)
	}
	b.pass(21 * time.Second)
	b.must(b.Sweep(ctx))
	b.must(b.Sweep(ctx)) // another replica's
	if n := b.jobs("seek_phone_numbers"); n != before+1 {
		b.t.Errorf("%d jobs after %s", n-before, pause)
	}
}

func (b *bundle) wantSought(c Connection, want ...string) {
	b.t.Helper()
	now := b.connection(c.ID)
	if !slices.Equal(now.SoughtNumbers, want) || (now.SeekTime == nil) != (len(want) == 0) {
		b.t.Errorf("%v are sought at %v, want %v", now.SoughtNumbers, now.SeekTime, want)
	}
}

func TestAnUnknownNumberIsSoughtOnceAndThenEverMoreRarely(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, c := b.connected("org-1", "7")
		_, other := b.connected("org-2", "8")
		b.flood("known", [2]string{"7", "17"}, [2]string{"9", "99"})
		if n := b.jobs("seek_phone_numbers"); n != 0 {
			t.Errorf("%d jobs while all numbers are known, or nobody's", n)
		}
		b.flood("unknown", [2]string{"7", "999"}, [2]string{"8", "18"}, [2]string{"7", "17"}, [2]string{"8", "998"})
		if n := b.jobs("seek_phone_numbers"); n != 2 {
			t.Errorf("%d jobs for two connections", n)
		}
		b.wantSought(c, "999")
		b.wantSought(other, "998")
		b.asks(other, "998")
		b.wantSought(other)
		for _, pause := range []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 6 * time.Hour, 24 * time.Hour, 24 * time.Hour} {
			b.asks(c)
			b.wantSought(c, "999")
			b.quietFor(pause, [2]string{"7", "999"})
		}
		b.asks(c, "999")
		b.wantSought(c)
		if found := b.noted(c, "NUMBER_FOUND"); found != 1 {
			t.Errorf("%d numbers were found", found)
		}
	})
}

// noted is how often something stands on a connection's timeline.
func (b *bundle) noted(c Connection, kind string) (count int) {
	b.t.Helper()
	list, err := b.ListActivities(b.t.Context(), "", c.ID, uuid.Nil, 200)
	b.must(err)
	for _, a := range list {
		if a.Type == kind && a.Actor == "waba-onboarding" {
			count++
		}
	}
	return count
}

func TestAnotherUnknownNumberBeginsTheSearchAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, c := b.connected("org-1", "7")
		b.flood("first", [2]string{"7", "999"})
		for _, pause := range []time.Duration{time.Minute, 5 * time.Minute} {
			b.asks(c)
			b.pass(pause + time.Second)
			b.must(b.Sweep(t.Context()))
		}
		b.asks(c) // the next time in half an hour
		before := b.jobs("seek_phone_numbers")
		b.pass(30 * time.Second)
		b.flood("second", [2]string{"7", "998"})
		if n := b.jobs("seek_phone_numbers"); n != before {
			t.Errorf("Meta is asked %d times within a minute", n-before)
		}
		b.pass(31 * time.Second)
		b.must(b.Sweep(t.Context()))
		b.asks(c, "998")
		b.wantSought(c, "999") // anew too: something was found
		b.quietFor(time.Minute, [2]string{"7", "999"})
		b.asks(c)
		b.quietFor(5*time.Minute, [2]string{"7", "999"})
		b.asks(c)
		b.pass(2 * time.Minute)
		before = b.jobs("seek_phone_numbers")
		b.flood("third", [2]string{"7", "997"})
		if n := b.jobs("seek_phone_numbers"); n != before+1 {
			t.Errorf("Meta is asked %d times, want once and at once", n-before)
		}
		b.asks(c)
		b.wantSought(c, "997", "999")
		b.quietFor(time.Minute, [2]string{"7", "997"})
	})
}

func TestSilenceIsAskedAgainSoon(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, c := b.connected("org-1", "7")
		b.flood("first", [2]string{"7", "999"})
		for _, pause := range []time.Duration{time.Minute, 5 * time.Minute, 5 * time.Minute, time.Hour, 5 * time.Minute} {
			begun, due, err := b.BeginSeek(t.Context(), c)
			if b.must(err); !due {
				t.Fatal("Meta is not asked")
			}
			delay := time.Duration(0)
			if pause == time.Hour {
				delay = pause // Meta's own word
			}
			b.must(b.PostponeSeek(t.Context(), begun, delay))
			b.quietFor(pause, [2]string{"7", "999"})
		}
	})
}

func TestOnlyAConnectionThatHoldsItsWABASeeks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		claim := b.at(b.claiming("org-1"), "7", StepSubscribe)
		b.flood("early", [2]string{"7", "999"})
		if n := b.jobs("seek_phone_numbers"); n != 0 {
			t.Errorf("%d jobs of a connection that is being claimed", n)
		}
		claim = b.at(claim, "7", "the end")
		c := b.connection(*claim.ConnectionID)
		b.must(b.SeekUnknown(ctx, c.ID)) // as the job does that gives it what waited
		b.must(b.SeekUnknown(ctx, c.ID))
		b.wantSought(c, "999")
		b.must(b.RequestDisconnect(ctx, "", c.ID, "test"))
		b.flood("late", [2]string{"7", "998"})
		b.pass(time.Hour)
		b.must(b.Sweep(ctx))
		if _, due, err := b.BeginSeek(ctx, c); due || err != nil {
			t.Errorf("Meta is asked while it ends: %v", err)
		}
		b.must(b.EndConnection(ctx, b.connection(c.ID)))
		b.flood("after", [2]string{"7", "997"})
		if n := b.jobs("seek_phone_numbers"); n != 1 {
			t.Errorf("%d jobs, want the first alone", n)
		}
		b.connected("org-1", "7")
		b.wantSought(c)
	})
}

func TestWhatNobodyWaitsForIsSoughtNoMore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, c := b.connected("org-1", "7")
		b.flood("first", [2]string{"7", "999"})
		b.asks(c)
		b.pass(31 * 24 * time.Hour)
		_, err := b.Prune(t.Context(), 30*24*time.Hour)
		b.must(err)
		b.must(b.Sweep(t.Context()))
		if _, due, err := b.BeginSeek(t.Context(), c); due || err != nil {
			t.Errorf("Meta is asked: %v", err)
		}
		b.wantSought(c)
	})
}

// Whoever takes a change in that names a number which is sought already leaves it at that, and has not committed yet.
func TestASearchDoesNotEndBesideWhatIsTakenIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		_, c := b.connected("org-1", "7")
		b.flood("first", [2]string{"7", "999"})
		b.pass(31 * 24 * time.Hour)
		_, err := b.Prune(ctx, 30*24*time.Hour)
		b.must(err)
		late := naming("7", "999", "late")
		late.Change.ReceiveTime = b.now()
		taken, goOn, committed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		go func() {
			committed <- b.inTx(ctx, func(tx *gorm.DB) error {
				err := b.takeChanges(tx, []NewChange{late})
				close(taken)
				<-goOn
				return err
			})
		}()
		<-taken
		await := b.blocking()
		begun := make(chan bool, 1)
		go func() {
			_, due, err := b.BeginSeek(ctx, c)
			if err != nil {
				t.Error(err)
			}
			begun <- due
		}()
		await("a search begins beside what is taken in")
		close(goOn)
		b.must(<-committed)
		if !<-begun {
			t.Error("Meta is not asked")
		}
	})
}

func TestWhatWaitedForANumberOutlastsAReconnection(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		stale, early := naming("7", "999", "stale"), naming("7", "999", "early")
		stale.Change.ReceiveTime = time.Now().Add(-11 * time.Minute).UTC()
		early.Change.ReceiveTime = time.Now().Add(-9 * time.Minute).UTC()
		b.must(b.SplitDeliveries(ctx, []Split{holding(stale, early)}))
		_, c := b.connected("org-1", "7")
		b.must(b.SplitDeliveries(ctx, []Split{holding(naming("7", "999", "own"))}))
		b.pass(3 * time.Hour)
		b.connected("org-1", "7")
		b.must(b.SeekUnknown(ctx, c.ID))
		b.asks(c, "999")
		b.must(b.IgnoreStale(ctx, c.ID))
		waiting, err := b.WaitingChanges(ctx, c.ID, Change{}, 10, 1<<20)
		b.must(err)
		var hashes []string
		for _, change := range waiting {
			hashes = append(hashes, change.Hash)
		}
		if !slices.Equal(hashes, []string{"early", "own"}) {
			t.Errorf("%v waited for it", hashes)
		}
		ignored, err := b.ListChanges(ctx, ChangeFilter{States: []string{string(ChangeIgnored)}}, uuid.Nil, 10)
		if b.must(err); len(ignored) != 1 || ignored[0].Hash != "stale" {
			t.Errorf("ignored: %+v", ignored)
		}
	})
}

// What is taken in while the number is found either finds it too, or waits where the job that follows finds it.
func TestNothingIsForgottenWhileANumberIsFound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		_, c := b.connected("org-1", "7")
		b.must(b.SplitDeliveries(ctx, []Split{holding(naming("7", "999", "first"))}))
		var taking sync.WaitGroup
		taking.Go(func() { b.flood("meanwhile", [2]string{"7", "999"}, [2]string{"7", "998"}) })
		b.asks(c, "999")
		taking.Wait()
		b.wantSought(c, "998")
		waiting, err := b.WaitingChanges(ctx, c.ID, Change{}, 1000, 1<<20)
		b.must(err)
		resolved, err := b.ListChanges(ctx, ChangeFilter{States: []string{string(ChangeResolved)}}, uuid.Nil, 1000)
		b.must(err)
		if n := len(waiting) + len(resolved); n != 1+takers*apiece {
			t.Errorf("%d wait and %d are resolved, want %d in all", len(waiting), len(resolved), 1+takers*apiece)
		}
	})
}
