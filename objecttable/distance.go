package objecttable

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/udf"
)

var (
	vectorType = udf.ListOf(double)
	sparseType = udf.ListOf(udf.StructOf(udf.Field{Name: "key", Type: varchar}, udf.Field{Name: "value", Type: double}))
	numberType = udf.ListOf(udf.StructOf(udf.Field{Name: "key", Type: bigint}, udf.Field{Name: "value", Type: double}))
)

// distanceFunctions are ml_distance(v1, v2 [, kind]), cosine_distance(v1, v2) and euclidean_distance(v1, v2): of lists of
// numbers, or of lists of (key, value) where a key that is missing stands for 0. An element that is NULL makes the first NULL, and is
// an error of the others, as a key that stands twice is. A macro of the user's hides one of the same name. vector_search_distance
// serves VECTOR_SEARCH.
func distanceFunctions() []*scalar {
	var out []*scalar
	for _, t := range []udf.Type{vectorType, sparseType, numberType} {
		for _, f := range []struct{ name, kind string }{
			{"ml_distance", "EUCLIDEAN"}, {"cosine_distance", "COSINE"}, {"euclidean_distance", "EUCLIDEAN"}, {"ml_distance", ""},
		} {
			s := &scalar{name: f.name, params: []udf.Type{t, t}, result: double}
			if f.kind == "" {
				s.params = append(s.params, varchar)
			}
			s.f = func(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
				return distances(q, t, f.kind, in, n, out, f.name != "ml_distance")
			}
			out = append(out, s)
		}
	}
	return append(out, searchDistance())
}

// distances computes a chunk; the kind is the third argument where it is empty.
func distances(q *Query, t udf.Type, kind string, in []mapping.Vector, n int, out mapping.Vector, strict bool) error {
	a, b := newVectors(in[0], t), newVectors(in[1], t)
	var kinds udf.Column
	if kind == "" {
		kinds = udf.Read(in[2])
	}
	data := mapping.VectorGetData(out)
	for i := range n {
		if i%256 == 0 && q.Context.Err() != nil {
			return q.Context.Err()
		}
		if kind == "" && kinds.Null(i) {
			udf.SetNull(out, i)
			continue
		}
		x, ok1 := a.read(i)
		y, ok2 := b.read(i)
		if strict && !a.list.Null(i) && !b.list.Null(i) {
			if err := errors.Join(a.whole("first", ok1), b.whole("second", ok2)); err != nil {
				return err
			}
		}
		if !ok1 || !ok2 {
			udf.SetNull(out, i)
			continue
		}
		if t.Children[0].Kind == mapping.TypeStruct {
			x, y = a.align(b)
		}
		name := kind
		if name == "" {
			name = kinds.Text(i)
		}
		d, err := distance(x, y, name)
		if err != nil {
			return err
		}
		*udf.At[float64](data, i) = d
	}
	return nil
}

// distance is of the kinds that ML.DISTANCE knows.
func distance(x, y []float64, kind string) (float64, error) {
	if len(x) != len(y) {
		return 0, fmt.Errorf("the vectors have %d and %s: they must have the same number", len(x), amount.Of(len(y), "element"))
	}
	f := metricNamed(kind)
	if f == nil || strings.EqualFold(kind, "DOT_PRODUCT") { // which VECTOR_SEARCH alone has
		return 0, fmt.Errorf("distance %q is not known: use EUCLIDEAN, MANHATTAN or COSINE", kind)
	}
	return f(x, y)
}

// vectors reads a column of lists.
type vectors struct {
	list, items, keys, values udf.Column
	sparse, numbers           bool
	key                       []any // of the last row read
	value                     []float64
}

func newVectors(v mapping.Vector, t udf.Type) *vectors {
	child := mapping.ListVectorGetChild(v)
	r := &vectors{list: udf.Read(v), items: udf.Read(child), values: udf.Read(child)}
	if t.Children[0].Kind == mapping.TypeStruct {
		r.sparse, r.numbers = true, t.Children[0].Children[0].Kind == mapping.TypeBigInt
		r.keys, r.values = udf.Read(mapping.StructVectorGetChild(child, 0)), udf.Read(mapping.StructVectorGetChild(child, 1))
	}
	return r
}

// read returns a row's numbers, or false when it is NULL or holds one. The numbers may lie in the vector.
func (r *vectors) read(i int) ([]float64, bool) {
	if r.list.Null(i) {
		return nil, false
	}
	e := r.list.List(i)
	at, n := int(e.Offset), int(e.Length)
	if udf.AnyNull(r.items.Mask, at, n) || udf.AnyNull(r.values.Mask, at, n) || r.sparse && udf.AnyNull(r.keys.Mask, at, n) {
		return nil, false
	}
	if n == 0 {
		r.key, r.value = r.key[:0], r.value[:0]
		return r.value, true
	}
	r.value = unsafe.Slice(udf.At[float64](r.values.Data, at), n)
	r.key = r.key[:0]
	for k := at; k < at+n && r.sparse; k++ {
		if r.numbers {
			r.key = append(r.key, *udf.At[int64](r.keys.Data, k))
		} else {
			r.key = append(r.key, r.keys.Text(k))
		}
	}
	return r.value, true
}

// whole complains of a vector that was just read and holds NULL or a key twice.
func (r *vectors) whole(which string, read bool) error {
	if !read {
		return fmt.Errorf("the %s vector holds NULL: leave such rows out", which)
	}
	seen := make(map[any]bool, len(r.key))
	for _, k := range r.key {
		if seen[k] {
			return fmt.Errorf("the %s vector has the key %v twice", which, k)
		}
		seen[k] = true
	}
	return nil
}

// align brings two sparse vectors to the same keys.
func (r *vectors) align(other *vectors) (x, y []float64) {
	place := map[any]int{}
	for _, v := range [2]*vectors{r, other} {
		for _, k := range v.key {
			if _, ok := place[k]; !ok {
				place[k] = len(place)
			}
		}
	}
	x, y = make([]float64, len(place)), make([]float64, len(place))
	for i, k := range r.key {
		x[place[k]] += r.value[i]
	}
	for i, k := range other.key {
		y[place[k]] += other.value[i]
	}
	return x, y
}
