package functions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/trace"
)

// workspace is the scratch memory of one run.
type workspace struct {
	tensors []Tensor
	buffers []buffer
	padded  []int32
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

func (w *workspace) release() {
	clear(w.tensors) // views on DuckDB's memory, as in buffer.release
	for i := range w.buffers {
		w.buffers[i].release()
	}
	workspaces.Put(w)
}

// run infers rows in one call of the engine and stores their outputs.
func (k *chunk) run(rows []int32) error {
	if err := k.ctx.Err(); err != nil {
		return err
	}
	w := workspaces.Get().(*workspace)
	defer w.release()
	if len(w.buffers) < len(k.feeds) {
		w.buffers = make([]buffer, len(k.feeds))
	}
	w.tensors = w.tensors[:0]
	fed := rows
	if n := k.model.FixedBatch; n > len(rows) {
		fed = append(w.padded[:0], rows...)
		for len(fed) < n {
			fed = append(fed, rows[len(rows)-1])
		}
		w.padded = fed
	}
	for i := range k.feeds {
		t, err := k.feeds[i].tensor(fed, &w.buffers[i])
		if err != nil {
			return k.wrap(err)
		}
		w.tensors = append(w.tensors, t)
	}
	out, err := k.ask(w.tensors, len(rows))
	if err != nil {
		return k.wrap(k.located(err, rows))
	}
	defer out.Close()
	for i, s := range k.sinks {
		t, err := out.Output(i)
		if err == nil {
			err = s.check(t, len(fed))
		}
		if err == nil {
			err = k.store(s, t, rows)
		}
		if err != nil {
			return k.wrap(err)
		}
	}
	k.q.done(len(rows))
	return nil
}

// ask runs the engine, and tells the statement's tracer.
func (k *chunk) ask(tensors []Tensor, rows int) (Batch, error) {
	t := trace.From(k.ctx)
	if t == nil {
		return k.engine.Run(k.ctx, tensors)
	}
	began := time.Now()
	out, err := k.engine.Run(k.ctx, tensors)
	t.Trace(k.ctx, trace.Event{Kind: trace.BatchRun, Model: k.model.Name, Rows: rows, Duration: time.Since(began), Err: err})
	return out, err
}

func (k *chunk) store(s *sink, t Tensor, rows []int32) error {
	if s.shared {
		k.write.Lock()
		defer k.write.Unlock()
	}
	return s.write(t, rows)
}

// located adds the rows of a run to the end of an engine's process: which of them is to blame, nobody can tell any more.
func (k *chunk) located(err error, rows []int32) error {
	var end interface{ EngineEnded() bool }
	if len(rows) == 0 || !errors.As(err, &end) || !end.EngineEnded() {
		return err
	}
	return fmt.Errorf("a run of %s, which are among rows %d to %d of a chunk of %d: %w",
		amount.Of(len(rows), "row"), slices.Min(rows)+1, slices.Max(rows)+1, k.size, err)
}

// wrap names the model. A cancelled run is the statement's end and no fault of the model.
func (k *chunk) wrap(err error) error {
	if ctxErr := k.ctx.Err(); ctxErr != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return ctxErr
	}
	return fmt.Errorf("model %s: %w", k.model.Name, err)
}
