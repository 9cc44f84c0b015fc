package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/internal/dialect"
)

// options are the command line.
type options struct {
	command  string // one of commands, or empty for the shell
	args     []string
	database string
	steps    []step // -c, -f and SQL arguments, in their order
	format   shell.Format
	initFile string
	readOnly bool
	bail     bool
	echo     bool
	safe     bool
	batch    bool // no person is served, at a terminal either
	person   bool // one is, whatever the input is
	noStdin  bool
	noInit   bool
	before   []string // of -cmd
	// configured are settings with which DuckDB opens a database.
	configured map[string]string
	tutorials  bool
	attach     string // of tutorials: the statement that attaches their tables
	progress   bool
	version    bool
	config     string
	dialect    dialect.Lang
	update     bool              // of test
	vars       map[string]string // of test
	replay     string            // of test
	install    bool              // of doctor
	online     bool              // of doctor
}

// step is a piece of work from the command line.
type step struct {
	file bool
	text string // SQL, or the name of the file
}

var errHelp = errors.New("help is wanted")

// parseArgs reads the command line with the standard flag package: DuckDB's flags have one dash and long names (-csv), which the
// getopt-like parsers take for -c -s -v. Unlike flag alone it also takes flags after the database, as DuckDB does.
func parseArgs(args []string) (*options, error) {
	o := &options{}
	fs := o.flags()
	names := func() (list []string) {
		fs.VisitAll(func(f *flag.Flag) { list = append(list, "-"+f.Name) })
		return list
	}

	// What follows -- is no flag.
	var rest, last []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, last = args[:i], args[i+1:]
	}
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			return o, flagError(err, names())
		}
		if args = fs.Args(); len(args) == 0 {
			break
		}
		if len(rest) == 0 && o.command == "" && slices.Contains(commandNames, args[0]) {
			o.command = args[0]
		} else {
			rest = append(rest, args[0])
		}
		args = args[1:]
	}
	var err error
	fs.Visit(func(f *flag.Flag) { err = cmp.Or(err, o.belongs(f.Name)) })
	if err != nil {
		return o, err
	}
	return o, o.positional(append(rest, last...))
}

// flags are all flags, which set the options.
func (o *options) flags() *flag.FlagSet {
	fs := flag.NewFlagSet("mallard", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // errors are printed once, by us
	fs.Usage = func() {}
	text := func(name string, set func(string) error) { fs.Func(name, "", set) }
	on := func(name string, set func()) {
		fs.BoolFunc(name, "", func(v string) error {
			if v != "true" {
				return errors.New("it takes no value")
			}
			set()
			return nil
		})
	}
	text("c", func(v string) error { o.steps = append(o.steps, step{text: v}); return nil })
	text("s", func(v string) error { o.steps = append(o.steps, step{text: v}); return nil })
	text("f", func(v string) error { o.steps = append(o.steps, step{file: true, text: v}); return nil })
	for _, m := range shell.Modes {
		on(string(m), func() { o.format.SetMode(m) })
	}
	on("noheader", func() { o.format.NoHeader = true })
	on("header", func() { o.format.NoHeader = false })
	unescape := strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\r`, "\r", `\\`, `\`)
	text("separator", func(v string) error {
		v = unescape.Replace(v)
		o.format.Separator = &v
		return nil
	})
	text("newline", func(v string) error {
		v = unescape.Replace(v)
		o.format.RowSeparator = &v
		return nil
	})
	text("nullvalue", func(v string) error { o.format.NullValue = &v; return nil })
	fs.StringVar(&o.initFile, "init", "", "")
	on("readonly", func() { o.readOnly = true })
	on("bail", func() { o.bail = true })
	on("echo", func() { o.echo = true })
	on("safe", func() { o.safe = true })
	on("batch", func() { o.batch, o.person = true, false })
	on("interactive", func() { o.batch, o.person = false, true })
	on("no-stdin", func() { o.noStdin = true })
	on("no-init", func() { o.noInit = true })
	on("dark-mode", func() {}) // the colours are those that can be read on either
	on("light-mode", func() {})
	text("cmd", func(v string) error { o.before = append(o.before, v); return nil })
	configure := func(name, value string) {
		if o.configured == nil {
			o.configured = map[string]string{}
		}
		o.configured[name] = value
	}
	on("unsigned", func() { configure("allow_unsigned_extensions", "true") })
	on("unredacted", func() { configure("allow_unredacted_secrets", "true") })
	text("storage-version", func(v string) error { configure("storage_compatibility_version", v); return nil })
	on("tutorials", func() { o.tutorials = true })
	on("progress", func() { o.progress = true })
	on("version", func() { o.version = true })
	fs.StringVar(&o.config, "config", "", "")
	text("dialect", func(v string) (err error) { o.dialect, err = mallard.ParseDialect(v); return err })
	text("var", func(v string) error {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return errors.New("write NAME=VALUE")
		}
		if o.vars == nil {
			o.vars = map[string]string{}
		}
		o.vars[name] = value
		return nil
	})
	fs.StringVar(&o.replay, "replay", "", "")
	on("update", func() { o.update = true })
	on("install", func() { o.install = true })
	on("online", func() { o.online = true })
	return fs
}

// commandNames are the words that are no database. Mallard beam, emulate, model and serve have flags of their own.
var commandNames = []string{"beam", "completion", "config", "doctor", "emulate", "help", "man", "model", "serve", "test", "version"}

// errFirst are the errors of the commands with flags of their own, where they stand behind others.
var errFirst = map[string]error{
	"emulate": errors.New("emulate comes first: mallard emulate [OPTIONS]"),
	"beam":    errors.New("beam comes first: mallard beam [OPTIONS]"),
	"model":   errors.New("model comes first: mallard model export|import [OPTIONS]"),
	"serve":   errors.New("serve comes first: mallard serve [OPTIONS] [DATABASE]"),
}

// commandFlags are the flags of the commands; all others are the shell's.
var commandFlags = map[string][]string{
	"test":   {"var", "replay", "update", "config", "dialect"},
	"doctor": {"install", "online", "config"},
	"config": {"config"},
}

// belongs refuses a flag that its command would not look at.
func (o *options) belongs(name string) error {
	if err := errFirst[o.command]; err != nil {
		return err
	}
	if o.command != "" {
		if slices.Contains(commandFlags[o.command], name) {
			return nil
		}
		return fmt.Errorf("-%s does not belong to mallard %s", name, o.command)
	}
	for command, flags := range commandFlags {
		if slices.Contains(flags, name) && name != "config" && name != "dialect" {
			return fmt.Errorf("-%s belongs to mallard %s", name, command)
		}
	}
	return nil
}

// positional sorts what is no flag.
func (o *options) positional(args []string) error {
	switch o.command {
	case "help":
		if len(args) > 1 {
			return fmt.Errorf("mallard help takes one command, not %q too", args[1])
		}
		if len(args) == 1 && !slices.Contains(commandNames, args[0]) {
			return fmt.Errorf("there is no command %s%s", args[0], shell.Nearest(args[0], commandNames))
		}
		o.args = args
	case "config":
		most := 1
		if len(args) > 0 && args[0] == "init" {
			most = 2
		}
		if len(args) == 0 || len(args) > most || !slices.Contains(configActions, args[0]) {
			return errors.New("write mallard config check, init [FILE] or show; a database called config is opened with ./config")
		}
		o.args = args
	case "completion":
		if len(args) != 1 || completions[args[0]] == nil {
			return errors.New("write mallard completion bash, fish or zsh; a database called completion is opened with ./completion")
		}
		o.args = args
	case "man":
		if len(args) > 0 {
			return fmt.Errorf("mallard man takes no %q; a database called man is opened with ./man", args[0])
		}
	case "version":
		if len(args) > 0 {
			return fmt.Errorf("mallard version takes no %q; a database called version is opened with ./version", args[0])
		}
		o.version = true
	case "emulate", "serve", "beam", "model":
		return errFirst[o.command]
	case "test":
		if len(args) == 0 {
			return errors.New("mallard test needs files or folders with .test files; a database called test is opened with ./test")
		}
		o.args = args
	case "doctor":
		for _, a := range args {
			if !o.install || !slices.Contains(mallard.Installable(), a) {
				return fmt.Errorf("mallard doctor takes no %q; a database called doctor is opened with ./doctor", a)
			}
		}
		o.args = args
	default:
		if len(args) > 0 {
			o.database = args[0]
			for _, sql := range args[1:] {
				o.steps = append(o.steps, step{text: sql})
			}
		}
	}
	return nil
}

// flagError turns the flag package's words into ours, with a hint for a misspelt flag.
func flagError(err error, names []string) error {
	if errors.Is(err, flag.ErrHelp) {
		return errHelp
	}
	msg := err.Error()
	if name, ok := strings.CutPrefix(msg, "flag provided but not defined: "); ok {
		return fmt.Errorf("there is no flag %s%s", name, shell.Nearest(name, names))
	}
	return errors.New(strings.NewReplacer("flag needs an argument: ", "a value is missing after ", "invalid boolean flag ", "-").Replace(msg))
}
