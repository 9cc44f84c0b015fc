package extension

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/dispatch"
)

// Progress tells how far a statement is. Give one to a context with [WithProgress]; read it from any goroutine.
type Progress struct {
	rows atomic.Int64

	mu          sync.Mutex
	conn        *mapping.Connection // while a statement runs
	q           *queryState         // the same
	remote      dispatch.Progress   // of the statement before
	usage       []dispatch.Usage    // the same
	copied, all int64
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

// Remote tells how far the remote models of the statement are; of a statement that has ended, how far they came. It is
// zero for one that asks none.
func (p *Progress) Remote() dispatch.Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.q == nil {
		return p.remote
	}
	if st := p.q.asked(); st != nil {
		return st.Progress()
	}
	return dispatch.Progress{}
}

// Usage tells what the statement asked of each remote model so far; of a statement that has ended, in all.
func (p *Progress) Usage() []dispatch.Usage {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.q == nil {
		return p.usage
	}
	if st := p.q.asked(); st != nil {
		return st.Meter.Usage()
	}
	return nil
}

// Copied is how many bytes of a model's files have come from a bucket, of how many in all: zero unless the statement
// creates a model and its MODEL_PATH is in a bucket.
func (p *Progress) Copied() (done, all int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.copied, p.all
}

// copied shows it to the statement that runs under the context.
func copied(ctx context.Context, done, all int64) {
	if p, ok := ctx.Value(progressKey{}).(*Progress); ok && p != nil {
		p.setCopied(done, all)
	}
}

func (p *Progress) setCopied(done, all int64) {
	p.mu.Lock()
	p.copied, p.all = done, all
	p.mu.Unlock()
}

// attach begins to show a statement.
func (p *Progress) attach(h *mapping.Connection, q *queryState) {
	p.mu.Lock()
	p.conn, p.q, p.copied, p.all = h, q, 0, 0
	p.mu.Unlock()
}

// detach ends that.
func (p *Progress) detach() {
	last, used := p.Remote(), p.Usage()
	p.mu.Lock()
	p.conn, p.q, p.copied, p.all = nil, nil, 0, 0
	p.remote, p.usage = last, used
	p.mu.Unlock()
}

type (
	progressKey    struct{}
	noticeKey      struct{}
	tokenBudgetKey struct{}
)

// WithTokenBudget bounds the tokens that a statement under the context may spend, where the configuration allows more.
func WithTokenBudget(ctx context.Context, tokens int64) context.Context {
	return context.WithValue(ctx, tokenBudgetKey{}, tokens)
}

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
