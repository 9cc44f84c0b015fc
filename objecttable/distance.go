package objecttable

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/functions/udf"
)

var (
	vectorType = udf.ListOf(double)
	sparseType = udf.ListOf(udf.StructOf(udf.Field{Name: "key", Type: varchar}, udf.Field{Name: "value", Type: double}))
	numberType = udf.ListOf(udf.StructOf(udf.Field{Name: "key", Type: bigint}, udf.Field{Name: "value", Type: double}))
)

// distanceFunctions are ml_distance(v1, v2, kind), for ML.DISTANCE, COSINE_DISTANCE and EUCLIDEAN_DISTANCE: of
// lists of numbers, or of lists of (key, value) where a key that is missing stands for 0.
func distanceFunctions() []*scalar {
	var out []*scalar
	for _, t := range []udf.Type{vectorType, sparseType, numberType} {
		out = append(out, &scalar{name: "ml_distance", params: []udf.Type{t, t, varchar}, result: double, f: func(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
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

func distances(q *Query, t udf.Type, in []mapping.Vector, n int, out mapping.Vector) error {
	a, b, kinds := newVectors(in[0], t), newVectors(in[1], t), udf.Read(in[2])
	data := mapping.VectorGetData(out)
	for i := range n {
		if i%256 == 0 && q.Context.Err() != nil {
			return q.Context.Err()
		}
		if kinds.Null(i) {
			udf.SetNull(out, i)
			continue
		}
		x, ok1, err1 := a.read(i)
		y, ok2, err2 := b.read(i)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if !ok1 || !ok2 {
			udf.SetNull(out, i)
			continue
		}
		if t.Children[0].Kind == mapping.TypeStruct {
			x, y = a.align(b)
		}
		d, err := distance(x, y, kinds.Text(i))
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

// read returns a row's numbers, or false when it is NULL or holds one.
func (r *vectors) read(i int) ([]float64, bool, error) {
	if r.list.Null(i) {
		return nil, false, nil
	}
	e := *udf.At[udf.List](r.list.Data, i)
	r.key, r.value = r.key[:0], r.value[:0]
	for k := int(e.Offset); k < int(e.Offset+e.Length); k++ {
		if r.items.Null(k) || r.values.Null(k) || r.sparse && r.keys.Null(k) {
			return nil, false, nil
		}
		r.value = append(r.value, *udf.At[float64](r.values.Data, k))
		switch {
		case r.numbers:
			r.key = append(r.key, *udf.At[int64](r.keys.Data, k))
		case r.sparse:
			r.key = append(r.key, r.keys.Text(k))
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
