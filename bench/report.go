package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"text/tabwriter"
)

// sense says which way a ratio is to go.
type sense string

const (
	atLeast sense = "≥"
	atMost  sense = "≤"
	none    sense = "= 0" // of anything
)

// ratio is one line of the table.
type ratio struct {
	measure, what string
	values        []float64 // by round
	sense         sense
	target        float64 // 0: for information
}

func (r ratio) verdict() string {
	switch m := median(r.values); {
	case r.sense == none && slices.Max(r.values) == 0:
		return "ok"
	case r.sense == none:
		return "miss"
	case r.target == 0:
		return ""
	case r.sense == atLeast && m >= r.target, r.sense == atMost && m <= r.target:
		return "ok"
	default:
		return "miss"
	}
}

func (r ratio) reach() string {
	if r.sense == none {
		return string(none)
	}
	if r.target == 0 {
		return ""
	}
	return string(r.sense) + " " + strconv.FormatFloat(r.target, 'g', -1, 64)
}

// entry is one contestant's median.
type entry struct {
	measure, name string
	rows          int
	seconds, cpu  float64
}

// round_ is one run of one contestant.
type round_ struct {
	measure, name string
	round, rows   int
	seconds, cpu  float64
}

// report prints the tables and writes the files. A measure that failed is an error at the end; a missed target is not.
func (b *bench) report(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nmeasure\tcontestant\trows\tmedian\tthreads\tspeed")
	for _, e := range b.entries {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\n", e.measure, e.name, e.rows, seconds(e.seconds), busy(e), speed(e.rows, e.seconds))
	}
	t.Flush()
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nmeasure\tratio\tmedian\tmin–max\ttarget\t")
	for _, r := range b.ratios {
		fmt.Fprintf(t, "%s\t%s\t%.2f\t%.2f–%.2f\t%s\t%s\n", r.measure, r.what, median(r.values), slices.Min(r.values), slices.Max(r.values), r.reach(), r.verdict())
	}
	t.Flush()
	fmt.Fprintf(w, "\n%d rows, %d rounds, %d threads, TensorFlow %s. Ratios are formed round by round; every contestant ran in every round.\n",
		b.rows, b.rounds, b.threads, b.tf.Version())
	return errors.Join(append([]error{b.write()}, b.failed...)...)
}

// busy is how many threads a contestant kept busy, as far as it is known.
func busy(e entry) string {
	if e.cpu == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", e.cpu/e.seconds)
}

func seconds(s float64) string {
	switch {
	case s < 1e-3:
		return fmt.Sprintf("%.0f µs", s*1e6)
	case s < 1:
		return fmt.Sprintf("%.1f ms", s*1e3)
	}
	return fmt.Sprintf("%.2f s", s)
}

func (b *bench) write() error {
	table := [][]string{{"measure", "what", "median", "min", "max", "sense", "target", "verdict"}}
	g := func(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }
	for _, r := range b.ratios {
		target := ""
		if r.target != 0 || r.sense == none {
			target = g(r.target)
		}
		table = append(table, []string{r.measure, r.what, g(median(r.values)), g(slices.Min(r.values)), g(slices.Max(r.values)), string(r.sense), target, r.verdict()})
	}
	if err := writeCSV(b.file("results.csv"), table); err != nil {
		return err
	}
	table = [][]string{{"measure", "contestant", "round", "rows", "seconds", "cpu_seconds"}}
	for _, r := range b.rounds_ {
		table = append(table, []string{r.measure, r.name, strconv.Itoa(r.round), strconv.Itoa(r.rows), g(r.seconds), g(r.cpu)})
	}
	if err := writeCSV(b.file("rounds.csv"), table); err != nil {
		return err
	}
	if b.python == "" || len(b.ratios) == 0 {
		return nil
	}
	cmd := exec.CommandContext(context.Background(), b.python, b.file("plot.py"), b.file("results.csv"), b.file("rounds.csv"), b.file("results.png"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("results.png: %w: %s", err, out)
	}
	b.progress("wrote %s, rounds.csv and results.png", b.file("results.csv"))
	return nil
}

func writeCSV(file string, rows [][]string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(csv.NewWriter(f).WriteAll(rows), f.Close())
}
