package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/whatrack/connect/services/internal/secret"
)

const (
	fileSuffix = "-file"
	// maxSecret bounds a secret's file: somebody may name the wrong one.
	maxSecret = 64 << 10
)

var secretType = reflect.TypeFor[secret.Text]()

func isSecret(value *kong.Value) bool { return value.Target.Type() == secretType }

// secrets gives every setting of the type secret.Text a twin that names a file: arguments and environments are seen by
// many (ps, /proc, docker inspect), a file by whom it belongs to.
type secrets struct{ twins []twin }

type twin struct {
	secret *kong.Flag
	path   *string
}

func (s *secrets) addFiles(root *kong.Node) {
	for _, flag := range root.Flags {
		if !isSecret(flag.Value) {
			continue
		}
		path := new(string)
		target := reflect.ValueOf(path).Elem()
		file := &kong.Flag{Hidden: true, Value: &kong.Value{
			Name: flag.Name + fileSuffix, Target: target, Tag: &kong.Tag{}, DefaultValue: reflect.ValueOf(""),
			Mapper: kong.NewRegistry().RegisterDefaults().ForValue(target),
		}}
		file.Flag = file
		root.Flags = append(root.Flags, file)
		s.twins = append(s.twins, twin{flag, path})
	}
}

// read fills the secrets whose file is named, and answers all that is wrong.
func (s *secrets) read() []error {
	var faults []error
	for _, t := range s.twins {
		if *t.path == "" {
			continue
		}
		name := variable(t.secret.Name)
		target, _ := t.secret.Target.Addr().Interface().(*secret.Text)
		if !target.IsEmpty() {
			faults = append(faults, fmt.Errorf("%s and %s_FILE exclude each other", name, name))
			continue
		}
		text, err := readSecret(*t.path)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s_FILE: %w", name, err))
			continue
		}
		*target = text
	}
	return faults
}

// readSecret takes the file as it is, but for the one newline that editors and echo put at its end.
func readSecret(path string) (text secret.Text, err error) {
	f, err := os.Open(path) //nolint:gosec // G304: the path is a setting of the operator
	if err != nil {
		return text, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return text, err
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case value == "":
		return text, fmt.Errorf("%s is empty", path)
	case len(data) > maxSecret:
		return text, fmt.Errorf("%s is too large for a secret", path)
	}
	return secret.New(value), nil
}
