// Package pipeline runs a job's shards on Apache Beam: each shard is an element, and a grouping by shard stands before the step that gives
// outputs their names, so that a bundle that is run again leaves no second output.
package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/mallardml/mallard/beam/job"
)

func init() {
	register.DoFn3x1[context.Context, []byte, func(string), error](&List{})
	register.DoFn3x1[context.Context, string, func(int, string), error](&Run{})
	register.DoFn4x1[context.Context, int, func(*string) bool, func(int, string), error](&Finish{})
	register.DoFn4x1[context.Context, int, func(*string) bool, func(string), error](&End{})
	register.Emitter2[int, string]()
	register.Emitter1[string]()
	register.Iter1[string]()
}

// Build adds the steps of a job to a pipeline.
func Build(scope beam.Scope, s job.Spec, shards []job.Shard, combine string) error {
	spec, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := s.WriteShards(shards); err != nil {
		return err
	}
	// A shard is one statement with one output, which is not cut any further: the runner may move whole shards, which the reshuffle
	// lets it, and so there is no splittable function.
	elements := beam.Reshuffle(scope, beam.ParDo(scope.Scope("List"), &List{Spec: string(spec)}, beam.Impulse(scope)))
	ran := beam.ParDo(scope.Scope("Run"), &Run{Spec: string(spec)}, elements)
	finished := beam.ParDo(scope.Scope("Finish"), &Finish{Spec: string(spec)}, beam.GroupByKey(scope, ran))
	beam.ParDo(scope.Scope("End"), &End{Spec: string(spec), Combine: combine}, beam.GroupByKey(scope, finished))
	return nil
}

// workers are those of this process: one for each job, whichever of the runner's copies of a step asks first.
var workers = struct {
	sync.Mutex
	of map[string]*job.Worker
}{of: map[string]*job.Worker{}}

// worker opens the process's worker of a job, once. It lives as long as the process, for which a runner has no hook.
func worker(ctx context.Context, s *job.Spec) (*job.Worker, error) {
	workers.Lock()
	defer workers.Unlock()
	if w := workers.of[s.ID()]; w != nil {
		return w, nil
	}
	w, err := job.Open(context.WithoutCancel(ctx), s)
	if err != nil {
		return nil, err
	}
	workers.of[s.ID()] = w
	return w, nil
}

// CloseWorkers closes the databases of this process, when its jobs have ended.
func CloseWorkers() (err error) {
	workers.Lock()
	defer workers.Unlock()
	for id, w := range workers.of {
		if e := w.Close(); e != nil {
			err = e
		}
		delete(workers.of, id)
	}
	return err
}

func decode(text string) (*job.Spec, error) {
	s := new(job.Spec)
	if err := json.Unmarshal([]byte(text), s); err != nil {
		return nil, fmt.Errorf("the job's description cannot be read: %w", err)
	}
	return s, nil
}

// List gives the shards.
type List struct {
	Spec string `json:"spec"`
}

// ProcessElement reads the list that the job's start has written.
func (f *List) ProcessElement(_ context.Context, _ []byte, emit func(string)) error {
	s, err := decode(f.Spec)
	if err != nil {
		return err
	}
	texts, err := s.ReadShards()
	for _, t := range texts {
		emit(t)
	}
	return err
}

// Run runs shards. The shards of a bundle run side by side, as many at once in a process as the job says, whatever the runner does.
type Run struct {
	Spec string `json:"spec"`

	spec *job.Spec
	w    *job.Worker

	running sync.WaitGroup
	mu      sync.Mutex
	done    []job.Done
	err     error
	cancel  context.CancelFunc
	of      context.Context
}

// Setup opens the process's worker.
func (f *Run) Setup(ctx context.Context) (err error) {
	if f.spec, err = decode(f.Spec); err != nil {
		return err
	}
	f.w, err = worker(ctx, f.spec)
	return err
}

// StartBundle begins without results.
func (f *Run) StartBundle(ctx context.Context, _ func(int, string)) error {
	f.done, f.err = nil, nil
	f.of, f.cancel = context.WithCancel(ctx)
	return nil
}

// ProcessElement starts a shard.
func (f *Run) ProcessElement(_ context.Context, text string, _ func(int, string)) error {
	var sh job.Shard
	if err := json.Unmarshal([]byte(text), &sh); err != nil {
		return err
	}
	// A shard that waits here is not begun: the runner may give it, and those behind it, to another worker.
	if err := f.w.Acquire(f.of); err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		return cmp.Or(f.err, err)
	}
	f.running.Add(1)
	go func() {
		defer f.running.Done()
		defer f.w.Release()
		d, err := f.w.Run(f.of, sh)
		f.mu.Lock()
		defer f.mu.Unlock()
		if err != nil {
			if f.err == nil {
				f.err = err
			}
			f.cancel()
			return
		}
		f.done = append(f.done, d)
	}()
	return nil
}

// FinishBundle waits for the bundle's shards.
func (f *Run) FinishBundle(ctx context.Context, emit func(int, string)) error {
	f.running.Wait()
	f.cancel()
	if f.err != nil {
		return f.err
	}
	for _, d := range f.done {
		count(ctx, d)
		b, err := json.Marshal(d)
		if err != nil {
			return err
		}
		emit(d.Shard.Index, string(b))
	}
	return nil
}

// count tells the runner's counters.
func count(ctx context.Context, d job.Done) {
	for name, n := range map[string]int64{
		"rows_in": d.RowsIn, "rows_out": d.RowsOut, "rows_failed": d.RowsFailed, "requests": d.Requests, "retries": d.Retries,
		"answers_cached": d.Cached, "tokens": d.Tokens, "money_millionths": int64(d.Money * 1e6), "milliseconds": int64(d.Seconds * 1000),
		"shards_again": int64(max(0, d.Tries-1)),
	} {
		beam.NewCounter("mallard", name).Inc(ctx, n)
	}
	if d.Error != "" {
		beam.NewCounter("mallard", "shards_failed").Inc(ctx, 1)
	}
}

// Finish gives a shard's output its name.
type Finish struct {
	Spec string `json:"spec"`
	spec *job.Spec
}

// Setup reads the job.
func (f *Finish) Setup(context.Context) (err error) { f.spec, err = decode(f.Spec); return err }

// ProcessElement finishes a shard, of which a runner may have run several copies.
func (f *Finish) ProcessElement(_ context.Context, _ int, copies func(*string) bool, emit func(int, string)) error {
	all, err := results(copies)
	if err != nil {
		return err
	}
	d, err := f.spec.Finish(all)
	if err != nil {
		return err
	}
	b, err := json.Marshal(d)
	if err != nil {
		return err
	}
	emit(0, string(b))
	return nil
}

func results(copies func(*string) bool) (all []job.Done, err error) {
	var text string
	for copies(&text) {
		var d job.Done
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// End ends the job, when all its shards are finished.
type End struct {
	Spec    string `json:"spec"`
	Combine string `json:"combine"`
	spec    *job.Spec
}

// Setup reads the job.
func (f *End) Setup(context.Context) (err error) { f.spec, err = decode(f.Spec); return err }

// ProcessElement writes the summary, or the dead letters.
func (f *End) ProcessElement(ctx context.Context, _ int, shards func(*string) bool, emit func(string)) error {
	all, err := results(shards)
	if err != nil {
		return err
	}
	sum, err := f.spec.End(ctx, all, f.Combine)
	if err != nil {
		return err
	}
	b, err := json.Marshal(sum)
	if err != nil {
		return err
	}
	emit(string(b))
	return nil
}
