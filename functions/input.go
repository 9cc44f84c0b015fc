package functions

import (
	"fmt"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/udf"
)

// level is one level of nesting in a chunk.
type level struct {
	mask    unsafe.Pointer
	entries unsafe.Pointer // of a list
	size    int            // of an array
}

// feed is one column in a chunk: where the elements of each row lie.
type feed struct {
	*column
	levels []level
	mask   unsafe.Pointer // of the leaf
	data   unsafe.Pointer // of the leaf

	stride int     // elements per row where no list is walked: row r begins at r*stride
	starts []int   // otherwise the first element of a row, or of its first piece
	dims   []int32 // for ragged columns: the shape of each row, len(column.dims) numbers a row
	pieces []int   // where inner lists do not lie in a row: the starts of all pieces
	where  []piece // and which pieces a row has; nil while all rows are in one piece

	outer unsafe.Pointer // mask of a STRUCT
	side  level          // of its first field, an image's shape
	edges udf.Column     // and the elements of that
}

type piece struct{ first, count, elems int }

// load finds the vectors of a column.
func (f *feed) load(v mapping.Vector) {
	f.levels = f.levels[:0]
	f.starts, f.dims, f.pieces, f.where = f.starts[:0], f.dims[:0], f.pieces[:0], nil
	if f.absent {
		return
	}
	if f.sides != nil {
		f.outer = mapping.VectorGetValidity(v)
		var s mapping.Vector
		f.side, s = loadLevel(mapping.StructVectorGetChild(v, 0), f.sides.nest[0])
		f.edges = udf.Read(s)
		v = mapping.StructVectorGetChild(v, 1)
	}
	f.stride = 1
	for _, n := range f.nest {
		var l level
		if l, v = loadLevel(v, n); n >= 0 {
			f.stride *= n
		}
		f.levels = append(f.levels, l)
	}
	f.mask, f.data = mapping.VectorGetValidity(v), mapping.VectorGetData(v)
}

// loadLevel reads a list, or an array of n, and gives the vector of its elements.
func loadLevel(v mapping.Vector, n int) (level, mapping.Vector) {
	l := level{mask: mapping.VectorGetValidity(v), size: n}
	if n >= 0 {
		return l, mapping.ArrayVectorGetChild(v)
	}
	l.entries = mapping.VectorGetData(v)
	return l, mapping.ListVectorGetChild(v)
}

// unload forgets the vectors.
func (f *feed) unload() {
	clear(f.levels)
	f.mask, f.data = nil, nil
	f.outer, f.side, f.edges = nil, level{}, udf.Column{}
}

// usable takes from rows those that have a value in this column, in place, and checks the shapes of these.
func (f *feed) usable(rows []int32, all bool) ([]int32, error) {
	if f.absent {
		return rows[:0], nil
	}
	if f.listed == 0 && f.picture == nil {
		return f.dense(rows, all), nil
	}
	if n := len(rows); n > 0 {
		need := int(rows[n-1]) + 1
		if cap(f.starts) < need {
			f.starts = make([]int, need, need*2)
		}
		f.starts = f.starts[:need]
		if f.ragged() {
			if cap(f.dims) < need*len(f.column.dims) {
				f.dims = make([]int32, need*len(f.column.dims), 2*need*len(f.column.dims))
			}
			f.dims = f.dims[:need*len(f.column.dims)]
		}
	}
	keep := rows[:0]
	for _, r := range rows {
		ok, err := f.place(int(r))
		if err != nil {
			return nil, err
		}
		if ok {
			keep = append(keep, r)
		}
	}
	return keep, nil
}

// dense is usable for columns without lists. all says that rows are 0, 1, 2, …: then a look at whole words is enough
// for the usual chunk without NULLs.
func (f *feed) dense(rows []int32, all bool) []int32 {
	if len(rows) == 0 {
		return rows
	}
	if all {
		null, n := false, len(rows)
		for _, l := range f.levels {
			null = null || udf.AnyNull(l.mask, 0, n)
			n *= l.size
		}
		if !null && !udf.AnyNull(f.mask, 0, n) {
			return rows
		}
	}
	keep := rows[:0]
next:
	for _, r := range rows {
		at, n := int(r), 1
		for _, l := range f.levels {
			if udf.AnyNull(l.mask, at, n) {
				continue next
			}
			at, n = at*l.size, n*l.size
		}
		if !udf.AnyNull(f.mask, at, n) {
			keep = append(keep, r)
		}
	}
	return keep
}

// place finds the elements of a row whose argument has a list. It reports false for a NULL in it.
func (f *feed) place(row int) (bool, error) {
	switch {
	case f.picture != nil:
		return f.placePicture(row)
	case f.sides != nil:
		return f.placeStruct(row)
	}
	shape := make([]int, 0, 4)
	pos, n := row, 1 // n slots of this level from pos on, in one piece
	for i := range f.listed {
		l := &f.levels[i]
		if udf.AnyNull(l.mask, pos, n) {
			return false, nil
		}
		if l.entries == nil {
			shape = append(shape, l.size)
			pos, n = pos*l.size, n*l.size
			continue
		}
		if n == 0 { // the level above is empty: nothing to read here
			shape = append(shape, max(f.expected(i), 0))
			continue
		}
		first := udf.At[udf.List](l.entries, pos)
		for j := 1; j < n; j++ {
			e := udf.At[udf.List](l.entries, pos+j)
			if e.Length != first.Length {
				return false, f.unequal(int(first.Length), int(e.Length))
			}
			if e.Offset != first.Offset+uint64(j)*first.Length {
				return f.scattered(row)
			}
		}
		shape = append(shape, int(first.Length))
		pos, n = int(first.Offset), n*int(first.Length)
	}
	return f.finish(row, shape, pos, n)
}

// expected is the length that the input gives a level of nesting, or -1.
func (f *feed) expected(i int) int {
	if f.flat || i >= len(f.column.dims) {
		return -1
	}
	return f.column.dims[i]
}

// finish checks the levels below the last list, and the shape.
func (f *feed) finish(row int, shape []int, pos, n int) (bool, error) {
	pos, _, ok := f.below(pos, n)
	if !ok {
		return false, nil
	}
	for _, l := range f.levels[f.listed:] {
		shape = append(shape, l.size)
	}
	if err := f.check(row, shape); err != nil {
		return false, err
	}
	f.starts[row] = pos
	return true, nil
}

// below goes down the arrays under the last list.
func (f *feed) below(pos, n int) (start, count int, ok bool) {
	for _, l := range f.levels[f.listed:] {
		if udf.AnyNull(l.mask, pos, n) {
			return 0, 0, false
		}
		pos, n = pos*l.size, n*l.size
	}
	return pos, n, !udf.AnyNull(f.mask, pos, n)
}

// check compares the shape of a row with the input's, and notes it for ragged columns.
func (f *feed) check(row int, shape []int) error {
	dims := f.column.dims
	if f.flat {
		if !f.fits(shape[0]) {
			want := describeRow(dims)
			if f.elems < 0 {
				want = fmt.Sprintf("a multiple of %s", amount.Of(f.known(), "value"))
			}
			return fmt.Errorf("input `%s`: a row has %s, the model wants %s (%s)", f.port.Name, amount.Of(shape[0], "value"), want, describe(f.port))
		}
		if f.elems < 0 {
			open := shape[0] / f.known()
			for i, d := range dims {
				if d < 0 {
					d = open
				}
				f.dims[row*len(dims)+i] = int32(d)
			}
		}
		return nil
	}
	for i, n := range shape {
		if dims[i] >= 0 && n != dims[i] {
			at := ""
			if len(dims) > 1 {
				at = fmt.Sprintf(" in dimension %d", i+1)
			}
			return fmt.Errorf("input `%s`: a row has %s%s, the model wants %d (%s)", f.port.Name, amount.Of(n, "value"), at, dims[i],
				describe(f.port))
		}
		if f.elems < 0 {
			f.dims[row*len(dims)+i] = int32(n)
		}
	}
	return nil
}

func (f *feed) unequal(a, b int) error {
	return fmt.Errorf("input `%s`: the inner lists of a row differ in length (%d and %s); a tensor needs equal ones", f.port.Name, a,
		amount.Of(b, "value"))
}

// scattered is place for rows whose inner lists do not follow each other in memory.
func (f *feed) scattered(row int) (bool, error) {
	if f.where == nil {
		f.where = make([]piece, len(f.starts)) // rare: lists of lists that were sliced or repeated
	}
	shape := make([]int, f.listed)
	for i := range shape {
		shape[i] = -1
	}
	first := len(f.pieces)
	var walk func(i, pos int) (bool, error)
	walk = func(i, pos int) (bool, error) {
		l := &f.levels[i]
		if udf.AnyNull(l.mask, pos, 1) {
			return false, nil
		}
		start, n := pos*l.size, l.size
		if l.entries != nil {
			e := udf.At[udf.List](l.entries, pos)
			start, n = int(e.Offset), int(e.Length)
		}
		switch {
		case shape[i] < 0:
			shape[i] = n
		case shape[i] != n:
			return false, f.unequal(shape[i], n)
		}
		if i == f.listed-1 {
			at, count, ok := f.below(start, n)
			if ok {
				f.pieces = append(f.pieces, at)
				f.where[row].elems = count
			}
			return ok, nil
		}
		for j := range n {
			if ok, err := walk(i+1, start+j); !ok || err != nil {
				return ok, err
			}
		}
		return true, nil
	}
	ok, err := walk(0, row)
	if !ok || err != nil {
		return false, err
	}
	for i, n := range shape {
		if n < 0 {
			shape[i] = max(f.expected(i), 0)
		}
	}
	for _, l := range f.levels[f.listed:] {
		shape = append(shape, l.size)
	}
	if err := f.check(row, shape); err != nil {
		return false, err
	}
	f.where[row].first, f.where[row].count = first, len(f.pieces)-first
	f.starts[row] = -1
	return true, nil
}

// start is the first element of a row that lies in one piece.
func (f *feed) start(row int32) int {
	if f.listed == 0 {
		return int(row) * f.stride
	}
	return f.starts[row]
}

// shape gives the shape of one row and its elements; the rows of a batch agree in it.
func (f *feed) shape(row int32, to []int64) ([]int64, int) {
	dims := f.column.dims
	n := 1
	for i, d := range dims {
		if d < 0 {
			if len(f.dims) > 0 {
				d = int(f.dims[int(row)*len(dims)+i])
			} else {
				d = f.openDim(i)
			}
		}
		to = append(to, int64(d))
		n *= d
	}
	return to, n
}

// openDim is the length of an open dimension that arrays alone feed.
func (f *feed) openDim(i int) int {
	if f.flat {
		return f.nest[0] / f.known()
	}
	return f.nest[i]
}

// tensor builds the tensor of some rows: a view on the vector where it can be one, otherwise in b.
func (f *feed) tensor(rows []int32, b *buffer) (Tensor, error) {
	var n int
	b.shape = append(b.shape[:0], int64(len(rows)))
	b.shape, n = f.shape(rows[0], b.shape)
	t := Tensor{DType: f.port.DType, Shape: b.shape}
	if t.DType == String {
		t.Strings = b.takeStrings(n * len(rows))
		f.strings(t.Strings, rows, n)
		return t, nil
	}
	if f.picture != nil {
		err := f.pixels(&t, rows, n, b)
		return t, err
	}
	size, from := t.DType.Size(), f.leaf.size()
	total := n * len(rows)
	if total == 0 {
		t.Data = b.takeBytes(0)
		return t, nil
	}
	if f.same && f.oneRun(rows, n) {
		t.Data = unsafe.Slice((*byte)(unsafe.Add(f.data, f.start(rows[0])*size)), total*size)
		return t, nil
	}
	t.Data = b.takeBytes(total * size)
	base, off := unsafe.Pointer(unsafe.SliceData(t.Data)), 0 // never a pointer behind the last element
	for i := 0; i < len(rows); {
		if f.where != nil && f.starts[rows[i]] < 0 {
			w := f.where[rows[i]]
			for _, p := range f.pieces[w.first : w.first+w.count] {
				src := unsafe.Add(f.data, p*from)
				if w.elems == 0 {
					continue
				}
				if bad := f.convert(unsafe.Add(base, off), src, w.elems); bad >= 0 {
					return t, f.outOfRange(src, bad)
				}
				off += w.elems * size
			}
			i++
			continue
		}
		j := i + 1
		begin := f.start(rows[i])
		for j < len(rows) && f.start(rows[j]) == begin+(j-i)*n {
			j++
		}
		src := unsafe.Add(f.data, begin*from)
		if bad := f.convert(unsafe.Add(base, off), src, (j-i)*n); bad >= 0 {
			return t, f.outOfRange(src, bad)
		}
		off += (j - i) * n * size
		i = j
	}
	return t, nil
}

// oneRun reports whether the rows follow each other in memory.
func (f *feed) oneRun(rows []int32, n int) bool {
	begin := f.start(rows[0])
	if begin < 0 {
		return false
	}
	if f.listed == 0 {
		for i, r := range rows {
			if r != rows[0]+int32(i) {
				return false
			}
		}
		return true
	}
	for i, r := range rows {
		if f.starts[r] != begin+i*n {
			return false
		}
	}
	return true
}

func (f *feed) outOfRange(src unsafe.Pointer, i int) error {
	return fmt.Errorf("input `%s`: value %s does not fit the model's %s (%s); filter or clamp the column",
		f.port.Name, f.leaf.number(src, i), f.port.DType, f.port.DType.limits())
}
