// Package trace tells a program what its statements do. The hook travels with the statement's context, so that every layer
// finds it and none is made to know another; without one, an event costs the look for it, once a batch or request.
package trace

import (
	"context"
	"log/slog"
	"time"
)

// Kind is what happened.
type Kind string

// The kinds of events.
const (
	Planned     Kind = "statement planned" // Query became SQL
	Done        Kind = "statement done"    // it has its result, or its first rows where they are streamed
	ModelOpened Kind = "model opened"      // Model was loaded
	BatchRun    Kind = "batch run"         // Model has answered Rows rows in the process
	RequestSent Kind = "request sent"      // Model was asked over the network and has answered, or failed
	Retried     Kind = "request retried"   // the same, not for the first time
	CacheHit    Kind = "cache hit"         // Rows answers of Model came from the cache
)

// Event is something that happened for a statement. Fields that a kind does not name are zero.
type Event struct {
	Kind     Kind
	Query    string // the statement as it was given
	SQL      string // what DuckDB was given for it
	Model    string
	Rows     int
	Duration time.Duration // that it took
	Err      error
}

// Tracer hears of events, on the goroutine where they happen: of one statement several at once. It must not block, nor run a
// statement.
type Tracer interface {
	Trace(ctx context.Context, e Event)
}

type key struct{}

// With makes the statements under the context tell t.
func With(ctx context.Context, t Tracer) context.Context { return context.WithValue(ctx, key{}, t) }

// From gives the tracer of a context, or nil.
func From(ctx context.Context) Tracer {
	if ctx == nil {
		return nil
	}
	t, _ := ctx.Value(key{}).(Tracer)
	return t
}

// Logger writes events to a log: failures as warnings, the rest for debugging. Texts of statements are left out.
type Logger struct{ *slog.Logger }

// Trace implements [Tracer].
func (l Logger) Trace(ctx context.Context, e Event) {
	level := slog.LevelDebug
	if e.Err != nil {
		level = slog.LevelWarn
	}
	if !l.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 4)
	if e.Model != "" {
		attrs = append(attrs, slog.String("model", e.Model))
	}
	if e.Rows > 0 {
		attrs = append(attrs, slog.Int("rows", e.Rows))
	}
	if e.Duration > 0 {
		attrs = append(attrs, slog.Duration("duration", e.Duration))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	l.LogAttrs(ctx, level, string(e.Kind), attrs...)
}

// Both tells two tracers.
type Both [2]Tracer

// Trace implements [Tracer].
func (b Both) Trace(ctx context.Context, e Event) {
	b[0].Trace(ctx, e)
	b[1].Trace(ctx, e)
}
