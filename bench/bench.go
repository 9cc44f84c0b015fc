package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/mallardml/mallard/connectors/tensorflow"
)

// files are what the benchmark needs at run time, so that it works from any folder.
//
//go:embed all:models peer.py plot.py c/bare.c requirements.txt
var files embed.FS

// bench is one run.
type bench struct {
	options
	begin   time.Time
	threads int
	data    *dataset
	lib     tensorflow.Library
	tf      *tensorflow.Runtime
	python  string // the interpreter, "" when Python is left out
	peer_   *peer
	quiet   bool

	entries []entry
	rounds_ []round_
	ratios  []ratio
	failed  []error

	until   time.Time // when the measure at hand should be over; zero for no limit
	printed struct{ entries, ratios, rounds int }
}

// allot gives the measure at hand its share of the time that is left, of so many measures.
func (b *bench) allot(measures int) {
	if b.time > 0 {
		left := b.time - time.Since(b.begin)
		b.until = time.Now().Add(left / time.Duration(measures))
	}
}

// enough reports whether no further round is to run, after so many. Two rounds always run: one has no spread.
func (b *bench) enough(rounds int) bool {
	return rounds >= b.rounds || rounds >= 2 && !b.until.IsZero() && time.Now().After(b.until)
}

func open(ctx context.Context, o options) (*bench, error) {
	b := &bench{options: o, begin: time.Now(), threads: runtime.GOMAXPROCS(0)}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return nil, err
	}
	if b.cpuProfile != "" {
		if err := os.MkdirAll(b.cpuProfile, 0o755); err != nil {
			return nil, err
		}
	}
	if err := unpack(b.dir); err != nil {
		return nil, err
	}
	var err error
	if b.lib, err = tensorflow.Find(tensorflow.FindOptions{}); err != nil {
		return nil, err
	}
	if b.tf, err = tensorflow.Open(b.lib); err != nil {
		return nil, err
	}
	if !o.noPython {
		if b.python, err = findPython(ctx, b); err != nil {
			b.progress("Python is left out: %v", err)
		}
	}
	b.progress("TensorFlow %s from %s, %d threads", b.tf.Version(), b.lib.Source, b.threads)
	b.data, err = makeData(ctx, b)
	return b, err
}

func (b *bench) close() {
	if b.peer_ != nil {
		b.peer_.close()
	}
}

// progress tells a person on stderr how far it is.
func (b *bench) progress(format string, args ...any) {
	if !b.quiet {
		fmt.Fprintf(os.Stderr, "%6.1fs  %s\n", time.Since(b.begin).Seconds(), fmt.Sprintf(format, args...))
	}
}

// unpack writes the embedded files, the models anew each time.
func unpack(dir string) error {
	if err := os.RemoveAll(filepath.Join(dir, "models")); err != nil {
		return err
	}
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err != nil || d.IsDir() {
			return errors.Join(err, os.MkdirAll(to, 0o755))
		}
		body, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, body, 0o644)
	})
}

func (b *bench) file(name ...string) string {
	return filepath.Join(append([]string{b.dir}, name...)...)
}
