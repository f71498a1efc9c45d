package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/whatrack/connect/services/internal/fault"
)

// blame finds which field of a refused JSON object is to blame, by trying each alone. It runs only after protojson said
// no, whose texts are not stable and quote what they refuse: a code, or a PIN.
func blame(data []byte, msg protoreflect.Message, path string) *fault.Error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return fault.Field(orBody(path), "must be a JSON object")
	}
	seen := map[string]bool{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			break
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			break
		}
		name := fmt.Sprint(key)
		field := fieldByName(msg.Descriptor(), name)
		if field == nil {
			return fault.Field(join(path, cut(name, maxName)), "there is no such field")
		}
		if seen[field.JSONName()] {
			return fault.Field(join(path, field.JSONName()), "stands there twice")
		}
		seen[field.JSONName()] = true
		if choice := field.ContainingOneof(); choice != nil && string(value) != "null" {
			if seen[string(choice.FullName())] { // with dots, as no field has
				return fault.Field(join(path, field.JSONName()), "excludes another that is there")
			}
			seen[string(choice.FullName())] = true
		}
		if f := blameField(value, msg, field, join(path, field.JSONName())); f != nil {
			return f
		}
	}
	return fault.Field(orBody(path), "does not fit this method")
}

// blameField tries one field alone, and looks into it when it is a message or a list.
func blameField(value json.RawMessage, msg protoreflect.Message, field protoreflect.FieldDescriptor, path string) *fault.Error {
	if fits(value, msg, field) {
		return nil
	}
	if field.IsList() {
		var items []json.RawMessage
		if json.Unmarshal(value, &items) != nil {
			return fault.Field(path, "must be a list")
		}
		for i, item := range items {
			if alone, err := json.Marshal([]json.RawMessage{item}); err == nil && !fits(alone, msg, field) {
				return blameValue(item, msg.NewField(field).List().NewElement, field, fmt.Sprintf("%s[%d]", path, i))
			}
		}
	}
	if field.IsMap() {
		return fault.Field(path, "must be an object of values that fit")
	}
	return blameValue(value, func() protoreflect.Value { return msg.NewField(field) }, field, path)
}

func blameValue(value json.RawMessage, empty func() protoreflect.Value, field protoreflect.FieldDescriptor, path string) *fault.Error {
	if m := field.Message(); m != nil && m.ParentFile().Package() != "google.protobuf" {
		return blame(value, empty().Message(), path)
	}
	return wrongType(path, field)
}

func wrongType(path string, field protoreflect.FieldDescriptor) *fault.Error {
	return fault.Fields([]fault.Violation{{
		Field: path, Reason: "WRONG_TYPE", Description: "must be " + expected(field), Portuguese: "tem um valor de outro tipo",
	}})
}

func fits(value json.RawMessage, msg protoreflect.Message, field protoreflect.FieldDescriptor) bool {
	alone, err := json.Marshal(map[string]json.RawMessage{field.JSONName(): value})
	return err == nil && protojson.Unmarshal(alone, msg.New().Interface()) == nil
}

// expected says what JSON a field takes.
func expected(field protoreflect.FieldDescriptor) string {
	if m := field.Message(); m != nil {
		switch m.FullName() {
		case "google.protobuf.Duration":
			return `a duration in seconds, such as "20s"`
		case "google.protobuf.Timestamp":
			return `a time, such as "2026-11-24T12:00:00Z"`
		}
		return "a JSON value of the type " + string(m.Name())
	}
	if field.Kind() == protoreflect.EnumKind {
		values := field.Enum().Values()
		names := make([]string, 0, values.Len())
		for i := range values.Len() {
			if values.Get(i).Number() != 0 { // …_UNSPECIFIED: that none is named
				names = append(names, string(values.Get(i).Name()))
			}
		}
		return "one of " + strings.Join(names, ", ")
	}
	switch field.Kind() { //nolint:exhaustive // all others are numbers
	case protoreflect.StringKind:
		return "a string"
	case protoreflect.BoolKind:
		return "true or false"
	case protoreflect.BytesKind:
		return "a string in base64"
	}
	return "a number that fits " + field.Kind().String()
}

// fieldByName takes the names that protojson takes.
func fieldByName(msg protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if field := msg.Fields().ByJSONName(name); field != nil {
		return field
	}
	return msg.Fields().ByTextName(name)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func orBody(path string) string {
	if path == "" {
		return "body"
	}
	return path
}
