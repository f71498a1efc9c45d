package destination

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
	"github.com/whatrack/connect/services/waba-onboarding/internal/webhook"
)

// testType is the event that TestDestination sends.
const testType = "destination.test"

// write is the body of an event in the form that a destination wants.
func (s *Service) write(ctx context.Context, kind string, e store.Event) ([]byte, error) {
	if e.ChangeID == nil {
		c, err := s.Store.FindConnection(ctx, "", e.ConnectionID)
		if err != nil {
			return nil, fmt.Errorf("read connection %s: %w", e.ConnectionID, err)
		}
		return writeEvent(e, describeConnection(c, e))
	}
	change, err := s.Store.FindChange(ctx, "", *e.ChangeID)
	if err != nil {
		return nil, fmt.Errorf("read change %s: %w", *e.ChangeID, err)
	}
	if kind == store.KindMetaRaw {
		return writeRaw(change), nil
	}
	return writeEvent(e, webhook.Describe(change))
}

// describeConnection is a connection as it is, but for its state and the reasons, which are the event's: it may have
// gone on since.
func describeConnection(c store.Connection, e store.Event) *onboardingv1.Connection {
	state, ok := e.ConnectionState()
	if ok {
		c.State, c.StateTime, c.Reasons = state, e.Time, e.Reasons
	}
	return connection.Describe(&c, fault.English)
}

// writeEvent is a body of Standard Webhooks; data stand as REST shows them.
func writeEvent(e store.Event, data proto.Message) ([]byte, error) {
	shown, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("write event %s: %w", e.ID, err)
	}
	return envelope(e.Type, e.Time, shown)
}

func envelope(kind string, at time.Time, data json.RawMessage) ([]byte, error) {
	return json.Marshal(struct {
		Type      string          `json:"type"`
		Timestamp time.Time       `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}{kind, at.UTC(), data})
}

// writeRaw is a change in Meta's own envelope, its value byte for byte. Meta gives messages no time of the entry.
func writeRaw(c store.Change) []byte {
	var body bytes.Buffer
	fmt.Fprintf(&body, `{"object":"whatsapp_business_account","entry":[{"id":%q,`, cmp.Or(c.EntryID, c.WabaID))
	if c.EntryTime != nil {
		fmt.Fprintf(&body, `"time":%d,`, c.EntryTime.Unix())
	}
	fmt.Fprintf(&body, `"changes":[{"field":%q,"value":`, c.Field)
	body.Write(c.Value)
	body.WriteString(`}]}]}`)
	return body.Bytes()
}

// writeTest is the body of a test: of META_RAW, an envelope with nothing in it.
func writeTest(d store.Destination, at time.Time) ([]byte, error) {
	if d.Kind == store.KindMetaRaw {
		return []byte(`{"object":"whatsapp_business_account","entry":[]}`), nil
	}
	data, err := json.Marshal(map[string]uuid.UUID{"destinationId": d.ID})
	if err != nil {
		return nil, err
	}
	return envelope(testType, at, data)
}

// userAgent names us and, where the toolchain wrote one into the binary, our version.
func userAgent() string {
	const name = "whatrack-connect"
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		return name + "/" + info.Main.Version
	}
	return name
}
