package main

import (
	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/dispatch"
)

// progress words the extension's progress for the shell.
type progress struct {
	p     *mallard.Progress
	tally *tally // of EXPLAIN ANALYZE; nil for other statements
}

// Below implements [shell.Progress].
func (p progress) Below() string {
	if p.tally == nil {
		return ""
	}
	return p.tally.picture(p.p.Usage())
}

// State implements [shell.Progress].
func (p progress) State() shell.State {
	if done, all := p.p.Copied(); all > 0 {
		const mb = 1 << 20
		return shell.State{Doing: "copying the model", Rows: done / mb, Total: max(all/mb, 1), Unit: "MB"}
	}
	r := p.p.Remote()
	if r.Submitted > 0 {
		return asked(r)
	}
	st := shell.State{Rows: p.p.Rows(), Fraction: -1}
	if f, ok := p.p.Fraction(); ok {
		st.Fraction = f
	}
	return st
}

// asked words how far remote models are.
func asked(r dispatch.Progress) (st shell.State) {
	st.Fraction = -1
	// DuckDB counts the rows that were read, which is far ahead of those that were answered.
	st.Rows, st.Total = r.Done, r.Submitted
	note := func(n int64, what string) {
		if n > 0 {
			st.Notes = append(st.Notes, amount.Grouped(n)+" "+what)
		}
	}
	note(r.Cached, "from the cache")
	if r.Retries > 0 {
		st.Notes = append(st.Notes, amount.Of(r.Retries, "retry"))
	}
	var failed int64
	for _, n := range r.Failed {
		failed += n
	}
	note(failed, "failed")
	if r.Tokens > 0 {
		st.Notes = append(st.Notes, amount.Of(r.Tokens, "token"))
	}
	if r.Money > 0 {
		st.Notes = append(st.Notes, "cost "+amount.Money(r.Money))
	}
	return st
}
