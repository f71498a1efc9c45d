package cli

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
)

// parsed is what the command line came to.
type parsed struct {
	command string
	grammar *grammar
	// done: --help or --version has been answered.
	done bool
}

// parse fills the program's settings from flags, then environment, then defaults.
func parse(process Process, program Program) (p parsed, err error) {
	p.grammar = &grammar{}
	env := &environment{values: map[string]string{}, settings: map[*kong.Flag]bool{}}
	for _, pair := range process.Env {
		if name, value, ok := strings.Cut(pair, "="); ok && value != "" { // compose files pass on empty ones for "unset"
			env.values[name] = value
		}
	}
	secrets := &secrets{}
	vars := kong.Vars{"version": program.Name + " " + cmp.Or(program.Version, buildVersion())}
	parser, err := kong.New(p.grammar,
		kong.Embed(program.Settings), vars, kong.Vars(program.Vars), kong.Name(program.Name),
		kong.Description(program.Description), kong.Writers(process.Stdout, process.Stderr), kong.Exit(exit),
		kong.Resolvers(env), kong.TypeMapper(reflect.TypeFor[slog.Level](), kong.MapperFunc(decodeLevel)),
		kong.TypeMapper(reflect.TypeFor[[]string](), kong.MapperFunc(decodeList)),
		kong.ValueFormatter(helpOf), kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 110}),
		kong.PostBuild(func(k *kong.Kong) error {
			prune(k.Model.Node, program)
			secrets.addFiles(k.Model.Node)
			env.know(k.Model.Node)
			return nil
		}))
	if err != nil {
		return p, err
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exited:
			p.done, err = true, nil
		default:
			panic(r)
		}
	}()
	chosen, err := parser.Parse(process.Args)
	if err != nil {
		return p, errors.Join(append(env.faults, err, errors.New("see --help"))...)
	}
	p.command = chosen.Command()
	return p, errors.Join(append(env.faults, secrets.read()...)...)
}

// decodeList takes items with commas between them, and spaces around them.
func decodeList(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("list", &text); err != nil {
		return err
	}
	for item := range strings.SplitSeq(text, ",") {
		target.Set(reflect.Append(target, reflect.ValueOf(strings.TrimSpace(item))))
	}
	return nil
}

// decodeLevel reads what slog reads, and says what that is.
func decodeLevel(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("level", &text); err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return fmt.Errorf("must be debug, info, warn or error, not %q", text)
	}
	target.Set(reflect.ValueOf(level))
	return nil
}

// exited stands for an exit that kong asked for: it prints help or version and then counts on not coming back.
type exited struct{}

func exit(int) { panic(exited{}) }

// environment resolves the settings, and only them, from environment variables. The variable of a flag is its name in
// UPPER_SNAKE; a tag `also:"…"` names one more, which other tools already set.
type environment struct {
	values   map[string]string
	settings map[*kong.Flag]bool
	faults   []error
}

func (e *environment) know(root *kong.Node) {
	for _, flag := range root.Flags {
		e.settings[flag] = flag.Name != "help" && flag.Name != "version"
	}
}

// Validate implements kong.Resolver.
func (e *environment) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver. A value that does not parse is put on the list, where kong would end at the first.
func (e *environment) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !e.settings[flag] {
		return nil, nil
	}
	for _, name := range variables(flag.Value) {
		value, ok := e.values[name]
		if !ok {
			continue
		}
		scratch := reflect.New(flag.Target.Type()).Elem()
		scan := kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: value})
		if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, scratch); err != nil {
			e.faults = append(e.faults, fmt.Errorf("%s: %w", name, err))
			return nil, nil
		}
		return value, nil
	}
	return nil, nil
}

// variables are the environment variables of a flag, the first one first.
func variables(value *kong.Value) []string {
	names := []string{variable(value.Name)}
	if also := value.Tag.Get("also"); also != "" {
		names = append(names, also)
	}
	return names
}

func variable(flag string) string { return strings.ToUpper(strings.ReplaceAll(flag, "-", "_")) }

// helpOf adds to a flag's help what else sets it.
func helpOf(value *kong.Value) string {
	if value.Flag == nil || value.Name == "help" || value.Name == "version" || value.Name == "live" {
		return value.Help
	}
	notes := "$" + strings.Join(variables(value), ", $")
	if isSecret(value) {
		notes += ", or --" + value.Name + fileSuffix
	}
	if value.HasDefault {
		notes += ", default " + value.Default
	}
	return fmt.Sprintf("%s (%s)", strings.TrimSuffix(value.Help, "."), notes)
}

func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
