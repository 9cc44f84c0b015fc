package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rivo/uniseg"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/trace"
)

// analyzed is how a statement begins whose plan has times in it.
var analyzed = regexp.MustCompile(`(?is)^\s*(?:#[^\n]*\n\s*)*EXPLAIN\s+(?:ANALYZE\b|\([^)]*\bANALYZE\b)`)

// tally counts what each model does for a statement.
type tally struct {
	mu     sync.Mutex
	models []*tallied
}

// tallied is what one model did. The times of batches that ran side by side add up, as those of DuckDB's operators do; of requests it is
// the time in which any was under way.
type tallied struct {
	model         string
	rows, batches int
	opening, busy time.Duration
	until         time.Time // of the requests so far
	remote        bool
}

// Trace implements [trace.Tracer].
func (t *tally) Trace(_ context.Context, e trace.Event) {
	if e.Model == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.models, func(m *tallied) bool { return m.model == e.Model })
	if i < 0 {
		i = len(t.models)
		t.models = append(t.models, &tallied{model: e.Model})
	}
	m := t.models[i]
	switch e.Kind {
	case trace.ModelOpened:
		m.opening += e.Duration
	case trace.BatchRun:
		m.rows, m.batches, m.busy = m.rows+e.Rows, m.batches+1, m.busy+e.Duration
	case trace.RequestSent, trace.Retried:
		now := time.Now()
		began := now.Add(-e.Duration)
		if began.Before(m.until) {
			began = m.until
		}
		m.remote, m.until, m.busy = true, now, m.busy+now.Sub(began)
	case trace.CacheHit:
		m.remote = true
	}
}

// lines tell what a model did.
func (m *tallied) lines(used []dispatch.Usage) (list []string) {
	add := func(n int64, format string, text string) {
		if n > 0 {
			list = append(list, fmt.Sprintf(format, text))
		}
	}
	if !m.remote {
		list = append(list, amount.Of(m.rows, "row"), amount.Of(m.batches, "batch"))
		add(int64(m.opening), "%s to open it", seconds(m.opening))
		return append(list, seconds(m.busy))
	}
	for _, u := range used {
		if u.Model != m.model {
			continue
		}
		list = append(list, amount.Of(u.Rows, "row"))
		add(u.Cached, "%s from the cache", amount.Grouped(u.Cached))
		add(u.Repeated, "%s equal to others", amount.Grouped(u.Repeated))
		add(u.Failed, "%s failed", amount.Grouped(u.Failed))
		list = append(list, amount.Of(u.Requests, "request"))
		add(u.Retries, "%s", amount.Of(u.Retries, "retry"))
		add(u.InputTokens+u.OutputTokens, "%s", amount.Of(u.InputTokens+u.OutputTokens, "token"))
		if u.Priced {
			list = append(list, "cost "+amount.Money(u.Money))
		}
	}
	return append(list, seconds(m.busy))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3fs", d.Seconds()) }

// picture draws a box for each model, as those of DuckDB's operators.
func (t *tally) picture(used []dispatch.Usage) string {
	const room = 27
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	line := func(text string) {
		pad := max(room-uniseg.StringWidth(text), 0)
		fmt.Fprintf(&b, "│%s%s%s│\n", strings.Repeat(" ", pad/2), text, strings.Repeat(" ", pad-pad/2))
	}
	for _, m := range t.models {
		b.WriteString("┌" + strings.Repeat("─", room) + "┐\n")
		line("MODEL")
		line(strings.Repeat("─", 20))
		for _, part := range shell.Wrap(strings.ReplaceAll(m.model, `"`, ""), room) {
			line(part)
		}
		line("")
		for _, text := range m.lines(used) {
			line(text)
		}
		b.WriteString("└" + strings.Repeat("─", room) + "┘\n")
	}
	return b.String()
}

// leads are the columns of results of ours that are worth most, of each result in the order in which they are shown.
var leads = [][]string{
	{"name", "role", "sql_type", "shape", "signature", "active", "dtype", "tags"},             // DESCRIBE MODEL
	{"dataset", "model", "inputs", "outputs", "type"},                                         // SHOW MODELS
	{"model_name", "schema_name", "inputs", "outputs", "model_type", "signature"},             // ml_models
	{"uri", "size", "updated", "content_type"},                                                // an object table
	{"model", "requests", "input_tokens", "output_tokens", "money", "cached", "failed"},       // ml_usage
	{"model", "rows", "requests", "input_tokens", "output_tokens", "money", "time", "cached"}, // EXPLAIN ML
}

// ofObjects are the other columns of an object table.
var ofObjects = []string{"generation", "md5_hash", "metadata", "ref", "data"}

// lead gives the columns that are shown first where not all have room. What a query adds to an object table, such as predictions, stands
// behind the object's name.
func lead(names []string) []int {
	for _, first := range leads {
		var order, added, others []int
		for _, name := range first {
			if i := slices.Index(names, name); i >= 0 {
				order = append(order, i)
			}
		}
		if len(order) < len(first) {
			continue
		}
		for i, name := range names {
			switch {
			case slices.Contains(order, i):
			case first[0] == "uri" && !slices.Contains(ofObjects, name):
				added = append(added, i)
			default:
				others = append(others, i)
			}
		}
		return slices.Concat(order[:1], added, order[1:], others)
	}
	return nil
}
