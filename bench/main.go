// Command bench measures Mallard beside the bare C API of TensorFlow and beside DuckDB with TensorFlow in Python: the same
// models, the same rows, the same machine, turn by turn in one run. It prints ratios with their targets as each measure
// ends, and writes results.csv, rounds.csv and results.png into its output folder. It asserts nothing about time; it does
// check that everybody computes the same values.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mallardml/mallard/extension"
)

func main() {
	extension.RunWorker()
	if isChild() {
		runChild()
		return
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	o := defaults
	flag.IntVar(&o.rows, "rows", o.rows, "rows of the fast models; the others scale with it")
	flag.IntVar(&o.rounds, "rounds", o.rounds, "times that every contestant runs, in turns, while there is time; two at least")
	flag.DurationVar(&o.time, "time", o.time, "about how long the run may take; 0 for as long as it takes")
	only := flag.String("only", "", "names of measures, with commas between them; all when left out")
	quick := flag.Bool("quick", false, "a tenth of the rows, two rounds: to see whether it works")
	list := flag.Bool("list", false, "list the measures and leave")
	flag.BoolVar(&o.noPython, "nopython", false, "leave Python out")
	flag.StringVar(&o.dir, "o", o.dir, "folder for data, results and the Python environment")
	flag.StringVar(&o.cpuProfile, "cpuprofile", "", "folder for a CPU profile of every contestant inside this process")
	flag.Parse()
	if flag.NArg() > 0 || o.rows < 100 || o.rounds < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if *list {
		for _, m := range measures {
			fmt.Printf("%-12s %s\n", m.name, m.about)
		}
		return nil
	}
	if *quick {
		o.rows, o.rounds = o.rows/10, 2
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer b.close()
	for i, m := range chosen {
		b.allot(len(chosen) - i)
		b.progress("%s: %s", m.name, m.about)
		if err := m.run(ctx, b); err != nil {
			b.failed = append(b.failed, fmt.Errorf("%s: %w", m.name, err))
			b.progress("%s: %v", m.name, err)
		}
		if err := b.report(os.Stdout); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	b.draw(ctx)
	b.progress("wrote %s and rounds.csv", b.file("results.csv"))
	return errors.Join(b.failed...)
}

// choose finds the measures of a list of names.
func choose(names string) ([]measure, error) {
	if names == "" {
		return measures, nil
	}
	var chosen []measure
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(measures, func(m measure) bool { return m.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no measure %q; -list names them", name)
		}
		chosen = append(chosen, measures[i])
	}
	return chosen, nil
}
