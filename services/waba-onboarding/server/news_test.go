package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

// tell has Meta send one account-type change of a WABA, said at the given time.
func (b *bundle) tell(waba, field string, at time.Time, value string) {
	b.t.Helper()
	body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"time":%d,"changes":[{"field":%q,"value":%s}]}]}`,
		waba, at.Unix(), field, value)
	if said := b.meta.Deliver(graphsim.Webhook{Body: []byte(body)}); !said.Delivered {
		b.t.Fatalf("Meta says: %+v", said)
	}
}

// awaitReasons waits until a connection's reasons are these, and answers it.
func (b *bundle) awaitReasons(id string, want ...string) *onboardingv1.Connection {
	b.t.Helper()
	var c *onboardingv1.Connection
	eventually(b.t, fmt.Sprint("reasons ", want), func() bool {
		c = b.connection(b.as(org1), id)
		return slices.Equal(reasonsOf(c), want)
	})
	return c
}

func TestWhatMetaSaysOfAnAccountIsItsState(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		c, signed := b.connect(b.as(org1), graphsim.SignUp{})
		id, waba := c.GetConnectionId(), signed.WABAIDs[0]
		if len(c.GetReasons()) != 1 || c.GetReasons()[0].GetReason() != "NO_EVENT_YET" {
			t.Errorf("a new connection says %v", c.GetReasons())
		}
		now := time.Now()
		b.tell(waba, "account_update", now, `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE","waba_ban_date":"April 17, 2027"}}`)
		disabled := b.awaitReasons(id, "ACCOUNT_DISABLED")
		if len(disabled.GetReasons()) != 1 || disabled.GetState() != onboardingv1.Connection_ATTENTION {
			t.Errorf("a disabled account is %v", disabled)
		}
		b.tell(waba, "account_update", now.Add(-time.Hour), `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"REINSTATE"}}`) // old news
		b.tell(waba, "account_update", now, `{"event":"ACCOUNT_OFFBOARDED"}`)
		b.awaitReasons(id, "ACCOUNT_DISABLED", "ACCOUNT_OFFBOARDED")
		b.tell(waba, "account_update", now.Add(time.Second), `{"event":"ACCOUNT_RECONNECTED"}`)
		b.tell(waba, "account_update", now.Add(time.Second), `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"REINSTATE"}}`)
		b.awaitReasons(id)
		b.tell(waba, "account_review_update", now, `{"decision":"REJECTED"}`)
		b.awaitReasons(id, "ACCOUNT_REJECTED")
		b.tell(waba, "account_review_update", now.Add(time.Second), `{"decision":"APPROVED"}`)
		b.awaitReasons(id)
		b.tell(waba, "account_update", now, fmt.Sprintf(
			`{"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"RESTRICTED_BIZ_INITIATED_MESSAGING","expiration":%d}]}`,
			now.Add(time.Hour).Unix()))
		b.awaitReasons(id, "ACCOUNT_RESTRICTED")
		b.pass(2 * time.Hour)
		b.awaitReasons(id)                                                                    // it ended by itself
		b.tell(waba, "account_update", now.Add(-48*time.Hour), `{"event":"ACCOUNT_DELETED"}`) // of an earlier owner
		b.tell(waba, "account_update", now, `{"event":"SOMETHING_NEW"}`)
		eventually(t, "a note of what is new", func() bool {
			resp, err := b.as(org1).ListActivities(t.Context(), &onboardingv1.ListActivitiesRequest{ConnectionId: id})
			return err == nil && slices.ContainsFunc(resp.GetActivities(), func(a *onboardingv1.Activity) bool {
				return a.GetType() == "META_SOMETHING_NEW" && a.GetActor() == "meta"
			})
		})
		b.awaitReasons(id)
	})
}

func TestWhatMetaSaysOfANumberIsWrittenDown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		scripted := b.meta.AddFault(graphsim.Fault{Path: "/*/register", Error: &graphsim.FaultError{Code: 100, Subcode: 2388001}, Times: -1})
		c, signed := b.connect(b.as(org1), graphsim.SignUp{})
		id, waba := c.GetConnectionId(), signed.WABAIDs[0]
		waiting := b.awaitNumber(b.as(org1), id, onboardingv1.PhoneNumber_WAITING_FOR_META)
		b.forget(scripted)
		shown := waiting.GetPhoneNumbers()[0].GetDisplayPhoneNumber()
		value := func(rest string) string { return fmt.Sprintf(`{"display_phone_number":%q,%s}`, shown, rest) }
		b.tell(waba, "phone_number_quality_update", time.Now(), value(`"event":"FLAGGED","max_daily_conversations_per_business":"TIER_2K"`))
		flagged := b.awaitReasons(id, "DISPLAY_NAME_IN_REVIEW", "PHONE_NUMBER_UNHEALTHY").GetPhoneNumbers()[0]
		if flagged.GetMessagingLimit() != "TIER_2K" || flagged.GetStatus() != "FLAGGED" {
			t.Errorf("a flagged number is %v", flagged)
		}
		b.tell(waba, "phone_number_quality_update", time.Now().Add(time.Second), value(`"event":"UNFLAGGED"`))
		b.tell(waba, "phone_number_name_update", time.Now(), value(`"decision":"APPROVED","requested_verified_name":"Loja da Ana","rejection_reason":null`))
		named := b.awaitNumber(b.as(org1), id, onboardingv1.PhoneNumber_REGISTERED).GetPhoneNumbers()[0] // hours before its turn
		if named.GetVerifiedName() != "Loja da Ana" || named.GetNameStatus() != "APPROVED" {
			t.Errorf("an approved name is %v", named)
		}
		b.awaitReasons(id)
	})
}

func TestLateNewsOfANumberUndoNothingThatWasReadSince(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		c, signed := b.connect(b.as(org1), graphsim.SignUp{})
		id, waba := c.GetConnectionId(), signed.WABAIDs[0]
		shown := b.awaitNumber(b.as(org1), id, onboardingv1.PhoneNumber_REGISTERED).GetPhoneNumbers()[0].GetDisplayPhoneNumber()
		value := func(rest string) string { return fmt.Sprintf(`{"display_phone_number":%q,%s}`, shown, rest) }
		b.pass(time.Hour)
		read, err := b.check(b.as(org1), id)
		if err != nil {
			t.Fatal(err)
		}
		late := b.clock.now().Add(-30 * time.Minute)
		b.tell(waba, "phone_number_quality_update", late, value(`"event":"FLAGGED","current_limit":"TIER_50"`))
		b.tell(waba, "phone_number_name_update", late, value(`"decision":"APPROVED","requested_verified_name":"What it was called"`))
		eventually(t, "both are applied", func() bool {
			applied := 0
			for _, change := range b.changes(org1) {
				if strings.HasPrefix(change.GetField(), "phone_number_") {
					applied++
				}
			}
			return applied == 2
		})
		want := read.GetPhoneNumbers()[0]
		if now := b.connection(b.as(org1), id).GetPhoneNumbers()[0]; !proto.Equal(now, want) {
			t.Errorf("the number is %v, and was read as %v", now, want)
		}
		b.tell(waba, "phone_number_quality_update", b.clock.now(), value(`"event":"FLAGGED"`))
		b.awaitReasons(id, "PHONE_NUMBER_UNHEALTHY")
	})
}

func TestAPartnershipThatEndedSaysWhy(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		c, signed := b.connect(b.as(org1), graphsim.SignUp{Phones: onCloudAPI(1)})
		id, waba := c.GetConnectionId(), signed.WABAIDs[0]
		b.pass(time.Minute) // what is older than the proof of our access does not end it
		b.meta.RemoveWABA(waba, graphsim.Removal{Reason: "PRIMARY_INACTIVITY", InitiatedBy: "SYSTEM"})
		eventually(t, "a new word", func() bool {
			return b.connection(b.as(org1), id).GetState() == onboardingv1.Connection_RECONNECT_REQUIRED
		})
		if got := reasonsOf(b.connection(b.as(org1), id)); got[0] != "PARTNER_REMOVED" {
			t.Errorf("the reasons are %v", got)
		}
		if checked, err := b.check(b.as(org1), id); err != nil || reasonsOf(checked)[0] != "PARTNER_REMOVED" {
			t.Errorf("after a check that Meta refused: %v %v", reasonsOf(checked), err)
		}
		resp, err := b.as(org1).ListActivities(t.Context(), &onboardingv1.ListActivitiesRequest{ConnectionId: id})
		if err != nil || !slices.ContainsFunc(resp.GetActivities(), func(a *onboardingv1.Activity) bool {
			return a.GetType() == "META_PARTNER_REMOVED" && a.GetMetadata()["disconnectionReason"] == "PRIMARY_INACTIVITY" && a.GetMetadata()["initiatedBy"] == "SYSTEM"
		}) {
			t.Errorf("the timeline is %v %v", resp.GetActivities(), err)
		}
	})
}

// A customer may sign up where no page of ours is looking. That is seen, though nobody claims it.
func TestASignupWithoutAnOnboardingIsVisible(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		b.tell("2949480000000001", "account_update", time.Now(),
			`{"event":"PARTNER_ADDED","waba_info":{"waba_id":"980198420000001","owner_business_id":"2329410000000001"}}`)
		var seen *onboardingv1.Change
		eventually(t, "the signup", func() bool {
			list := b.changes(platform)
			if len(list) == 1 {
				seen = list[0]
			}
			return seen != nil
		})
		if seen.GetEvent() != "PARTNER_ADDED" || seen.GetWabaId() != "980198420000001" || seen.GetState() != onboardingv1.Change_WAITING {
			t.Errorf("the change is %v", seen)
		}
		if list := b.changes(org1); len(list) != 0 {
			t.Errorf("a tenant sees %v", list)
		}
	})
}
