package extension

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/functions/remote"
)

// running is a statement while it runs: what it lends to the callbacks that serve it.
type running struct {
	functions.Query
	in *instance

	mu     sync.Mutex
	cause  error             // the first typed error of a callback; DuckDB passes on only its text
	remote *remote.Statement // made when the first remote model is asked
	unread unread
}

func newRunning(ctx context.Context, in *instance) *running {
	q := &running{in: in}
	q.Context, q.Rows, q.Fail = ctx, new(atomic.Int64), q.fail
	return q
}

func (q *running) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.cause == nil {
		q.cause = err
	}
}

// noted gives the typed error of a callback, if there was one.
func (q *running) noted() error {
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.cause
}

// statement is what the remote calls of the statement share.
func (q *running) statement() *remote.Statement {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.remote == nil {
		o := remote.StatementOptions{Rows: q.Rows, Fail: q.fail}
		if q.in != nil {
			o.Session, o.Budget = &q.in.remote.session, q.in.cfg.Budget.statement()
		}
		if q.Context.Value(estimateKey{}) != nil {
			o.Estimate, o.Session, o.Budget = true, nil, remote.Budget{}
		}
		q.remote = remote.NewStatement(q.Context, o)
	}
	return q.remote
}

// begin lends the statement's context to the callbacks that will serve it. The function it returns ends that.
func (n *conn) begin(ctx context.Context) (*running, func()) {
	q := newRunning(ctx, n.in)
	p, _ := ctx.Value(progressKey{}).(*Progress)
	if p != nil {
		q.Rows = &p.rows
		p.attach(&n.h)
	}
	n.in.queries.Store(n.id, q)
	return q, func() {
		n.in.queries.Delete(n.id)
		if p != nil {
			p.attach(nil)
		}
		if s := q.unread.String(); s != "" {
			notify(ctx, s)
		}
		q.mu.Lock()
		st := q.remote
		q.mu.Unlock()
		if st != nil {
			st.End()
			if found, ok := ctx.Value(estimateKey{}).(*[]remote.Estimate); ok {
				*found = st.Estimates()
			}
			if s := remoteSummary(st.Progress()); s != "" {
				notify(ctx, s)
			}
		}
	}
}

// remoteSummary tells a person what a statement asked of remote models, as in `1,000 rows asked: 12 failed (RESOURCE
// EXHAUSTED 12), 900 cached; 112 requests, 12 retries, 40,210 tokens`.
func remoteSummary(p remote.Progress) string {
	if p.Done == 0 && p.Requests == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d rows answered by remote models", p.Done)
	var failed int64
	var causes []string
	for cause, n := range p.Failed {
		failed += n
		causes = append(causes, fmt.Sprintf("%s %d", cause, n))
	}
	sort.Strings(causes)
	if failed > 0 {
		fmt.Fprintf(&b, ", %d failed (%s)", failed, strings.Join(causes, ", "))
	}
	if p.Cached > 0 {
		fmt.Fprintf(&b, ", %d from the cache", p.Cached)
	}
	fmt.Fprintf(&b, "; %d requests", p.Requests)
	if p.Retries > 0 {
		fmt.Fprintf(&b, ", %d retries", p.Retries)
	}
	if p.Tokens > 0 {
		fmt.Fprintf(&b, ", %d tokens", p.Tokens)
	}
	if p.Money > 0 {
		fmt.Fprintf(&b, ", cost %.4f", p.Money)
	}
	if errors.Is(p.CacheError, remote.ErrReadOnly) {
		fmt.Fprintf(&b, "; %v", p.CacheError)
	} else if p.CacheError != nil {
		fmt.Fprintf(&b, "; the cache was not used: %v", p.CacheError)
	}
	return b.String() + "."
}
