package main

import (
	"context"
	"slices"
	"time"

	"github.com/mallardml/mallard/connectors/tensorflow"
)

// oneRow compares a prepared prediction of one row with a bare run of one row, half of a sample at a time.
func oneRow(ctx context.Context, b *bench) error {
	m, err := openMallard(ctx, b.dir, "", false, classifier.name)
	if err != nil {
		return err
	}
	defer m.close()
	x, err := quickest(ctx, b, classifier, 1)
	if err != nil {
		return err
	}
	defer x.close()
	stmt, err := m.conn.PrepareContext(ctx, "SELECT dense_1 FROM "+bigquery.from(classifier.name, "SELECT ? AS input"))
	if err != nil {
		return err
	}
	defer stmt.Close()
	texts := b.data.texts[classifier.table]
	next := 0
	text := func() string { next++; return texts[next%len(texts)] }

	prepared := func(ctx context.Context) error {
		var v any
		return stmt.QueryRowContext(ctx, text()).Scan(&v)
	}
	bare := func(ctx context.Context) error {
		r, err := x.session.Run(ctx, []tensorflow.Tensor{{DType: tensorflow.String, Shape: []int64{1}, Strings: []string{text()}}})
		if err != nil {
			return err
		}
		return r.Close()
	}
	calls := min(1000, b.rows)
	p50 := func(f func(context.Context) error) func(context.Context) (lap, error) {
		return func(ctx context.Context) (lap, error) {
			var ds []time.Duration
			before := cpuTime()
			for range calls {
				begin := time.Now()
				if err := f(ctx); err != nil {
					return lap{}, err
				}
				ds = append(ds, time.Since(begin))
			}
			slices.Sort(ds)
			return lap{ds[len(ds)/2], (cpuTime() - before) / time.Duration(calls)}, nil
		}
	}
	for _, f := range []func(context.Context) error{prepared, bare} {
		if _, err := p50(f)(ctx); err != nil { // warm
			return err
		}
	}
	ts, err := b.race(ctx, "onerow", []contestant{
		{"prepared ML.PREDICT of one row, p50", 1, p50(prepared), true},
		{"bare run of one row, p50", 1, p50(bare), true},
	})
	if err != nil {
		return err
	}
	b.ratios = append(b.ratios, ratio{"onerow", "prepared ML.PREDICT / bare run, p50",
		ts.over("prepared ML.PREDICT of one row, p50", "bare run of one row, p50"), atMost, 1.8})
	return nil
}
