package main

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// slowModel runs a model of about a millisecond a row over full chunks, over what read_text gives (a row a chunk), and
// over what a filter leaves of a large table (twenty rows a chunk).
func slowModel(ctx context.Context, b *bench) error {
	const name, bareLoop = "slow", "bare loop, batch 32"
	m, err := openMallard(ctx, b.dir, "", false, name)
	if err != nil {
		return err
	}
	defer m.close()
	if err := m.load(ctx, b.data, "essays", "sparse"); err != nil {
		return err
	}
	rows := b.data.slow
	essays := &job{name: name, table: "essays", columns: []string{"text"}, output: "score", width: 1, text: true}
	x, err := quickest(ctx, b, essays, 32)
	if err != nil {
		return err
	}
	defer x.close()
	var cs []contestant
	add := func(name string, run func(ctx context.Context) (lap, error)) {
		cs = append(cs, contestant{name, rows, run, true})
	}
	predict := func(f form, query string) func(ctx context.Context) (lap, error) {
		return func(ctx context.Context) (lap, error) { return m.count(ctx, f.from(name, query), "score", rows) }
	}
	const filtered = "SELECT text FROM sparse WHERE id % 100 = 0"
	files := fmt.Sprintf("SELECT content AS text FROM read_text('%s/*.txt')", b.data.files)
	add("full chunks", predict(native, "SELECT text FROM essays"))
	add("read_text", predict(native, files))
	add("1 % filter", predict(native, filtered))
	add("read_text, ML.PREDICT", predict(bigquery, files))
	add("1 % filter, ML.PREDICT", predict(bigquery, filtered))
	add(bareLoop, func(ctx context.Context) (lap, error) { return x.loop(ctx, 32, nil) })
	ts, err := b.race(ctx, name, cs)
	if err != nil {
		return err
	}
	// Threads that compute, not those that spin: the bare loop has them all (as far as other programs leave them), so
	// whoever takes as long as it does has them all too.
	for _, n := range []string{"full chunks", "read_text", "1 % filter"} {
		b.ratios = append(b.ratios, ratio{name, n + ", useful threads / those of the bare loop", ts.over(bareLoop, n), atLeast, 0.9})
	}
	for _, n := range []string{"read_text", "1 % filter", "read_text, ML.PREDICT", "1 % filter, ML.PREDICT"} {
		b.ratios = append(b.ratios, ratio{name, n + " / full chunks, time per row", ts.over(n, "full chunks"), atMost, 1.2})
	}
	return nil
}

// cpuTime is the processor time of this process so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
