package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// memory compares the peak of a process that predicts many rows with that of one that predicts a hundredth of them. The
// rows are made as they are read, and DuckDB's own cache is bounded alike in both. What DuckDB itself takes for as many
// rows of the same width is measured beside it: what grows beyond that is ours.
func memory(ctx context.Context, b *bench) error {
	many := 20 * b.rows
	few := max(many/100, 1)
	own := map[string]float64{} // by consumer, what DuckDB alone grows by
	for _, f := range []form{plainSQL, native, bigquery} {
		for _, form := range []struct{ name, query string }{
			{"aggregate", "SELECT count(probabilities) FROM %s"},
			{"CTAS", "CREATE TABLE predicted AS SELECT * FROM %s"},
			{"COPY", "COPY (FROM %s) TO '" + b.file("predicted.parquet") + "'"},
		} {
			if f == bigquery && form.name == "aggregate" {
				continue
			}
			name := string(f) + ", " + form.name
			var quotients, less, growth []float64
			for round := range max(b.rounds/2, 1) {
				var peaks [2]float64
				for i, rows := range []int{many, few} {
					o, d, err := b.footprint(ctx, f, form.query, rows)
					if err != nil {
						return fmt.Errorf("%s: %w", name, err)
					}
					peaks[i] = float64(o.Peak)
					b.progress("  %-20s %9d rows  peak %4d MB  %s", name, rows, o.Peak>>20, speed(rows, d.Seconds()))
					b.rounds_ = append(b.rounds_, round_{"memory", fmt.Sprintf("%s, %d rows, MB", name, rows), round + 1, rows, peaks[i] / (1 << 20), 0})
				}
				quotients = append(quotients, peaks[0]/peaks[1])
				growth = append(growth, peaks[0]-peaks[1])
				less = append(less, (peaks[0]-max(own[form.name], 0))/peaks[1])
			}
			what := fmt.Sprintf("%s, peak of %d rows / of %d", name, many, few)
			if f == plainSQL {
				own[form.name] = median(growth)
				b.ratios = append(b.ratios, ratio{"memory", what, quotients, atMost, 0})
				continue
			}
			b.ratios = append(b.ratios, ratio{"memory", what, quotients, atMost, 1.3})
			b.ratios = append(b.ratios, ratio{"memory", name + ", the same without the growth of DuckDB alone", less, atMost, 0})
		}
	}
	return nil
}

// plainSQL stands for no prediction at all.
const plainSQL form = "DuckDB alone"

func (b *bench) footprint(ctx context.Context, f form, query string, rows int) (outcome, time.Duration, error) {
	db := b.file("memory.duckdb")
	defer func() {
		for _, f := range []string{db, db + ".wal", b.file("predicted.parquet")} {
			_ = os.Remove(f)
		}
	}()
	columns := ""
	for i, c := range perceptron.columns {
		columns += fmt.Sprintf(", (hash(i + %d) %% 1000)::FLOAT / 100 AS %s", i, c)
	}
	input := fmt.Sprintf("SELECT i AS id%s FROM range(%d) AS r(i)", columns, rows)
	t := task{Dir: b.dir, DB: db, Model: perceptron.name, Setup: []string{"SET memory_limit = '256MB'"}}
	if f == plainSQL { // an output of the same type, of numbers that compress as badly
		t.Model = ""
		t.Query = fmt.Sprintf(query, "(SELECT array_value(sin(id)::FLOAT, cos(id)::FLOAT, sin(id + 1)::FLOAT) AS probabilities, * FROM ("+input+
			"))")
	} else {
		t.Query = fmt.Sprintf(query, f.from(perceptron.name, input))
	}
	begin := time.Now()
	o, err := b.spawn(ctx, t)
	return o, time.Since(begin), err
}
