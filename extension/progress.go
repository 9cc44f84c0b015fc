package extension

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// Progress tells how far a statement is. Give one to a context with [WithProgress]; read it from any goroutine.
type Progress struct {
	rows atomic.Int64

	mu   sync.Mutex
	conn *mapping.Connection // while a statement runs
}

// Rows is the number of rows that models have answered so far.
func (p *Progress) Rows() int64 { return p.rows.Load() }

// Fraction is the part of the statement that DuckDB believes to be done, from 0 to 1. ok is false when DuckDB does not
// know, which is so unless the connection has `enable_progress_bar` set.
func (p *Progress) Fraction() (f float64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		return 0, false
	}
	q := mapping.QueryProgress(*p.conn)
	percent, _, _ := mapping.QueryProgressTypeMembers(&q)
	return percent / 100, percent >= 0
}

func (p *Progress) attach(h *mapping.Connection) {
	p.mu.Lock()
	p.conn = h
	p.mu.Unlock()
}

type (
	progressKey struct{}
	noticeKey   struct{}
)

// WithProgress makes statements that run under the context report to p.
func WithProgress(ctx context.Context, p *Progress) context.Context {
	return context.WithValue(ctx, progressKey{}, p)
}

// WithNotices makes statements that run under the context say what they did, such as "Successfully created model named
// demo.m." f is called on the goroutine of the statement.
func WithNotices(ctx context.Context, f func(string)) context.Context {
	return context.WithValue(ctx, noticeKey{}, f)
}

func notify(ctx context.Context, text string) {
	if f, ok := ctx.Value(noticeKey{}).(func(string)); ok {
		f(text)
	}
}
