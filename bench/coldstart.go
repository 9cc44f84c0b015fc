package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// coldStart times whole processes, from exec to exit after the first row. Both find their files in the page cache.
func coldStart(ctx context.Context, b *bench) error {
	db := b.file("coldstart.duckdb")
	for _, f := range []string{db, db + ".wal"} {
		if err := os.RemoveAll(f); err != nil {
			return err
		}
	}
	m, err := openMallard(ctx, b.dir, db, false, classifier.name)
	if err != nil {
		return err
	}
	m.close()
	const text = "show hn a database that quacks"
	t := task{Dir: b.dir, DB: db, Query: "SELECT dense_1 FROM " + bigquery.from(classifier.name, "SELECT ? AS input"), Args: []string{text}}
	cs := []contestant{{name: "Mallard", run: func(ctx context.Context) (lap, error) {
		o, err := b.spawn(ctx, t)
		if err == nil && o.Row == "" {
			err = fmt.Errorf("no row")
		}
		return lap{}, err
	}}}
	if b.python != "" {
		cs = append(cs, contestant{name: "Python", run: func(ctx context.Context) (lap, error) {
			return lap{}, exec.CommandContext(ctx, b.python, b.file("peer.py"), "first", b.file("models", classifier.name), text).Run()
		}})
	}
	for _, c := range cs { // fills the page cache
		if _, err := c.run(ctx); err != nil {
			return err
		}
	}
	ts, err := b.race(ctx, "coldstart", cs)
	if err == nil && b.python != "" {
		b.ratios = append(b.ratios, ratio{"coldstart", "process to first row, Mallard / Python", ts.over("Mallard", "Python"), atMost, 0.3})
	}
	return err
}
