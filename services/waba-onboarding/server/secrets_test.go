package server_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"gorm.io/gorm"

	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/token-broker/brokertest"
)

// dump is every value of every table.
func dump(t *testing.T, db *database.DB) string {
	t.Helper()
	list := "select table_name from information_schema.tables where table_schema = 'public'"
	if db.Dialect() == database.SQLite {
		list = "select name from sqlite_master where type = 'table'"
	}
	var out strings.Builder
	err := db.Read(t.Context(), func(tx *gorm.DB) error {
		var tables []string
		if err := tx.Raw(list).Scan(&tables).Error; err != nil {
			return err
		}
		for _, table := range tables {
			var rows []map[string]any
			if err := tx.Table(table).Find(&rows).Error; err != nil {
				return err
			}
			for _, row := range rows {
				for column, value := range row {
					fmt.Fprintf(&out, "%s.%s: %s %v %x\n", table, column, value, value, value)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// shows tells whether a text holds a secret; six digits of a longer number are no PIN.
func shows(text, secret string) bool {
	if len(secret) != 6 {
		return strings.Contains(text, secret)
	}
	return regexp.MustCompile(`(^|[^0-9a-zA-Z.])` + secret + `($|[^0-9a-zA-Z])`).MatchString(text)
}

func TestNoSecretIsKeptOrSaidInTheClear(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		started, err := c.StartOnboarding(t.Context(), &onboardingv1.StartOnboardingRequest{})
		if err != nil {
			t.Fatal(err)
		}
		const pin = "918273"
		shared := b.meta.SignUp(graphsim.SignUp{Phones: graphsim.List[graphsim.Phone]{{PIN: pin}}})
		b.meta.AddFault(graphsim.Fault{Path: "/*/phone_numbers", HTML: graphsim.HTML("<html>" + shared.Code + brokertest.AppSecret + "</html>")})
		o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code, State: started.GetState()})
		wantState(t, o, onboardingv1.Onboarding_CONNECTED)
		id := o.GetConnection().GetConnectionId()
		b.awaitNumber(c, id, onboardingv1.PhoneNumber_PIN_REQUIRED)
		if err := b.register(c, id, shared.PhoneNumberIDs[0], pin); err != nil {
			t.Fatal(err)
		}
		b.awaitNumber(c, id, onboardingv1.PhoneNumber_REGISTERED)
		revealed, err := b.broker.GetAccessToken(t.Context(), &tokenbrokerv1.GetAccessTokenRequest{
			OrganizationId: "org-1", Of: &tokenbrokerv1.GetAccessTokenRequest_WabaId{WabaId: shared.WABAIDs[0]},
		})
		if err != nil {
			t.Fatal(err)
		}
		refused := b.send("POST", "claim-waba", org1, `{"code": "AQcanarycanary"}`)
		places := map[string]string{
			"the database": dump(t, b.db), "the broker's database": dump(t, b.tokens), "the logs": b.logs.String(),
			"an answer": string(b.send("GET", "onboardings/"+o.GetOnboardingId(), org1, "").raw), "an error": string(refused.raw),
		}
		if !strings.Contains(places["the database"], shared.WABAIDs[0]) || !strings.Contains(places["the broker's database"], shared.WABAIDs[0]) {
			t.Fatal("the dumps are empty")
		}
		wantNone(t, places, map[string]string{
			"code": shared.Code, "token": revealed.GetAccessToken(), "proof": revealed.GetAppsecretProof(), "app secret": brokertest.AppSecret,
			"PIN": pin, "state": started.GetState(), "client token": started.GetClientToken(), "own token": ownToken,
			"refused code": "AQcanarycanary",
		})
	})
}

func TestNoSecretOfABrowserIsKeptOrLogged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		started, left := b.begin(b.as(org1)), b.begin(b.as(org1))
		shared := b.meta.SignUp(graphsim.SignUp{RedirectURI: redirectURI})
		fresh := wantSentTo(t, b.comeBack("code", shared.Code, "state", started.GetState()), publicURL+"/connect", started.GetOnboardingId())
		b.awaitState(b.as(fresh), started.GetOnboardingId(), onboardingv1.Onboarding_CONNECTED)
		again := wantSentTo(t, b.comeBack("error", "access_denied", "state", left.GetState()), publicURL+"/connect", left.GetOnboardingId())
		b.send("GET", "onboardings/"+started.GetOnboardingId(), started.GetClientToken()+"x", "")
		refused := b.comeBack("code", "AQcanarycanary", "state", started.GetState())
		b.clock.advance(b.ttl)
		late := b.send("GET", "onboardings/"+started.GetOnboardingId(), fresh, "")
		if late.status != 401 || refused.status != 400 {
			t.Fatalf("%d %s, %d %s", late.status, late.raw, refused.status, refused.raw)
		}
		wantNone(t, map[string]string{
			"the database": dump(t, b.db), "the broker's database": dump(t, b.tokens), "the logs": b.logs.String(),
			"an error": string(late.raw), "a page": string(refused.raw),
		}, map[string]string{
			"code": shared.Code, "refused code": "AQcanarycanary", "state": started.GetState(), "left state": left.GetState(),
			"client token": started.GetClientToken(), "fresh token": fresh, "left token": again,
		})
	})
}

// wantNone looks for each secret in each place, in the forms in which secrets get about.
func wantNone(t *testing.T, places, secrets map[string]string) {
	t.Helper()
	for name, secret := range secrets {
		for place, text := range places {
			for form, written := range map[string]string{
				"plain": secret, "hex": hex.EncodeToString([]byte(secret)), "URL-encoded": url.QueryEscape(secret),
				"base64": base64.StdEncoding.EncodeToString([]byte(secret)), "base64url": base64.RawURLEncoding.EncodeToString([]byte(secret)),
			} {
				if shows(text, written) {
					t.Errorf("%s shows the %s, %s", place, name, form)
				}
			}
		}
	}
}
