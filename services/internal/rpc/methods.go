package rpc

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// method is what the contract says of one RPC.
type method struct {
	// name is the last part of the full name, as lists of callers write it.
	name string
	// readOnly is the contract's `idempotency_level = NO_SIDE_EFFECTS`.
	readOnly bool
	input    protoreflect.MessageDescriptor
}

// methods are the RPCs of a server by their full name, `/package.Service/Method`. What is not in it does not exist.
type methods map[string]method

// methodsOf reads the contract of each service from the descriptors that are linked into the binary.
func methodsOf(descs ...*grpc.ServiceDesc) (methods, error) {
	all := methods{}
	for _, desc := range descs {
		found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(desc.ServiceName))
		if err != nil {
			return nil, fmt.Errorf("service %s: %w", desc.ServiceName, err)
		}
		service, ok := found.(protoreflect.ServiceDescriptor)
		if !ok {
			return nil, fmt.Errorf("%s is no service", desc.ServiceName)
		}
		for i := range service.Methods().Len() {
			all.add(desc.ServiceName, service.Methods().Get(i))
		}
	}
	return all, nil
}

func (m methods) add(service string, desc protoreflect.MethodDescriptor) {
	options, _ := desc.Options().(*descriptorpb.MethodOptions)
	m["/"+service+"/"+string(desc.Name())] = method{
		name:     string(desc.Name()),
		readOnly: options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS,
		input:    desc.Input(),
	}
}

// require refuses names that no service has: a misspelt entry in a list of admin methods would guard nothing.
func (m methods) require(what string, names ...string) error {
	var missing []error
	for _, name := range names {
		if _, ok := m[name]; !ok {
			missing = append(missing, fmt.Errorf("%s: there is no method %q", what, name))
		}
	}
	return errors.Join(missing...)
}

// Names are those of all RPCs of the services, as lists of callers write them.
func Names(descs ...*grpc.ServiceDesc) []string {
	var names []string
	for _, desc := range descs {
		for _, m := range desc.Methods {
			names = append(names, m.MethodName)
		}
		for _, s := range desc.Streams {
			names = append(names, s.StreamName)
		}
	}
	return names
}

func serviceOf(full string) string {
	service, _, _ := strings.Cut(strings.TrimPrefix(full, "/"), "/")
	return service
}
