package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/connectors/tensorflow"
	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/googlesql/installed"
)

// finding is one line of the doctor's report.
type finding struct {
	subject string
	state   string
	todo    string // what to do; empty when all is well
	fatal   bool   // a thing that most statements need
}

// runDoctor is `mallard doctor`.
func runDoctor(ctx context.Context, o *options, t terminal) int {
	if o.install {
		if err := fetch(ctx, o.args, t); err != nil {
			fmt.Fprintf(t.err, "mallard doctor: %v\n", err)
			return exitFailed
		}
	}
	text, code := report(ctx, o)
	fmt.Fprint(t.out, text)
	return code
}

// report is what the doctor says, with the exit code.
func report(ctx context.Context, o *options) (text string, code int) {
	var b strings.Builder
	code = exitDone
	for _, f := range diagnose(ctx, o) {
		mark := "ok  "
		switch {
		case f.fatal:
			mark, code = "FAIL", exitFailed
		case f.todo != "":
			mark = "note"
		}
		fmt.Fprintf(&b, "%s  %-14s %s\n", mark, f.subject, f.state)
		if f.todo != "" {
			for _, line := range shell.Wrap(f.todo, 58) {
				fmt.Fprintf(&b, "%21s%s\n", "", line)
			}
		}
	}
	fmt.Fprintf(&b, "%s  %-14s %s\n", "ok  ", "Python", "is not needed")
	return b.String(), code
}

// fetch brings what is named, or all that Mallard can use, into the user's cache folder, where it is looked for.
func fetch(ctx context.Context, names []string, t terminal) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	if len(names) == 0 {
		names = mallard.Installable()
	}
	for _, name := range names {
		if err := mallard.Install(ctx, name, t.err); err != nil {
			return err
		}
	}
	return nil
}

func diagnose(ctx context.Context, o *options) []finding {
	list := []finding{{subject: "mallard", state: versionText()}}
	cfg, file, err := o.loadConfig()
	switch {
	case err != nil:
		list = append(list, finding{"configuration", err.Error(), "correct the file; until then no database can be opened", true})
		cfg = mallard.DefaultConfig()
	case file == "":
		list = append(list, finding{subject: "configuration", state: "none, the defaults hold"})
	default:
		list = append(list, finding{subject: "configuration", state: file})
	}
	list = append(list, database(ctx, o, cfg), tensorFlow(cfg), googleSQL(cfg), cacheFolder(), modelStore(cfg))
	list = append(list, connections(ctx, o, cfg)...)
	list = append(list, buckets(ctx, o, cfg)...)
	if n := len(cfg.Models); n > 0 {
		list = append(list, finding{subject: "models", state: fmt.Sprintf("%d declared in the configuration", n)})
	}
	return list
}

func database(ctx context.Context, o *options, cfg *mallard.Config) finding {
	s, err := o.connect(ctx, cfg, "", false)
	if err == nil {
		_, err = s.conn.ExecContext(ctx, "SELECT 42")
		err = errors.Join(err, s.close())
	}
	if err != nil {
		return finding{"database", err.Error(), "this is a fault of Mallard or of its build, please report it", true}
	}
	return finding{subject: "database", state: "DuckDB " + mapping.LibraryVersion() + " opens and answers"}
}

func tensorFlow(cfg *mallard.Config) finding {
	lib, err := tensorflow.Find(tensorflow.FindOptions{Path: cfg.TensorFlow.Library})
	if err != nil {
		return finding{"TensorFlow", "not found", err.Error(), true}
	}
	where := fmt.Sprintf("%s (from %s)", lib.Dir, lib.Source)
	rt, err := tensorflow.Open(lib)
	if err != nil {
		return finding{"TensorFlow", where, err.Error(), true}
	}
	return finding{subject: "TensorFlow", state: rt.Version() + " in " + where}
}

func googleSQL(cfg *mallard.Config) finding {
	source, err := installed.Find(config.Path(cfg, cfg.GoogleSQL.Library))
	if errors.Is(err, installed.ErrNone) {
		return finding{"GoogleSQL", "not installed; statements in BigQuery's dialect are read by simpler rules", err.Error(), false}
	}
	if err != nil {
		return finding{"GoogleSQL", "not found", err.Error(), true}
	}
	if _, err := source.Open(nil); err != nil {
		return finding{"GoogleSQL", source.String(), err.Error(), true}
	}
	return finding{subject: "GoogleSQL", state: source.String()}
}

func modelStore(cfg *mallard.Config) finding {
	dir := cfg.Store.Path
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return finding{"model store", "this user has no cache folder", "set path below [store] in the configuration", true}
		}
		dir = filepath.Join(cache, "mallard", "models")
	}
	var bytes, files int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			bytes += info.Size()
			files++
		}
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return finding{subject: "model store", state: dir + ", still empty"}
	case err != nil:
		return finding{"model store", err.Error(), "make the folder readable or set path below [store] in the configuration", true}
	}
	return finding{subject: "model store", state: fmt.Sprintf("%s, %s, %.1f MB", dir, amount.Of(files, "file"), float64(bytes)/1e6)}
}
