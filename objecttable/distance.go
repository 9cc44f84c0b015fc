package objecttable

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

var (
	vectorType = listOf(double)
	sparseType = listOf(structOf(sqlField{"key", varchar}, sqlField{"value", double}))
	numberType = listOf(structOf(sqlField{"key", bigint}, sqlField{"value", double}))
)

// distanceFunctions are ml_distance(v1, v2, kind), for ML.DISTANCE, COSINE_DISTANCE and EUCLIDEAN_DISTANCE: of
// lists of numbers, or of lists of (key, value) where a key that is missing stands for 0.
func distanceFunctions() []*scalar {
	var out []*scalar
	for _, t := range []sqlType{vectorType, sparseType, numberType} {
		out = append(out, &scalar{name: "ml_distance", params: []sqlType{t, t, varchar}, result: double, f: func(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
			return distances(q, t, in, n, out)
		}})
	}
	return out
}

// DistanceSQL expands ML.DISTANCE(v1, v2 [, kind]), COSINE_DISTANCE(v1, v2) and EUCLIDEAN_DISTANCE(v1, v2), whose name
// is given in upper case, to DuckDB's SQL. The arguments are SQL too.
func DistanceSQL(name string, args []string) (string, error) {
	kind := "'EUCLIDEAN'"
	switch {
	case name == "ML.DISTANCE" && len(args) == 3:
		kind = args[2]
	case len(args) != 2:
		return "", fmt.Errorf("%s takes two vectors%s, not %d arguments", name, map[bool]string{true: " and the kind of distance"}[name == "ML.DISTANCE"], len(args))
	case name == "COSINE_DISTANCE":
		kind = "'COSINE'"
	case name != "ML.DISTANCE" && name != "EUCLIDEAN_DISTANCE":
		return "", fmt.Errorf("%s is not a distance", name)
	}
	return "system.main.ml_distance(" + args[0] + ", " + args[1] + ", " + kind + ")", nil
}

func distances(q *Query, t sqlType, in []mapping.Vector, n int, out mapping.Vector) error {
	a, b, kinds := newVectors(in[0], t), newVectors(in[1], t), reading(in[2])
	data := mapping.VectorGetData(out)
	for i := range n {
		if i%256 == 0 && q.Context.Err() != nil {
			return q.Context.Err()
		}
		if kinds.null(i) {
			setNull(out, i)
			continue
		}
		x, ok1, err1 := a.read(i)
		y, ok2, err2 := b.read(i)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if !ok1 || !ok2 {
			setNull(out, i)
			continue
		}
		if t.item.fields != nil {
			x, y = a.align(b)
		}
		d, err := distance(x, y, kinds.text(i))
		if err != nil {
			return err
		}
		*at[float64](data, i) = d
	}
	return nil
}

// distance is of the kinds that ML.DISTANCE knows.
func distance(x, y []float64, kind string) (float64, error) {
	if len(x) != len(y) {
		return 0, fmt.Errorf("the vectors have %d and %d elements: they must have the same number", len(x), len(y))
	}
	switch strings.ToUpper(kind) {
	case "EUCLIDEAN":
		var sum float64
		for i, v := range x {
			sum += (v - y[i]) * (v - y[i])
		}
		return math.Sqrt(sum), nil
	case "MANHATTAN":
		var sum float64
		for i, v := range x {
			sum += math.Abs(v - y[i])
		}
		return sum, nil
	case "COSINE":
		var dot, xx, yy float64
		for i, v := range x {
			dot += v * y[i]
			xx += v * v
			yy += y[i] * y[i]
		}
		if xx == 0 || yy == 0 {
			return 0, errors.New("the cosine distance of a zero vector is not defined: leave such rows out")
		}
		return 1 - dot/(math.Sqrt(xx)*math.Sqrt(yy)), nil
	}
	return 0, fmt.Errorf("distance %q is not known: use EUCLIDEAN, MANHATTAN or COSINE", kind)
}

// vectors reads a column of lists.
type vectors struct {
	list, items, keys, values column
	sparse, numbers           bool
	key                       []any // of the last row read
	value                     []float64
}

func newVectors(v mapping.Vector, t sqlType) *vectors {
	child := mapping.ListVectorGetChild(v)
	r := &vectors{list: reading(v), items: reading(child), values: reading(child)}
	if t.item.fields != nil {
		r.sparse, r.numbers = true, t.item.fields[0].kind == mapping.TypeBigInt
		r.keys, r.values = reading(mapping.StructVectorGetChild(child, 0)), reading(mapping.StructVectorGetChild(child, 1))
	}
	return r
}

// read returns a row's numbers, or false when it is NULL or holds one.
func (r *vectors) read(i int) ([]float64, bool, error) {
	if r.list.null(i) {
		return nil, false, nil
	}
	e := *at[listEntry](r.list.data, i)
	r.key, r.value = r.key[:0], r.value[:0]
	for k := int(e.offset); k < int(e.offset+e.length); k++ {
		if r.items.null(k) || r.values.null(k) || r.sparse && r.keys.null(k) {
			return nil, false, nil
		}
		r.value = append(r.value, *at[float64](r.values.data, k))
		switch {
		case r.numbers:
			r.key = append(r.key, *at[int64](r.keys.data, k))
		case r.sparse:
			r.key = append(r.key, r.keys.text(k))
		}
	}
	return r.value, true, nil
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
