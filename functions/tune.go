package functions

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mallardml/mallard/internal/udf"
)

// The borders below are in nanoseconds per row unless they say otherwise. They come from measurement: a transformer on texts
// of mixed length makes 49 rows/s in batches of 2,048, 111 in the best unsorted batch and 257 sorted in batches of 32, while
// a classifier that takes 1.5 µs a row only loses by anything done to its chunks.
const (
	cheap       = 5_000      // below, a chunk goes to the engine whole and as it lies
	rememberAt  = 20_000     // above, hashing rows to find repeated ones costs little beside inferring them
	materialAt  = 75_000     // above, a materialised input pays
	longestRun  = 150e6      // ns: how long a run may take, so that a cancelled statement is noticed
	worthHelp   = 4e6        // ns: below, a chunk is not worth a second goroutine
	worthSplit  = 2e6        // ns: no piece for another worker is shorter
	smallBatch  = 32         // rows
	largeBatch  = 256        // rows
	hugeBatch   = 1024       // rows
	firmBatch   = 64         // rows: from here on the fixed cost of a run hides no longer what a row costs
	probeTime   = 150e6      // ns
	probeRows   = smallBatch // rows
	surelyCheap = 2_000      // what a probe must find to be believed without a look at real rows
	learnAgain  = 32         // chunks: a size that was found while the machine was busy is not kept for ever
	largestRun  = 32 << 20   // bytes of a run's inputs: 53 images of 224 × 224 in float32, whose activations take some ten times as much
)

// tuning is what a model has learnt about its own cost. Real rows teach it while they are inferred; the probe gives it a
// first idea.
type tuning struct {
	materialize atomic.Bool
	cost        atomic.Uint64 // ns per row as float bits; 0 is unknown
	length      atomic.Uint64 // mean length of the texts that cost was seen on, as float bits
	firm        atomic.Bool   // cost was seen on batches of a fair size
	batch       atomic.Int32  // rows per run of a model that is not cheap; 0 is unknown
	chunks      atomic.Uint32 // that were run in batches of that size
	learning    sync.Mutex    // held while a chunk's rows are used to measure
	probing     sync.Mutex
	probed      atomic.Bool
	clock       func() time.Time // nil: time.Now
}

func (t *tuning) now() time.Time {
	if t.clock != nil {
		return t.clock()
	}
	return time.Now()
}

// since is the ns that have passed.
func (t *tuning) since(begin time.Time) float64 { return float64(t.now().Sub(begin)) }

// rowCost is the ns that a row takes, 0 when unknown.
func (t *tuning) rowCost() float64 { return math.Float64frombits(t.cost.Load()) }

func (t *tuning) setCost(c float64) {
	c = max(c, 1)
	t.cost.Store(math.Float64bits(c))
	if !t.firm.Load() {
		return
	}
	switch {
	case c > materialAt:
		t.materialize.Store(true)
	case c < materialAt/2:
		t.materialize.Store(false)
	}
}

// note learns from a run of the chosen size on texts of a mean length. Concurrent notes may be lost.
func (t *tuning) note(c, length float64) {
	if old := t.rowCost(); old > 0 {
		c = 0.7*old + 0.3*c
	}
	t.setCost(c)
	if length > 0 {
		if old := math.Float64frombits(t.length.Load()); old > 0 {
			length = 0.7*old + 0.3*length
		}
		t.length.Store(math.Float64bits(length))
	}
}

// stretch is how much more than before a row may cost because its texts are far longer than those that were measured:
// sentences say little about books.
func (t *tuning) stretch(length float64) float64 {
	old := math.Float64frombits(t.length.Load())
	if length < 8*old || old == 0 {
		return 1
	}
	return length / old
}

// Probe runs the model on a few synthetic rows, once per model, to see whether it is slow enough for its input to be
// materialised. A failed run only means that nothing is known; a model that cannot be opened is an error. A model with
// state is left alone: a run would change it.
func (m *Model) Probe(ctx context.Context) error {
	if err := ctx.Err(); err != nil || m.tune.probed.Load() {
		return err
	}
	m.tune.probing.Lock()
	defer m.tune.probing.Unlock()
	if m.tune.probed.Load() {
		return nil
	}
	if !m.Stateless || m.tune.firm.Load() { // real rows know better
		m.tune.probed.Store(true)
		return nil
	}
	e, err := m.Open(ctx)
	if err != nil {
		return err
	}
	m.probe(ctx, e)
	if err := ctx.Err(); err != nil {
		return err // what was seen is not worth much; the next statement may try again
	}
	m.tune.probed.Store(true)
	return nil
}

// probe times a first run, which is mostly preparation, one row, and a small batch.
func (m *Model) probe(ctx context.Context, e Engine) {
	rows := 1
	if m.FixedBatch > 0 {
		rows = m.FixedBatch
	}
	if _, err := m.timed(ctx, e, rows); err != nil {
		return
	}
	begin := m.tune.now()
	one, err := m.quickest(ctx, e, rows, begin)
	if err != nil {
		return
	}
	cost, firm := one/float64(rows), m.FixedBatch > 0
	if m.FixedBatch == 0 && m.tune.since(begin)+one*probeRows < probeTime {
		many, err := m.quickest(ctx, e, probeRows, begin)
		if err != nil {
			return
		}
		cost = max(many-one, 0) / (probeRows - 1)
		firm = cost < surelyCheap
	}
	if m.tune.rowCost() == 0 {
		m.tune.setCost(cost)
		m.tune.firm.Store(firm)
		m.tune.materialize.Store(cost > materialAt)
	}
}

// quickest times up to three runs, while the probe that began then has time, and gives the least: a run of a new batch
// size also pays for its first buffers, and a busy machine only ever makes a run longer.
func (m *Model) quickest(ctx context.Context, e Engine, rows int, begin time.Time) (least float64, err error) {
	for i := range 3 {
		ns, err := m.timed(ctx, e, rows)
		if err != nil {
			return 0, err
		}
		if i == 0 || ns < least {
			least = ns
		}
		if m.tune.since(begin)+ns > probeTime {
			break
		}
	}
	return least, nil
}

// timed runs synthetic rows and gives the ns they took.
func (m *Model) timed(ctx context.Context, e Engine, rows int) (ns float64, err error) {
	defer udf.Rescue(&err)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	in := make([]Tensor, len(m.Inputs))
	for i := range m.Inputs {
		in[i] = synthetic(&m.Inputs[i], rows)
	}
	begin := m.tune.now()
	out, err := e.Run(ctx, in)
	if err != nil {
		return 0, err
	}
	ns = m.tune.since(begin)
	out.Close()
	return ns, nil
}

const ordinaryText = "The quick brown fox jumps over the lazy dog, while a second sentence tells of rain in the hills and of the long " +
	"road home. Nobody knew why the shop had closed so early; some said the owner had left for the coast. In the evening there was a " +
	"concert, and people stayed until it was dark (about 20:30). "

// synthetic makes a tensor of ordinary text, or of ones.
func synthetic(p *Port, rows int) Tensor {
	open := int64(16) // the length of a dimension that the model leaves open
	if p.picture() {
		open = 128
	}
	t := Tensor{DType: p.DType, Shape: []int64{int64(rows)}}
	n := rows
	for _, d := range p.inner() {
		if d < 0 {
			d = open
		}
		t.Shape = append(t.Shape, d)
		n *= int(d)
	}
	if p.DType == String {
		t.Strings = make([]string, n)
		for i := range t.Strings {
			t.Strings[i] = fmt.Sprint(i, " ", strings.Repeat(ordinaryText, 1+i%2))
		}
		return t
	}
	size := p.DType.Size()
	t.Data = make([]byte, n*size)
	for i := range n {
		b := t.Data[i*size:]
		switch p.DType {
		case Float16:
			b[1] = 0x3c
		case BFloat16:
			b[0], b[1] = 0x80, 0x3f
		case Float32:
			b[2], b[3] = 0x80, 0x3f
		case Float64:
			b[6], b[7] = 0xf0, 0x3f
		default:
			b[0] = 1
		}
	}
	return t
}
