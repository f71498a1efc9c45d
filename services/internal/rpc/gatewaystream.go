package rpc

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

//nolint:revive // argument-limit: the signature is the library's
func beginStream(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, full string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if err := refuseUnknownQuery(ctx, full); err != nil {
		return nil, err
	}
	method, err := methodNamed(full)
	if err != nil {
		return nil, err
	}
	answer, err := protoregistry.GlobalTypes.FindMessageByName(method.Output().FullName())
	if err != nil {
		return nil, err
	}
	stream, err := open(ctx, desc, conn, full, opts...)
	if err != nil {
		return nil, err
	}
	return &begun{ClientStream: stream, answer: answer}, nil
}

// begun is a stream whose headers come with its first answer. One that fails before, fails as a call does: the mux would
// write the error as a line of the stream, in another form.
type begun struct {
	grpc.ClientStream
	answer protoreflect.MessageType
	first  proto.Message // received, and still to be read
}

// Header implements grpc.ClientStream.
func (b *begun) Header() (metadata.MD, error) {
	header, err := b.ClientStream.Header()
	if err != nil {
		return nil, err
	}
	first := b.answer.New().Interface()
	switch err := b.ClientStream.RecvMsg(first); {
	case err == nil:
		b.first = first
	case !errors.Is(err, io.EOF): // an end is found again by whoever reads
		return nil, err
	}
	return header, nil
}

// RecvMsg implements grpc.ClientStream.
func (b *begun) RecvMsg(msg any) error {
	into, ok := msg.(proto.Message)
	if b.first == nil || !ok {
		return b.ClientStream.RecvMsg(msg)
	}
	proto.Merge(into, b.first)
	b.first = nil
	return nil
}
