package server_test

import (
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/internal/jobs"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
	"github.com/whatrack/connect/services/waba-onboarding/server"
)

// on are the services of one replica, called by org-1.
func (b *bundle) on(r *replica) client {
	conn := b.conn(r, org1)
	return client{onboardingv1.NewOnboardingServiceClient(conn), onboardingv1.NewConnectionServiceClient(conn)}
}

func TestTwoReplicasOnOneDatabaseDoEachClaimOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, databasetest.Open(t, databasetest.PostgresURL(t, server.Migrations())))
	replicas := []client{b.on(b.replica), b.on(b.start())}
	const claims = 8
	var posts sync.WaitGroup
	for range claims {
		code := b.meta.SignUp(graphsim.SignUp{Phones: onCloudAPI(1)}).Code
		for _, c := range replicas {
			posts.Go(func() {
				if o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: code}); o.GetState() != onboardingv1.Onboarding_CONNECTED {
					t.Errorf("%s (%s)", o.GetState(), o.GetReason())
				}
			})
		}
	}
	posts.Wait()
	for _, path := range []string{"/oauth/access_token", "/*/subscribed_apps"} {
		if n := b.meta.Count("POST", path); n != claims {
			t.Errorf("%s was called %d times for %d claims", path, n, claims)
		}
	}
}

func TestAClaimGoesOnWhereItsReplicaStopped(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	other := b.on(b.start())
	held := b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/subscribed_apps", Hold: graphsim.Before})
	claim := b.post(b.on(b.replica), &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{Phones: onCloudAPI(1)}).Code})
	eventually(t, "the subscription is under way", func() bool { return b.meta.Count("POST", "/*/subscribed_apps") == 1 })
	b.stopWhile(func() { b.meta.Release(held) }) // whichever works the claim, it is let finish its step
	b.awaitState(other, claim, onboardingv1.Onboarding_CONNECTED)
}

func TestASuperfluousJobLeavesALivingWorkerAlone(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	held := b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/subscribed_apps", Hold: graphsim.Before})
	claim := b.post(c, &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{Phones: onCloudAPI(1)}).Code})
	eventually(t, "the subscription is under way", func() bool { return b.meta.Count("POST", "/*/subscribed_apps") == 1 })
	queue, err := jobs.NewQueue(b.db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		err := b.db.InTx(t.Context(), func(tx *gorm.DB) error {
			return queue.Add(t.Context(), tx, store.ClaimArgs{OnboardingID: uuid.MustParse(claim)})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	b.sweep()
	eventually(t, "the superfluous jobs are done", func() bool {
		var done int64
		err := b.db.Read(t.Context(), func(tx *gorm.DB) error {
			return tx.Table("river_job").Where("kind = ? and state = ?", store.ClaimArgs{}.Kind(), "completed").Count(&done).Error
		})
		return err == nil && done == 3
	})
	b.meta.Release(held)
	connected := b.awaitState(c, claim, onboardingv1.Onboarding_CONNECTED)
	if s := step(connected, "subscribe"); s.GetAttempts() != 1 || b.meta.Count("POST", "/*/subscribed_apps") != 1 {
		t.Errorf("subscribed in %v", s)
	}
}

func TestAStepWhoseWorkerDiedIsTakenUp(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	held := b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/subscribed_apps", Hold: graphsim.Before})
	claim := b.post(c, &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{Phones: onCloudAPI(1)}).Code})
	eventually(t, "the subscription is under way", func() bool { return b.meta.Count("POST", "/*/subscribed_apps") == 1 })
	b.pass(30 * time.Second) // a worker that is silent for so long must be dead
	connected := b.awaitState(c, claim, onboardingv1.Onboarding_CONNECTED)
	if s := step(connected, "subscribe"); s.GetAttempts() != 2 {
		t.Errorf("subscribed in %v", s)
	}
	silent := func(r graphsim.Request) bool { return r.State == graphsim.StateHeld }
	if !slices.ContainsFunc(b.meta.Journal(), silent) {
		t.Error("nobody came before the silent worker gave up by himself")
	}
	b.meta.Release(held) // he was not dead, and is fenced
}

func TestAClaimThatEndedAtItsDeadlineStaysEnded(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	held := b.meta.AddFault(graphsim.Fault{Method: "GET", Path: "/*/subscribed_apps", Hold: graphsim.Before})
	claim := b.post(c, &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{Phones: onCloudAPI(1)}).Code})
	eventually(t, "the proof is asked for", func() bool { return b.meta.Count("GET", "/*/subscribed_apps") == 1 })
	b.pass(claimDeadline + 1) // while the worker is inside its call
	failed := b.get(c, claim)
	wantState(t, failed, onboardingv1.Onboarding_FAILED)
	if failed.GetReason() != "CLAIM_STUCK" {
		t.Errorf("the reason is %s", failed.GetReason())
	}
	b.meta.Release(held)
	eventually(t, "the call is answered", func() bool {
		for _, r := range b.meta.Journal() {
			if r.State == graphsim.StateHeld || r.State == graphsim.StateRunning {
				return false
			}
		}
		return true
	})
	eventually(t, "no worker is left that could do harm", func() bool {
		var running int64
		err := b.db.Read(t.Context(), func(tx *gorm.DB) error {
			return tx.Table("river_job").Where("kind = ? and state = 'running'", store.ClaimArgs{}.Kind()).Count(&running).Error
		})
		return err == nil && running == 0
	})
	after := b.get(c, claim)
	wantState(t, after, onboardingv1.Onboarding_FAILED)
	if after.GetConnection().GetState() != onboardingv1.Connection_DISCONNECTED || step(after, "bind").GetState() != onboardingv1.Step_PENDING {
		t.Errorf("the claim went on: %v", after)
	}
}
