package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// memory compares the peak of a process that predicts many rows with that of one that predicts a hundredth of them. The
// rows are made as they are read, and DuckDB's own cache is bounded alike in both, so what grows is ours.
func memory(ctx context.Context, b *bench) error {
	many := 20 * b.rows
	few := max(many/100, 1)
	for _, f := range []form{native, bigquery} {
		for _, form := range []struct{ name, query string }{
			{"aggregate", "SELECT count(probabilities) FROM %s"},
			{"CTAS", "CREATE TABLE predicted AS SELECT * FROM %s"},
			{"COPY", "COPY (FROM %s) TO '" + b.file("predicted.parquet") + "'"},
		} {
			if f == bigquery && form.name == "aggregate" {
				continue
			}
			name := string(f) + ", " + form.name
			var quotients []float64
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
			}
			b.ratios = append(b.ratios, ratio{"memory", fmt.Sprintf("%s, peak of %d rows / of %d", name, many, few), quotients, atMost, 1.3})
		}
	}
	return nil
}

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
	begin := time.Now()
	o, err := b.spawn(ctx, task{Dir: b.dir, DB: db, Model: perceptron.name,
		Setup: []string{"SET memory_limit = '256MB'"},
		Query: fmt.Sprintf(query, f.from(perceptron.name, fmt.Sprintf("SELECT i AS id%s FROM range(%d) AS r(i)", columns, rows)))})
	return o, time.Since(begin), err
}
