package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/tensorflow"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension/emulate"
	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/googlesql/installed"
	"github.com/mallardml/mallard/sqllogic"
)

// runTests is `mallard test`.
func runTests(ctx context.Context, o *options, t terminal) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	cfg, _, err := o.loadConfig()
	if err != nil {
		fmt.Fprintf(t.err, "mallard test: %v\n", err)
		return exitFailed
	}
	suite := emulate.Suite{
		Config: cfg,
		Open: func(cfg *mallard.Config, dsn string) (*sql.DB, error) {
			path, rest, _ := strings.Cut(dsn, "?")
			return o.openDatabase(cfg, path, rest != "")
		},
		Server: vertextest.Options{Replay: o.replay},
	}
	r := sqllogic.Runner{
		Options: sqllogic.Options{
			Begin:   suite.Begin,
			Require: func(name string) (bool, string) { return requirement(cfg, name) },
			Vars:    o.vars,
			Update:  o.update,
		},
		Each: func(r sqllogic.Result) {
			fmt.Fprintf(t.out, "%s %s  %s, %.2f s", r.Status, r.Path, amount.Of(r.Records, "record"), r.Elapsed.Seconds())
			switch {
			case r.Status == sqllogic.Skipped:
				fmt.Fprintf(t.out, "  (%s)", r.Reason)
			case r.Updated:
				fmt.Fprint(t.out, "  (rewritten)")
			}
			fmt.Fprintln(t.out)
			if r.Err != nil {
				fmt.Fprintf(t.out, "\n%s\n\n", r.Err)
			}
		},
	}
	rep, err := r.Run(ctx, o.args...)
	if err != nil {
		fmt.Fprintf(t.err, "mallard test: %v\n", err)
		return exitFailed
	}
	fmt.Fprintln(t.out, rep)
	if rep.Failed > 0 {
		return exitFailed
	}
	return exitDone
}

// requirement answers `require NAME`.
func requirement(cfg *mallard.Config, name string) (bool, string) {
	var err error
	switch name {
	case "tensorflow":
		_, err = tensorflow.Find(tensorflow.FindOptions{Path: cfg.TensorFlow.Library})
	case "googlesql":
		_, err = installed.Find(config.Path(cfg, cfg.GoogleSQL.Library))
	default:
		return false, ""
	}
	if err != nil {
		return false, err.Error()
	}
	return true, ""
}
