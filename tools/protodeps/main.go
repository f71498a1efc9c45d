// Protodeps writes the proto files that ours import, so that buf finds them without a schema registry and without copies
// in the tree.
//
// It prints them from the descriptors inside the Go packages that our generated code links anyway: what is compiled
// against and what is linked can not drift apart.
//
//	protodeps DIR
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jhump/protoreflect/v2/protoprint"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/whatrack/connect/gen" // its go.mod decides the versions of the three below

	_ "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	_ "github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv2/options"
	_ "google.golang.org/genproto/googleapis/api/annotations"
)

// roots are the files that ours import; what these import follows.
var roots = []string{
	"buf/validate/validate.proto",
	"google/api/annotations.proto",
	"protoc-gen-openapiv2/options/annotations.proto",
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "protodeps:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: protodeps DIR")
	}
	files, err := withImports(roots)
	if err != nil {
		return err
	}
	// What an older version printed and this one no longer needs would still be compiled.
	if err := os.RemoveAll(args[0]); err != nil {
		return err
	}
	// Unsorted, elements stand in the order of their declaration, as in the original.
	return (&protoprint.Printer{}).PrintProtosToFileSystem(files, args[0])
}

// withImports returns the named files and everything they import, each once.
func withImports(paths []string) ([]protoreflect.FileDescriptor, error) {
	var files []protoreflect.FileDescriptor
	seen := map[string]bool{}
	for len(paths) > 0 {
		path := paths[0]
		paths = paths[1:]
		// The well-known types are built into buf.
		if seen[path] || strings.HasPrefix(path, "google/protobuf/") {
			continue
		}
		seen[path] = true
		file, err := protoregistry.GlobalFiles.FindFileByPath(path)
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", path, err)
		}
		files = append(files, file)
		for i := range file.Imports().Len() {
			paths = append(paths, file.Imports().Get(i).Path())
		}
	}
	return files, nil
}
