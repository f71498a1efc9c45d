package rpc

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
)

// TestEveryRuleOfTheContractIsSaidInPortuguese breaks the rules of all messages, one field after the other.
func TestEveryRuleOfTheContractIsSaidInPortuguese(t *testing.T) {
	t.Parallel()
	rules, err := protovalidate.New()
	if err != nil {
		t.Fatal(err)
	}
	v := &validator{rules: rules}
	broken := map[string]bool{}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(file.Package()), "whatrack.") {
			return true
		}
		for i := range file.Messages().Len() {
			for _, msg := range wrong(file.Messages().Get(i)) {
				collect(t, v.validate(msg), broken)
			}
		}
		return true
	})
	for id := range sentences() {
		if !broken[reasonOf(id)] {
			t.Errorf("nothing broke %s: is it still in the contract?", id)
		}
	}
}

func TestWhatIsMissingIsRequired(t *testing.T) {
	t.Parallel()
	rules, err := protovalidate.New()
	if err != nil {
		t.Fatal(err)
	}
	v := &validator{rules: rules}
	for name, c := range map[string]struct {
		req  proto.Message
		want []string
	}{
		"a kind and a URL": {&onboardingv1.CreateDestinationRequest{}, []string{"kind: is required", "url: is required"}},
		"an id":            {&onboardingv1.GetConnectionRequest{}, []string{"connectionId: is required"}},
		"a wrong id":       {&onboardingv1.GetConnectionRequest{ConnectionId: "7"}, []string{"connectionId: must be a valid UUID"}},
		"an empty URL": {
			&onboardingv1.UpdateDestinationRequest{DestinationId: "0196c2b6-6a77-7000-8000-000000000000", Url: proto.String("")},
			[]string{"url: must be at least 1 characters"},
		},
		"two rules": {&tokenbrokerv1.ExchangeCodeRequest{OrganizationId: "org-1", OnboardingId: "1"}, []string{"code: is required"}},
	} {
		f, ok := fault.As(v.validate(c.req))
		if !ok {
			t.Fatalf("%s: no fault", name)
		}
		var got []string
		for _, violation := range f.Violations() {
			got = append(got, violation.Field+": "+violation.Description)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func collect(t *testing.T, err error, broken map[string]bool) {
	t.Helper()
	f, ok := fault.As(err)
	if !ok {
		return
	}
	for _, violation := range f.Violations() {
		if broken[violation.Reason] {
			continue
		}
		broken[violation.Reason] = true
		if violation.Reason == "" || violation.Portuguese == "" {
			t.Errorf("%+v has no name or no Portuguese", violation)
		}
	}
}

// wrong makes messages of a type, each with one field that holds what hardly any rule allows.
func wrong(desc protoreflect.MessageDescriptor) []proto.Message {
	list := []proto.Message{dynamicpb.NewMessage(desc)}
	for i := range desc.Fields().Len() {
		field := desc.Fields().Get(i)
		for _, value := range unlikely(field) {
			msg := dynamicpb.NewMessage(desc)
			if field.IsList() {
				items := msg.Mutable(field).List()
				for range 101 {
					items.Append(value)
				}
			} else {
				msg.Set(field, value)
			}
			list = append(list, msg)
		}
	}
	return list
}

func unlikely(field protoreflect.FieldDescriptor) []protoreflect.Value {
	switch kind := field.Kind(); {
	case field.IsMap():
		return nil
	case kind == protoreflect.StringKind:
		return []protoreflect.Value{protoreflect.ValueOfString(""), protoreflect.ValueOfString("é"), protoreflect.ValueOfString(strings.Repeat("é ", 5000))}
	case kind == protoreflect.EnumKind:
		return []protoreflect.Value{protoreflect.ValueOfEnum(0), protoreflect.ValueOfEnum(9999)}
	case kind == protoreflect.Int32Kind:
		return []protoreflect.Value{protoreflect.ValueOfInt32(-1), protoreflect.ValueOfInt32(1 << 30)}
	case kind == protoreflect.MessageKind && field.Message().FullName() == "google.protobuf.Duration":
		long := dynamicpb.NewMessage(field.Message())
		long.Set(field.Message().Fields().ByName("seconds"), protoreflect.ValueOfInt64(1<<30))
		return []protoreflect.Value{protoreflect.ValueOfMessage(long)}
	case kind == protoreflect.MessageKind && strings.HasPrefix(fmt.Sprint(field.Message().FullName()), "whatrack."):
		var list []protoreflect.Value
		for _, msg := range wrong(field.Message()) {
			list = append(list, protoreflect.ValueOfMessage(msg.ProtoReflect()))
		}
		return list
	}
	return nil
}
