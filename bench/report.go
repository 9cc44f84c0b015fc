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

// unsteady is the quotient of the highest and the lowest round from which on the table says so: such a row tells more of
// the machine than of the contestants.
const unsteady = 2

func (r ratio) spread() string {
	low, high := slices.Min(r.values), slices.Max(r.values)
	if r.sense != none && high > unsteady*low {
		return fmt.Sprintf("unsteady: %.1f × from round to round", high/low)
	}
	return ""
}

// report prints what has been measured since it was called last, and adds it to the files. A missed target is no error.
func (b *bench) report(w io.Writer) error {
	entries, ratios, rounds := b.entries[b.printed.entries:], b.ratios[b.printed.ratios:], b.rounds_[b.printed.rounds:]
	first := b.printed.rounds == 0
	b.printed.entries, b.printed.ratios, b.printed.rounds = len(b.entries), len(b.ratios), len(b.rounds_)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if first {
		fmt.Fprintf(w, "%d rows, at most %d rounds, %d threads, TensorFlow %s. Ratios are formed round by round; every contestant ran in every "+
			"round.\n",
			b.rows, b.rounds, b.threads, b.tf.Version())
	}
	if len(entries) > 0 {
		fmt.Fprintln(t, "\nmeasure\tcontestant\trows\tmedian\tthreads\tspeed")
	}
	for _, e := range entries {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\n", e.measure, e.name, e.rows, seconds(e.seconds), busy(e), speed(e.rows, e.seconds))
	}
	t.Flush()
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(ratios) > 0 {
		fmt.Fprintln(t, "\nmeasure\tratio\tmedian\tmin–max\ttarget\t\t")
	}
	for _, r := range ratios {
		fmt.Fprintf(t, "%s\t%s\t%.2f\t%.2f–%.2f\t%s\t%s\t%s\n",
			r.measure, r.what, median(r.values), slices.Min(r.values), slices.Max(r.values), r.reach(), r.verdict(), r.spread())
	}
	t.Flush()
	return b.write(first, ratios, rounds)
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

// write adds rows to the files, which it makes anew at first.
func (b *bench) write(first bool, ratios []ratio, rounds []round_) error {
	var table, laps [][]string
	if first {
		table = [][]string{{"measure", "what", "median", "min", "max", "sense", "target", "verdict"}}
		laps = [][]string{{"measure", "contestant", "round", "rows", "seconds", "cpu_seconds"}}
	}
	g := func(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }
	for _, r := range ratios {
		target := ""
		if r.target != 0 || r.sense == none {
			target = g(r.target)
		}
		table = append(table, []string{r.measure, r.what, g(median(r.values)), g(slices.Min(r.values)), g(slices.Max(r.values)), string(r.sense),
			target, r.verdict()})
	}
	for _, r := range rounds {
		laps = append(laps, []string{r.measure, r.name, strconv.Itoa(r.round), strconv.Itoa(r.rows), g(r.seconds), g(r.cpu)})
	}
	return errors.Join(writeCSV(b.file("results.csv"), first, table), writeCSV(b.file("rounds.csv"), first, laps))
}

// draw makes results.png where there is a Python to do it. A picture that fails costs nothing but itself.
func (b *bench) draw(ctx context.Context) {
	if b.python == "" || len(b.ratios) == 0 {
		return
	}
	cmd := exec.CommandContext(ctx, b.python, b.file("plot.py"), b.file("results.csv"), b.file("rounds.csv"), b.file("results.png"))
	if out, err := cmd.CombinedOutput(); err != nil {
		b.progress("results.png was not drawn: %v: %s", err, out)
		return
	}
	b.progress("wrote %s", b.file("results.png"))
}

func writeCSV(file string, first bool, rows [][]string) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if first {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(file, flags, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(csv.NewWriter(f).WriteAll(rows), f.Close())
}
