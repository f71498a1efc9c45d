package rpc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/whatrack/connect/services/internal/fault"
)

// validator holds requests to the rules that stand in the contract.
type validator struct{ rules protovalidate.Validator }

// newValidator compiles the rules of all requests: a rule that does not compile must not wait for its first call.
func newValidator(ms methods) (*validator, error) {
	inputs := make([]protoreflect.MessageDescriptor, 0, len(ms))
	for _, m := range ms {
		inputs = append(inputs, m.input)
	}
	rules, err := protovalidate.New(protovalidate.WithMessageDescriptors(inputs...))
	if err != nil {
		return nil, fmt.Errorf("rules of the contract: %w", err)
	}
	return &validator{rules}, nil
}

func (v *validator) validate(req any) error {
	msg, ok := req.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is no message", req)
	}
	err := v.rules.Validate(msg)
	if err == nil {
		return nil
	}
	var broken *protovalidate.ValidationError
	if !errors.As(err, &broken) {
		return fmt.Errorf("validate %s: %w", msg.ProtoReflect().Descriptor().FullName(), err)
	}
	var out []fault.Violation
	for _, violation := range broken.Violations {
		for _, told := range violations(msg.ProtoReflect().Descriptor(), violation) {
			if !slices.Contains(out, told) { // what is missing breaks every rule
				out = append(out, told)
			}
		}
	}
	return fault.Fields(out)
}

// violations names the field by its JSON path. A rule over a oneof is told for each of its fields, since a caller never
// sees the oneof's own name.
func violations(msg protoreflect.MessageDescriptor, v *protovalidate.Violation) []fault.Violation {
	path, oneof := jsonPath(msg, v.Proto.GetField().GetElements())
	switch {
	case oneof == nil && missing(v):
		return []fault.Violation{{Field: path, Reason: "REQUIRED", Description: "is required", Portuguese: "deve ser informado"}}
	case oneof == nil:
		id, message := v.Proto.GetRuleId(), v.Proto.GetMessage()
		return []fault.Violation{{Field: path, Reason: reasonOf(id), Description: message, Portuguese: ruleInPortuguese(id, message)}}
	}
	var names []string
	for i := range oneof.Fields().Len() {
		names = append(names, path+oneof.Fields().Get(i).JSONName())
	}
	var out []fault.Violation
	all := strings.Join(names, ", ")
	for _, name := range names {
		out = append(out, fault.Violation{
			Field: name, Reason: "REQUIRED",
			Description: "exactly one of these is needed: " + all, Portuguese: "é preciso exatamente um destes: " + all,
		})
	}
	return out
}

// missing tells whether a rule is broken by what is not there: proto has no other sign of that for a plain field. Of an
// enum, its 0 is all that the contract excludes.
func missing(v *protovalidate.Violation) bool {
	if id := v.Proto.GetRuleId(); id == "enum.not_in" || id == "string.uuid_empty" {
		return true
	}
	field := v.FieldDescriptor
	if field == nil || field.HasPresence() {
		return false
	}
	value, ok := v.FieldValue.Interface().(string)
	return ok && value == ""
}

// jsonPath writes the path of a violation as JSON names it: `text.body`, `states[1]`. It stops at a oneof and answers it.
func jsonPath(msg protoreflect.MessageDescriptor, elements []*validate.FieldPathElement) (string, protoreflect.OneofDescriptor) {
	path := ""
	for _, element := range elements {
		if path != "" {
			path += "."
		}
		var field protoreflect.FieldDescriptor
		if msg != nil {
			name := protoreflect.Name(element.GetFieldName())
			if oneof := msg.Oneofs().ByName(name); oneof != nil && !oneof.IsSynthetic() {
				return path, oneof
			}
			field = msg.Fields().ByName(name)
		}
		if field == nil {
			return path + element.GetFieldName(), nil
		}
		path += field.JSONName() + subscript(element)
		msg = field.Message()
	}
	return path, nil
}

func subscript(element *validate.FieldPathElement) string {
	switch element.GetSubscript().(type) {
	case *validate.FieldPathElement_Index:
		return fmt.Sprintf("[%d]", element.GetIndex())
	case *validate.FieldPathElement_StringKey:
		return fmt.Sprintf("[%q]", cut(element.GetStringKey(), maxName))
	case nil:
		return ""
	}
	return "[…]"
}
