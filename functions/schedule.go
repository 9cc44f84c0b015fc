package functions

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/mallardml/mallard/internal/udf"
)

// infer runs the rows of the chunk in batches that suit the model.
func (k *chunk) infer() error {
	busy.Add(1)
	defer busy.Add(-1)
	if len(k.rows) == 1 {
		return k.run(k.rows)
	}
	t := &k.model.tune
	rows := k.rows
	k.repeats = k.repeats[:0]
	if k.model.Stateless && t.rowCost() > rememberAt {
		rows = k.unique(rows)
	}
	k.keys = k.keys[:0]
	k.groups = append(k.groups[:0], len(rows))
	if k.uneven(rows) {
		rows = k.grouped(rows)
	}
	if err := k.batches(rows); err != nil {
		return err
	}
	if len(k.repeats) > 0 {
		for _, s := range k.sinks {
			for _, r := range k.repeats {
				s.repeat(r.from, r.to)
			}
		}
		k.q.done(len(k.repeats))
	}
	return nil
}

// batches cuts rows into runs. k.groups holds the ends of groups that no run may cross.
func (k *chunk) batches(rows []int32) error {
	m, t := k.model, &k.model.tune
	switch {
	case m.FixedBatch > 0:
		return k.spread(rows, m.FixedBatch, false)
	case m.BatchSize > 0:
		if len(rows) > m.BatchSize && t.rowCost() > cheap && len(k.groups) == 1 {
			rows = k.byLength(rows)
		}
		return k.spread(rows, m.BatchSize, false)
	}
	var err error
	k.length = 0
	if len(rows) >= firmBatch {
		k.length = k.meanLength(rows)
	}
	if c := t.rowCost(); c == 0 || !t.firm.Load() && len(rows) >= firmBatch {
		if len(k.groups) == 1 {
			rows = k.byLength(rows) // the longest first: what they cost bounds what the others do
		}
		if rows, err = k.ramp(rows); err != nil || len(rows) == 0 {
			return err
		}
	}
	if t.rowCost()*t.stretch(k.length) < cheap {
		return k.spread(rows, len(rows), false)
	}
	if len(k.groups) == 1 {
		rows = k.byLength(rows)
	}
	size := int(t.batch.Load())
	if size == 0 || t.chunks.Add(1)%learnAgain == 0 {
		known := size
		size = max(size, smallBatch)
		if len(rows) >= largeBatch+smallBatch && len(k.groups) == 1 && k.fit(rows[0]) >= largeBatch && t.learning.TryLock() {
			rows, size, err = k.learn(rows, known)
			t.learning.Unlock()
			if err != nil {
				return err
			}
		}
	}
	return k.spread(rows, size, true)
}

// width is the bytes that a row's numbers take in the tensors of a run.
func (k *chunk) width(row int32) int {
	total := 0
	for i := range k.feeds {
		f := &k.feeds[i]
		n := max(f.port.DType.Size(), 1)
		for j, d := range f.column.dims {
			if d < 0 && len(f.dims) > 0 {
				d = int(f.dims[int(row)*len(f.column.dims)+j])
			}
			n *= max(d, 1)
		}
		total += n
	}
	return total
}

// fit is how many rows of the shape of this one a run may have by the memory they take.
func (k *chunk) fit(row int32) int { return max(1, largestRun/k.width(row)) }

// clock runs rows and gives the ns they took.
func (k *chunk) clock(rows []int32) (float64, error) {
	begin := k.model.tune.now()
	err := k.run(rows)
	return k.model.tune.since(begin), err
}

// pop takes up to n rows of the first group off the front.
func (k *chunk) pop(rows []int32, n int) (batch, rest []int32) {
	n = min(n, k.groups[0], len(rows))
	for i := range k.groups {
		k.groups[i] -= n
	}
	if k.groups[0] == 0 && len(k.groups) > 1 {
		k.groups = slices.Delete(k.groups, 0, 1)
	}
	return rows[:n], rows[n:]
}

// ramp learns what a row costs from growing batches of real rows: a model of unknown cost must not be given a chunk that
// would keep a cancelled statement waiting for minutes. It returns the rows that are left.
func (k *chunk) ramp(rows []int32) ([]int32, error) {
	t := &k.model.tune
	t.learning.Lock()
	defer t.learning.Unlock()
	if t.firm.Load() {
		return rows, nil // another thread was faster
	}
	var batch []int32
	if t.rowCost() == 0 { // the first run is mostly preparation: not timed
		batch, rows = k.pop(rows, 1)
		if err := k.run(batch); err != nil {
			return nil, err
		}
	}
	var first, firstRows float64
	seen, limit := 0, firmBatch
	for size := 1; len(rows) > 0; size = min(size*8, firmBatch) {
		batch, rows = k.pop(rows, max(1, min(size, limit, k.fit(rows[0]))))
		ns, err := k.clock(batch)
		if err != nil {
			return nil, err
		}
		n := float64(len(batch))
		cost := ns / n
		limit = int(longestRun / cost)
		if firstRows > 0 && n > firstRows {
			cost = max(ns-first, 0) / (n - firstRows) // without the fixed part of a run
		} else {
			first, firstRows = ns, n
		}
		seen += len(batch)
		if len(batch) >= firmBatch || seen >= 2*firmBatch || ns > longestRun/4 {
			t.firm.Store(true)
		}
		t.setCost(cost)
		if t.firm.Load() {
			break
		}
	}
	return rows, nil
}

// learn measures a few batches of the rows, which are inferred by it, to find the size of batch that this model does best
// with. It returns the rows left. known is the size that is to be found again.
func (k *chunk) learn(rows []int32, known int) ([]int32, int, error) {
	t := &k.model.tune
	if b := int(t.batch.Load()); b != known {
		return rows, b, nil // another thread was faster
	}
	var size int
	var err error
	if len(k.keys) > 0 {
		rows, size, err = k.learnSorted(rows)
	} else {
		rows, size, err = k.learnEven(rows)
	}
	if err == nil {
		t.batch.Store(int32(size))
	}
	return rows, size, err
}

// sample runs n rows from a place in the middle and gives the rows left.
func (k *chunk) sample(rows []int32, at, n int) (ns float64, rest []int32, err error) {
	k.sampled = append(k.sampled[:0], rows[at:at+n]...)
	ns, err = k.clock(k.sampled)
	k.groups[0] -= n
	return ns, append(rows[:at], rows[at+n:]...), err
}

// learnEven is for rows of equal cost: the size that does most rows in a second.
func (k *chunk) learnEven(rows []int32) ([]int32, int, error) {
	best, bestCost := smallBatch, math.Inf(1)
	for _, size := range []int{smallBatch, largeBatch, hugeBatch} {
		if len(rows) < size+smallBatch || size > k.fit(rows[0]) || k.model.tune.rowCost()*float64(size) > longestRun {
			break
		}
		ns, rest, err := k.sample(rows, 0, size)
		if err != nil {
			return nil, 0, err
		}
		rows = rest
		if cost := ns / float64(size); cost < bestCost {
			best, bestCost = size, cost
		}
	}
	return rows, best, nil
}

// learnSorted is for rows sorted by length. A batch is taken to cost a fixed part and, for each of its rows, what the longest
// of them costs. The parts come from three batches: a small and a large one around the middle, which tell the fixed part, and
// a small one of the longest rows, which tells how cost grows with length. The size then follows from the lengths at hand.
func (k *chunk) learnSorted(rows []int32) ([]int32, int, error) {
	all := make([]float64, len(rows))
	for i, r := range rows {
		all[i] = float64(k.weights[r])
	}
	mid := len(rows) / 2
	midLength := all[mid]
	t1 := math.Inf(1)
	for range 2 { // the shorter of two: a busy machine must not pass for a costly run
		ns, rest, err := k.sample(rows, mid-smallBatch, smallBatch)
		if err != nil {
			return nil, 0, err
		}
		rows, t1, mid = rest, min(t1, ns), mid-smallBatch/2
	}
	perRow := t1 / smallBatch
	large := min(largeBatch, int(longestRun/perRow), len(rows)-mid)
	if large < 2*smallBatch {
		return rows, smallBatch, nil // so slow that nothing larger may run
	}
	t2, rows, err := k.sample(rows, mid-smallBatch, large)
	if err != nil {
		return nil, 0, err
	}
	longest := max(1, min(smallBatch, int(longestRun/(perRow*max(1, all[0]/max(midLength, 1))))))
	t3, rows, err := k.sample(rows, 0, longest)
	if err != nil {
		return nil, 0, err
	}
	perRow = min(perRow, max(t2-t1, 0)/float64(large-smallBatch))
	perRun := max(t1-smallBatch*perRow, 0)
	perByte := 0.0
	if all[0] > 1.2*midLength {
		perByte = max((t3-perRun)/float64(longest)-perRow, 0) / (all[0] - midLength)
	}
	base := max(perRow-perByte*midLength, 0)
	best, bestTotal := 0, 0.0
	for size := smallBatch; size <= 2*hugeBatch; size *= 2 {
		total := 0.0
		for i := 0; i < len(all); i += size {
			total += perRun + float64(min(size, len(all)-i))*(base+perByte*all[i])
		}
		if best == 0 || total < 0.97*bestTotal {
			best, bestTotal = size, total
		}
	}
	return rows, best, nil
}

// busy counts the goroutines of all statements that infer, DuckDB's own threads among them.
var busy atomic.Int32

// hire takes a free place for one more goroutine.
func hire() bool {
	limit := int32(runtime.GOMAXPROCS(0))
	for {
		n := busy.Load()
		if n >= limit {
			return false
		}
		if busy.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// spread runs rows in batches of a size, on idle workers too when the rows take long enough. The calling goroutine always
// works itself, so that nothing can wait for a worker that never comes.
func (k *chunk) spread(rows []int32, size int, bounded bool) error {
	if len(rows) == 0 {
		return nil
	}
	t := &k.model.tune
	cost := t.rowCost()
	total := cost * float64(len(rows))
	fixed := k.model.FixedBatch > 0 || k.model.BatchSize > 0
	if !fixed && total > worthHelp {
		idle := max(0, runtime.GOMAXPROCS(0)-int(busy.Load()))
		if even := (len(rows) + idle) / (idle + 1); even < size {
			size = min(size, max(even, int(worthSplit/cost)))
		}
	}
	k.cuts = k.cut(k.cuts[:0], rows, max(size, 1), cost, bounded)
	if len(k.cuts) == 1 {
		return k.observed(rows)
	}
	var next atomic.Int64
	var failed atomic.Pointer[error]
	work := func(helper bool) {
		for failed.Load() == nil {
			i := int(next.Add(1)) - 1
			if i >= len(k.cuts) {
				return
			}
			begin := 0
			if i > 0 {
				begin = k.cuts[i-1]
			}
			if err := k.observed(rows[begin:k.cuts[i]]); err != nil {
				failed.CompareAndSwap(nil, &err)
				return
			}
			if helper && int(busy.Load()) > runtime.GOMAXPROCS(0) {
				return // DuckDB's own threads have come for the place
			}
		}
	}
	var helpers sync.WaitGroup
	if total > worthHelp || cost == 0 && fixed {
		for n := 1; n < len(k.cuts) && hire(); n++ {
			helpers.Go(func() {
				defer busy.Add(-1)
				work(true)
			})
		}
	}
	work(false)
	helpers.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// cut appends the ends of the batches of rows.
func (k *chunk) cut(ends []int, rows []int32, size int, cost float64, bounded bool) []int {
	mean := 0.0
	if bounded && len(k.keys) > 0 {
		for _, r := range rows {
			mean += float64(k.weights[r]) / float64(len(rows))
		}
	}
	open := bounded && mean == 0 && k.open()
	if open {
		for _, r := range rows {
			mean += float64(k.width(r)) / float64(len(rows))
		}
	}
	group := 0
	for begin := 0; begin < len(rows); {
		n := size
		switch m := k.model; {
		case m.FixedBatch > 0:
		case m.BatchSize > 0: // the user's word counts for more
			n = min(n, 8*k.fit(rows[begin]))
		default:
			n = min(n, k.fit(rows[begin]))
		}
		if bounded && cost > 0 {
			c := cost
			switch { // padded to its longest row, which comes first
			case open:
				c *= max(1, float64(k.width(rows[begin]))/mean)
			case mean > 0:
				c *= max(1, float64(k.weights[rows[begin]])/mean)
			}
			n = max(1, min(n, int(longestRun/c)))
		}
		for k.groups[group] <= begin {
			group++
		}
		begin = min(begin+n, k.groups[group])
		ends = append(ends, begin)
	}
	return ends
}

// observed runs rows and learns from what they took.
func (k *chunk) observed(rows []int32) (err error) {
	defer udf.Rescue(&err) // in a helper nobody else would
	t := &k.model.tune
	begin := k.model.tune.now()
	if err := k.run(rows); err != nil {
		return err
	}
	n, ns := len(rows), t.since(begin)
	fair := n >= min(firmBatch, k.fit(rows[0])) || n >= int(t.batch.Load()) && n >= smallBatch || k.model.FixedBatch > 0 ||
		n == k.model.BatchSize
	// Where a row once seemed to cost very much, runs have so few rows that none is of a fair size: what they take shows that it does not.
	if fair || ns < t.rowCost()*float64(n)/2 {
		t.note(ns/float64(n), k.length)
	}
	return nil
}

// uneven reports whether the rows differ in shape.
func (k *chunk) uneven(rows []int32) bool {
	for i := range k.feeds {
		f := &k.feeds[i]
		if !f.ragged() {
			continue
		}
		n := len(f.column.dims)
		want := f.dims[int(rows[0])*n:][:n]
		for _, r := range rows[1:] {
			if !slices.Equal(f.dims[int(r)*n:][:n], want) {
				return true
			}
		}
	}
	return false
}

// open reports whether an input leaves the shape of its rows open.
func (k *chunk) open() bool {
	for i := range k.feeds {
		if k.feeds[i].ragged() {
			return true
		}
	}
	return false
}
