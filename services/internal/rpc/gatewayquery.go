package rpc

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/whatrack/connect/services/internal/fault"
)

//nolint:revive // argument-limit: the signature is the library's
func beginCall(ctx context.Context, full string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if err := refuseUnknownQuery(ctx, full); err != nil {
		return err
	}
	return invoke(ctx, full, req, reply, conn, opts...)
}

// refuseUnknownQuery refuses query parameters that the message does not have, and any where the message is the body. The
// mux skips over them, so that a misspelt filter would answer everything instead of what was asked for.
func refuseUnknownQuery(ctx context.Context, full string) error {
	x := exchangeOf(ctx)
	if len(x.query) == 0 {
		return nil
	}
	method, err := methodNamed(full)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(x.query)) {
		if x.hasBody {
			return fault.Field(cut(name, maxName), "must stand in the body, not in the URL")
		}
		if !isPath(method.Input(), strings.Split(name, ".")) {
			return fault.Field(cut(name, maxName), "there is no such field")
		}
	}
	return nil
}

func isPath(msg protoreflect.MessageDescriptor, names []string) bool {
	for _, name := range names {
		if msg == nil {
			return false
		}
		field := fieldByName(msg, name)
		if field == nil {
			return false
		}
		msg = field.Message()
	}
	return true
}

// queryFault finds which query parameter the mux refused, by trying each alone.
func queryFault(ctx context.Context, x *exchange) *fault.Error {
	input, err := inputOf(ctx)
	if err != nil {
		return fault.Field("query", "does not fit this method")
	}
	for _, name := range slices.Sorted(maps.Keys(x.query)) {
		alone := map[string][]string{name: x.query[name]}
		if runtime.PopulateQueryParameters(input.New().Interface(), alone, utilities.NewDoubleArray(nil)) == nil {
			continue
		}
		if field := fieldByName(input.Descriptor(), name); field != nil {
			if len(alone[name]) > 1 && !field.IsList() {
				return fault.Field(field.JSONName(), "stands there twice")
			}
			return wrongType(field.JSONName(), field)
		}
		return fault.Field(cut(name, maxName), "does not fit this method")
	}
	return fault.Field("query", "does not fit this method")
}

// inputOf is the request type of the method that the mux chose.
func inputOf(ctx context.Context) (protoreflect.MessageType, error) {
	full, _ := runtime.RPCMethod(ctx)
	method, err := methodNamed(full)
	if err != nil {
		return nil, err
	}
	return protoregistry.GlobalTypes.FindMessageByName(method.Input().FullName())
}

func methodNamed(full string) (protoreflect.MethodDescriptor, error) {
	name := strings.ReplaceAll(strings.TrimPrefix(full, "/"), "/", ".")
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	method, ok := found.(protoreflect.MethodDescriptor)
	if err != nil || !ok {
		return nil, protoregistry.NotFound
	}
	return method, nil
}
