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
	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/config"
)

// running is a statement while it runs: what it lends to the callbacks that serve it.
type running struct {
	functions.Query
	in *instance

	mu     sync.Mutex
	cause  error             // the first typed error of a callback; DuckDB passes on only its text
	remote *remote.Statement // made when the first remote model is asked
	unread unread
	bytes  atomic.Bool // it has bound object_bytes
	wide   atomic.Bool // and may not
	waits  atomic.Bool // it has bound a function that waits for something outside
}

func newRunning(ctx context.Context, in *instance) *running {
	q := &running{in: in}
	q.Context, q.Rows, q.Fail = ctx, new(atomic.Int64), q.fail
	return q
}

func (q *running) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	// What stops because something else has failed says no more than that.
	if q.cause == nil || stopped(q.cause) && !stopped(err) {
		q.cause = err
	}
}

func stopped(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
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
		o := remote.StatementOptions{Rows: q.Rows, Fail: q.fail, Shared: q.in == nil}
		if q.in != nil {
			o.Session, o.Budget = q.in.remote.Session(), config.StatementBudget(q.in.cfg.Budget)
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
		p.attach(&n.h, q)
	}
	n.in.queries.Store(n.id, q)
	return q, func() {
		n.in.queries.Delete(n.id)
		if s := q.unread.String(); s != "" {
			notify(ctx, s)
		}
		if s := q.unread.left(); s != "" {
			notify(ctx, s)
		}
		q.mu.Lock()
		st := q.remote
		q.mu.Unlock()
		if p != nil {
			defer p.detach()
		}
		if st != nil {
			n.in.remote.Leave(st.End())
			if found, ok := ctx.Value(estimateKey{}).(*[]remote.Estimate); ok {
				*found = st.Estimates()
			}
			if s := remoteSummary(st.Progress(), ctx.Err() != nil); s != "" {
				notify(ctx, s)
			}
		}
	}
}

// remoteSummary tells a person what a statement asked of remote models, as in `10,000 rows went through remote models: 40 from the
// cache, 12 failed (RESOURCE EXHAUSTED 12: Quota exceeded). 112 requests (12 retries), 40,210 tokens, cost 0.0123.`
func remoteSummary(p remote.Progress, cancelled bool) string {
	if p.Done == 0 && p.Requests == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s went through remote models", amount.Of(p.Done, "row"))
	var parts []string
	if p.Cached > 0 {
		parts = append(parts, amount.Grouped(p.Cached)+" from the cache")
	}
	if p.Repeated > 0 {
		parts = append(parts, amount.Grouped(p.Repeated)+" the same as others")
	}
	var failed int64
	var causes []string
	for cause, n := range p.Failed {
		failed += n
		text := fmt.Sprintf("%s %s", cause, amount.Grouped(n))
		if why := strings.TrimSuffix(p.Why[cause], "."); why != "" {
			text += ": " + why
		}
		causes = append(causes, text)
	}
	sort.Strings(causes)
	if failed > 0 {
		parts = append(parts, fmt.Sprintf("%s failed (%s)", amount.Grouped(failed), strings.Join(causes, "; ")))
	}
	if len(parts) > 0 {
		b.WriteString(": " + strings.Join(parts, ", "))
	}
	fmt.Fprintf(&b, ". %s", amount.Of(p.Requests, "request"))
	if p.Retries > 0 {
		fmt.Fprintf(&b, " (%s)", amount.Of(p.Retries, "retry"))
	}
	if p.Tokens > 0 {
		fmt.Fprintf(&b, ", %s", amount.Of(p.Tokens, "token"))
	}
	if p.Money > 0 {
		b.WriteString(", cost " + amount.Money(p.Money))
	}
	b.WriteByte('.')
	if cancelled && p.Kept > 0 {
		fmt.Fprintf(&b, " The cache has kept %s: the same query asks only for the rest.", amount.Of(p.Kept, "answer"))
	}
	if errors.Is(p.CacheError, remote.ErrReadOnly) {
		fmt.Fprintf(&b, " Note: %v.", p.CacheError)
	} else if p.Lost > 0 && p.Kept+p.Cached > 0 {
		fmt.Fprintf(&b, " The cache could not keep %s: %v.", amount.Of(p.Lost, "answer"), p.CacheError)
	} else if p.CacheError != nil {
		fmt.Fprintf(&b, " The cache was not used: %v.", p.CacheError)
	}
	if p.Unversioned > 0 {
		fmt.Fprintf(&b, " The cache has not kept %s, "+
			"which will be asked again: nobody tells the version of such an object as %s. An object table, "+
			"an ObjectRef with its version, or the permission storage.objects.get tells it.", amount.Of(p.Unversioned, "answer"), p.Object)
	}
	return b.String()
}
