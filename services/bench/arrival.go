package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/whatrack/connect/services/graphsim"
)

// arrivals is how many messages are followed, one after the other.
const arrivals = 51

// measureArrival posts the webhook of one message at a time, and measures from its 200 until ListMessages shows it over
// REST, asked again and again.
func (p *pair) measureArrival(ctx context.Context, storage string, out *table) error {
	customer := p.meta.SignUp(graphsim.SignUp{Flow: graphsim.FlowCoexistence})
	connection, err := p.postCode(ctx, organization, customer.Code)
	if err != nil {
		return err
	}
	var all []time.Duration
	for range arrivals {
		d, err := p.arrival(ctx, connection, customer)
		if err != nil {
			return err
		}
		all = append(all, d)
	}
	out.line(fmt.Sprintf("from a webhook's 200 to ListMessages, %s: median", storage), milliseconds(median(all)), "", "")
	out.line("  worst of "+fmt.Sprint(arrivals), milliseconds(slices.Max(all)), "", "")
	return nil
}

func (p *pair) arrival(ctx context.Context, connection string, to graphsim.SignedUp) (time.Duration, error) {
	wamid := "wamid." + rand.Text()
	body := fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":%q,"time":%d,"changes":[{"field":"messages","value":`+
		`{"messaging_product":"whatsapp","metadata":{"phone_number_id":%q},"messages":[{"from":"5511987654321","id":%q,"type":"text",`+
		`"text":{"body":"Oi!"}}]}}]}]}`, to.WABAIDs[0], time.Now().Unix(), to.PhoneNumberIDs[0], wamid)
	if err := post(ctx, http.DefaultClient, p.hookURL(), body, signed([]byte(appSecret), body)); err != nil {
		return 0, err
	}
	start := time.Now()
	for time.Since(start) < 10*time.Second {
		var list struct{ Messages []struct{ Wamid string } }
		err := p.rest(ctx, "connections/"+connection+"/messages?pageSize=1", organization, nil, &list)
		if err != nil {
			return 0, err
		}
		if len(list.Messages) == 1 && list.Messages[0].Wamid == wamid {
			return time.Since(start), nil
		}
	}
	return 0, fmt.Errorf("the message %s did not arrive", wamid)
}
