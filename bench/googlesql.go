package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/installed"
)

// analysis times what GoogleSQL's analyzer takes, in each of its forms, over what it may take.
func analysis(ctx context.Context, b *bench) error {
	for _, form := range []struct {
		name    string
		find    func() (installed.Source, error)
		targets [4]time.Duration
	}{
		{"WebAssembly", installed.FindWASM, [4]time.Duration{20 * time.Millisecond, 50 * time.Microsecond, 300 * time.Millisecond,
			50 * time.Millisecond}},
		{"native", installed.FindNative, [4]time.Duration{3 * time.Millisecond, 50 * time.Microsecond, 60 * time.Millisecond,
			10 * time.Millisecond}},
	} {
		source, err := form.find()
		if errors.Is(err, installed.ErrNone) {
			b.progress("  %v", err)
			continue
		}
		if err != nil {
			return err
		}
		service, err := source.Open(func(line string) { b.progress("  %s", line) })
		if err != nil {
			return err
		}
		a, err := analyzer.New(ctx, service)
		if err != nil {
			return err
		}
		if err := b.analyses(ctx, form.name, a, form.targets); err != nil {
			return err
		}
	}
	return nil
}

// analyses times an analyzer: a new line over a known table, the same again, 200 new lines, and a line over a new table.
func (b *bench) analyses(ctx context.Context, form string, a *analyzer.Analyzer, targets [4]time.Duration) error {
	n := 0
	catalog := func(table string) *analyzer.Catalog {
		return &analyzer.Catalog{Tables: []analyzer.Table{{Path: []string{table}, Columns: []googlesql.Field{
			{Name: "a", Type: googlesql.Type{Kind: googlesql.Int64}}, {Name: "s", Type: googlesql.Type{Kind: googlesql.String}}}}}}
	}
	analyze := func(sql string, c *analyzer.Catalog) error {
		if _, err := a.Tables(ctx, sql); err != nil {
			return err
		}
		_, err := a.Analyze(ctx, sql, c, analyzer.Parameters{Undeclared: true})
		return err
	}
	line := func(table string) string {
		n++
		return fmt.Sprintf("SELECT s, SUM(a) AS n%d FROM %s WHERE a > 1 GROUP BY s ORDER BY 2 LIMIT 10", n, table)
	}
	known, again := catalog("t"), line("t")
	jobs := []struct {
		what string
		run  func() error
	}{
		{"a line", func() error { return analyze(line("t"), known) }},
		{"the same line again", func() error { return analyze(again, known) }},
		{"200 lines", func() error {
			n++
			column := fmt.Sprintf(",\n  CASE WHEN a > %d THEN s ELSE SUBSTR(s, 2) END", n)
			return analyze("SELECT a"+strings.Repeat(column, 199)+"\nFROM t", known)
		}},
		{"a line over a new table", func() error {
			n++
			table := fmt.Sprintf("t%d", n)
			return analyze(line(table), catalog(table))
		}},
	}
	for i, j := range jobs {
		if err := j.run(); err != nil { // warm
			return err
		}
		name := j.what + ", " + form
		ts, err := b.race(ctx, "googlesql", []contestant{{name: name, rows: 1, inside: true, run: func(context.Context) (lap, error) {
			return lap{}, j.run()
		}}})
		if err != nil {
			return err
		}
		var over []float64
		for _, s := range ts.wall[name] {
			over = append(over, s/targets[i].Seconds())
		}
		b.ratios = append(b.ratios, ratio{"googlesql", fmt.Sprintf("%s / %v", name, targets[i]), over, atMost, 1})
	}
	return nil
}
