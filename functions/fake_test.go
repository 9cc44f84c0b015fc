package functions

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// fakeEngine computes outputs in Go and counts what it was asked.
type fakeEngine struct {
	f    func(ctx context.Context, in []Tensor) ([]Tensor, error)
	runs atomic.Int64
	rows atomic.Int64
	open atomic.Int64 // batches not closed

	mu    sync.Mutex
	sizes []int // rows of each run
}

func (e *fakeEngine) Run(ctx context.Context, in []Tensor) (Batch, error) {
	e.runs.Add(1)
	e.rows.Add(in[0].Shape[0])
	e.mu.Lock()
	e.sizes = append(e.sizes, int(in[0].Shape[0]))
	e.mu.Unlock()
	out, err := e.f(ctx, in)
	if err != nil {
		return nil, err
	}
	e.open.Add(1)
	return &fakeBatch{e, out}, nil
}

func (e *fakeEngine) reset() {
	e.runs.Store(0)
	e.rows.Store(0)
	e.mu.Lock()
	e.sizes = nil
	e.mu.Unlock()
}

type fakeBatch struct {
	e   *fakeEngine
	out []Tensor
}

func (b *fakeBatch) Output(i int) (Tensor, error) {
	if i >= len(b.out) {
		return Tensor{}, fmt.Errorf("no output %d", i)
	}
	return b.out[i], nil
}

func (b *fakeBatch) Close() { b.e.open.Add(-1) }

// fakeHost has one query for all connections.
type fakeHost struct {
	mu     sync.Mutex
	models map[int64]*Model
	held   map[int64]int
	q      *Query
	failed []error
}

func newFakeHost() *fakeHost {
	h := &fakeHost{models: map[int64]*Model{}, held: map[int64]int{}}
	h.q = &Query{Context: context.Background(), Rows: new(atomic.Int64), Fail: func(err error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.failed = append(h.failed, err)
	}}
	return h
}

func (h *fakeHost) Model(v int64) (*Model, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.models[v]
	if m == nil {
		return nil, fmt.Errorf("model version %d is gone", v)
	}
	h.held[v]++
	return m, nil
}

func (h *fakeHost) Release(v int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held[v]--
}

func (h *fakeHost) Query(uint64) *Query {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.q
}

// holds counts the references that bound statements keep.
func (h *fakeHost) holds() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.held {
		n += c
	}
	return n
}

// bed is a database with models over fake engines.
type bed struct {
	*testDB
	host *fakeHost
}

func newBed(tb testing.TB) *bed { return &bed{openDB(tb), newFakeHost()} }

// outcome gives the one value of a query, or "error: " and what stands behind the kind of the error, and whether it is as wanted:
// an error must only begin so.
func (b *bed) outcome(want, query string, args ...any) (got string, ok bool) {
	rows, err := b.query(query, args...)
	if err != nil {
		_, text, _ := strings.Cut(err.Error(), "Error: ")
		got = "error: " + text
		return got, strings.HasPrefix(want, "error: ") && strings.HasPrefix(got, want)
	}
	return rows[0][0], rows[0][0] == want
}

// add registers a model and gives its engine and the SQL around an input query.
func (b *bed) add(m *Model, types Types, f func(ctx context.Context, in []Tensor) ([]Tensor, error)) *fakeEngine {
	b.tb.Helper()
	e := &fakeEngine{f: f}
	if m.Name == "" {
		m.Name = "demo.m"
	}
	m.Open = func(context.Context) (Engine, error) { return e, nil }
	b.host.mu.Lock()
	m.Version = int64(len(b.host.models) + 1)
	b.host.models[m.Version] = m
	b.host.mu.Unlock()
	b.raw(func(c mapping.Connection) error {
		return RegisterPredict(c, PredictName(m.Outputs, types), m.Outputs, types, b.host)
	})
	b.tb.Cleanup(func() {
		if n := e.open.Load(); n != 0 {
			b.tb.Errorf("%d batches were not closed", n)
		}
	})
	return e
}

// predict writes the expansion of ML.PREDICT.
func predictSQL(m *Model, types Types, q string) string {
	before, after := m.PredictSQL(PredictName(m.Outputs, types), types)
	return before + q + after
}

func bytesOf[T any](v []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(zero)))
}

// lengthModel maps a text to FLOAT[3]: its length, its first byte and 0.5.
func lengthModel() *Model {
	return &Model{
		Inputs:    []Port{{Name: "input", DType: String, Shape: []int64{-1}}},
		Outputs:   []Port{{Name: "dense_1", DType: Float32, Shape: []int64{-1, 3}}},
		Stateless: true,
	}
}

func lengths(_ context.Context, in []Tensor) ([]Tensor, error) {
	out := make([]float32, 0, 3*len(in[0].Strings))
	for _, s := range in[0].Strings {
		first := float32(0)
		if s != "" {
			first = float32(s[0])
		}
		out = append(out, float32(len(s)), first, 0.5)
	}
	return []Tensor{{DType: Float32, Shape: []int64{int64(len(in[0].Strings)), 3}, Data: bytesOf(out)}}, nil
}

var errFake = errors.New("the engine was told to fail")
