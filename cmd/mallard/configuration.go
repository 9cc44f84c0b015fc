package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pelletier/go-toml/v2"

	"github.com/mallardml/mallard"
)

const configHelp = `mallard config makes, checks and shows the configuration.

  mallard config init [FILE]
  mallard config check [-config FILE]
  mallard config show [-config FILE]

init writes every key with its default, and connections as comments, to FILE
(mallard.toml); a file that is there stays as it is. check reads the file, and
says what is wrong with it, and what its connections lack. show prints the
configuration that holds.

  -config FILE       the configuration; else $MALLARD_CONFIG, ./mallard.toml,
                     mallard/config.toml in your configuration folder

Exit code: 0 done, 1 something is wrong, 2 wrong usage.
`

// configActions are what mallard config does.
var configActions = []string{"check", "init", "show"}

// runConfig is `mallard config`.
func runConfig(ctx context.Context, o *options, t terminal) int {
	var err error
	switch o.args[0] {
	case "init":
		file := "mallard.toml"
		if len(o.args) > 1 {
			file = o.args[1]
		}
		if err = initConfig(file); err == nil {
			fmt.Fprintf(t.out, "%s has every key with its default; mallard config check reads it again.\n", file)
		}
	case "check":
		err = checkConfig(ctx, o, t)
	case "show":
		err = showConfig(o, t)
	}
	if err != nil {
		fmt.Fprintf(t.err, "mallard config: %v\n", err)
		return exitFailed
	}
	return exitDone
}

// initConfig writes a new file.
func initConfig(file string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and stays as it is; name another file", file)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(mallard.ConfigTemplate())
	return errors.Join(err, f.Close())
}

// checkConfig reads the file, and says of each connection what it lacks. Nothing is sent.
func checkConfig(ctx context.Context, o *options, t terminal) error {
	cfg, file, err := o.loadConfig()
	switch {
	case err != nil:
		return err
	case file == "":
		fmt.Fprintln(t.out, "There is no configuration, the defaults hold; mallard config init makes one.")
		return nil
	}
	lacking := 0
	for _, f := range append(connections(ctx, o, cfg), buckets(ctx, o, cfg)...) {
		if f.todo != "" {
			lacking++
			fmt.Fprintf(t.out, "%s %s\n  %s\n", f.subject, f.state, f.todo)
		}
	}
	if lacking > 0 {
		return fmt.Errorf("%s can be read, and something is missing", file)
	}
	fmt.Fprintf(t.out, "%s is right.\n", file)
	return nil
}

// showConfig prints what holds, as TOML.
func showConfig(o *options, t terminal) error {
	cfg, file, err := o.loadConfig()
	if err != nil {
		return err
	}
	text, err := toml.Marshal(cfg)
	if err != nil {
		return err
	}
	if file == "" {
		file = "the defaults: there is no configuration"
	}
	_, err = fmt.Fprintf(t.out, "# %s\n%s", file, text)
	return err
}
