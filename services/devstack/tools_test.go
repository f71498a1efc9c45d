package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// toolTime bounds one call of a tool.
const toolTime = 40 * time.Second

// options are those of curl and grpcurl that the README uses. Any other is an error: it would not be tested.
type options struct {
	headers [][2]string
	data    string
	posts   bool
	plain   bool
	rest    []string
}

func parseOptions(args []string) (o options, err error) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if !strings.HasPrefix(arg, "-") {
			o.rest = append(o.rest, arg)
			continue
		}
		switch arg {
		case "-s":
			continue
		case "-plaintext":
			o.plain = true
			continue
		}
		if len(args) == 0 {
			return o, fmt.Errorf("%s needs a value", arg)
		}
		switch arg {
		case "-H":
			name, value, ok := strings.Cut(args[0], ": ")
			if !ok {
				return o, fmt.Errorf("-H %q is no header", args[0])
			}
			o.headers = append(o.headers, [2]string{name, value})
		case "-d":
			o.data, o.posts = args[0], true
		default:
			return o, fmt.Errorf("the README's tests do not know the option %s", arg)
		}
		args = args[1:]
	}
	return o, nil
}

// curl does what curl does with these options.
func curl(args []string, stdout, stderr io.Writer) int {
	if err := curlOnce(args, stdout); err != nil {
		fmt.Fprintln(stderr, "curl:", err)
		return 1
	}
	return 0
}

func curlOnce(args []string, stdout io.Writer) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	if len(o.rest) != 1 {
		return fmt.Errorf("%q: want one URL", o.rest)
	}
	url := o.rest[0]
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	method := http.MethodGet
	if o.posts {
		method = http.MethodPost
	}
	ctx, cancel := context.WithTimeout(context.Background(), toolTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(o.data))
	if err != nil {
		return err
	}
	if o.posts {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded") // curl's default for -d
	}
	for _, h := range o.headers {
		req.Header.Set(h[0], h[1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(stdout, resp.Body)
	return err
}

// grpcurl does what grpcurl does with these options: it asks the server for its schema, by reflection.
func grpcurl(args []string, stdout, stderr io.Writer) int {
	if err := grpcurlOnce(args, stdout); err != nil {
		fmt.Fprintln(stderr, "grpcurl:", err)
		return 1
	}
	return 0
}

func grpcurlOnce(args []string, stdout io.Writer) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	if len(o.rest) != 2 || !o.plain {
		return fmt.Errorf("%q: want -plaintext, an address and a method", o.rest)
	}
	conn, err := grpc.NewClient(o.rest[0], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), toolTime)
	defer cancel()
	for _, h := range o.headers {
		ctx = metadata.AppendToOutgoingContext(ctx, h[0], h[1])
	}
	service, name, _ := strings.Cut(o.rest[1], "/")
	method, err := describedMethod(ctx, conn, service, name)
	if err != nil {
		return err
	}
	req, resp := dynamicpb.NewMessage(method.Input()), dynamicpb.NewMessage(method.Output())
	if err := protojson.Unmarshal([]byte(o.data), req); err != nil {
		return err
	}
	if err := conn.Invoke(ctx, "/"+service+"/"+name, req, resp); err != nil {
		return err
	}
	answer, err := protojson.Marshal(resp)
	if err != nil {
		return err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, answer, "", "  "); err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, indented.String())
	return err
}

func describedMethod(ctx context.Context, conn *grpc.ClientConn, service, name string) (protoreflect.MethodDescriptor, error) {
	stream, err := grpc_reflection_v1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	err = stream.Send(&grpc_reflection_v1.ServerReflectionRequest{
		MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service},
	})
	if err != nil {
		return nil, err
	}
	answer, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	set := &descriptorpb.FileDescriptorSet{}
	for _, raw := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
		file := &descriptorpb.FileDescriptorProto{}
		if err := proto.Unmarshal(raw, file); err != nil {
			return nil, err
		}
		set.File = append(set.File, file)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return nil, err
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, err
	}
	described, ok := found.(protoreflect.ServiceDescriptor)
	if !ok || described.Methods().ByName(protoreflect.Name(name)) == nil {
		return nil, errors.New("there is no method " + service + "/" + name)
	}
	return described.Methods().ByName(protoreflect.Name(name)), stream.CloseSend()
}
