package functions

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/udf"
)

// sink writes one output into its field of the result.
type sink struct {
	port   *Port
	model  *Model
	nest   []int // as from levels
	merged bool  // all dimensions of a row lie in one list
	kind   mapping.Type
	size   int // bytes of one element in DuckDB
	put    writer
	shared bool // growing lists and strings: one goroutine at a time

	vec   mapping.Vector // of this chunk
	leaf  unsafe.Pointer // of this chunk, where it does not move
	slots int            // fixed elements, list entries or strings that one row has side by side
}

// writer turns n elements of a tensor into elements of a vector; it returns the first that does not fit, or -1.
type writer func(dst, src unsafe.Pointer, n int) int

func newSink(model *Model, p *Port, types Types) *sink {
	s := &sink{port: p, model: model, nest: levels(p, types), kind: scalarKind(p, types), slots: 1}
	s.merged = types == BigQuery && len(p.inner()) > 1
	l := leaf{kind: s.kind}
	s.size = l.size()
	s.put = writerFor(p.DType, s.kind)
	s.shared = p.DType == String
	for _, n := range s.nest {
		s.shared = s.shared || n < 0
	}
	for _, n := range s.nest {
		if n < 0 {
			break
		}
		s.slots *= n
	}
	return s
}

func writerFor(from DType, kind mapping.Type) writer {
	to := leaf{kind: kind}.dtype()
	switch from {
	case String:
		return nil
	case Float16:
		if to == Float64 {
			return unpacked[float64](widen16)
		}
		return unpacked[float32](widen16)
	case BFloat16:
		widen := func(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
		if to == Float64 {
			return unpacked[float64](widen)
		}
		return unpacked[float32](widen)
	}
	return writer(converterFor(leaf{kind: kindOf[from]}, to))
}

var kindOf = map[DType]mapping.Type{
	Bool: mapping.TypeBoolean, Int8: mapping.TypeTinyInt, Int16: mapping.TypeSmallInt, Int32: mapping.TypeInteger,
	Int64: mapping.TypeBigInt, Uint8: mapping.TypeUTinyInt, Uint16: mapping.TypeUSmallInt, Uint32: mapping.TypeUInteger,
	Uint64: mapping.TypeUBigInt, Float32: mapping.TypeFloat, Float64: mapping.TypeDouble,
}

func unpacked[D float32 | float64](widen func(uint16) float32) writer {
	return func(dst, src unsafe.Pointer, n int) int {
		d, s := slices2[uint16, D](dst, src, n)
		for i := range d {
			d[i] = D(widen(s[i]))
		}
		return -1
	}
}

// open takes the vector of this chunk.
func (s *sink) open(v mapping.Vector) {
	s.vec, s.leaf = v, nil
	if s.shared {
		return
	}
	for range s.nest {
		v = mapping.ArrayVectorGetChild(v)
	}
	s.leaf = mapping.VectorGetData(v)
}

// check compares a tensor with the declared output. What an engine returns is foreign: a wrong shape must not end in a
// write past a vector.
func (s *sink) check(t Tensor, batch int) error {
	want := s.port.Shape
	if t.DType == s.port.DType && (len(t.Shape) == 0 || t.Shape[0] != int64(batch)) {
		return fmt.Errorf("output `%s` has no batch dimension: its shape is %s for %s; %s", s.port.Name, shapeText(t.Shape),
			amount.Of(batch, "row"), s.others())
	}
	ok := t.DType == s.port.DType && len(t.Shape) == max(len(want), 1)
	n := int64(1)
	for i, d := range t.Shape {
		ok = ok && d >= 0 && (i == 0 || want[i] < 0 || want[i] == d)
		hi, lo := bits.Mul64(uint64(n), uint64(d))
		if ok = ok && hi == 0 && lo < math.MaxInt64/16; ok {
			n = int64(lo)
		}
	}
	if !ok {
		return fmt.Errorf("output `%s`: the model returned a tensor of type %s, of shape %s for %s, its signature declares %s; export the "+
			"model with the type and shape it has",
			s.port.Name, t.DType, shapeText(t.Shape), amount.Of(batch, "row"), describe(s.port))
	}
	if t.DType == String && int64(len(t.Strings)) != n || t.DType != String && int64(len(t.Data)) != n*int64(t.DType.Size()) {
		return fmt.Errorf("output `%s`: the tensor of shape %s holds %s and %s", s.port.Name, shapeText(t.Shape), amount.Of(len(t.Data), "byte"),
			amount.Of(len(t.Strings), "string"))
	}
	return nil
}

// others is the way out where the output cannot be had: those beside it can be chosen.
func (s *sink) others() string {
	var names []string
	for i := range s.model.Outputs {
		if name := s.model.Outputs[i].Name; name != s.port.Name {
			names = append(names, "'"+strings.ReplaceAll(name, "'", "''")+"'")
		}
	}
	if len(names) == 0 {
		return "export the model with an output whose first dimension is the rows'"
	}
	return "choose others with CREATE OR REPLACE MODEL … OPTIONS(outputs=[" + strings.Join(names, ", ") + "])"
}

// write stores the first len(rows) rows of a checked tensor at these rows of the result.
func (s *sink) write(t Tensor, rows []int32) error {
	elems := 1
	for _, d := range t.Shape[1:] {
		elems *= int(d)
	}
	if !s.shared {
		return s.scatter(s.leaf, t, rows, elems)
	}
	vec, stride := s.vec, 1 // row r has stride slots from r*stride on
	inList := false         // below a list all slots lie side by side: count from base on
	base, count := 0, 0
	for i, n := range s.nest {
		if n >= 0 {
			if inList {
				base, count = base*n, count*n
			} else {
				stride *= n
			}
			vec = mapping.ArrayVectorGetChild(vec)
			continue
		}
		d := elems
		if !s.merged {
			d = int(t.Shape[i+1])
		}
		slots := len(rows) * stride
		if inList {
			slots = count
		}
		begin, err := udf.Extend(vec, slots*d)
		if err != nil {
			return fmt.Errorf("output `%s`: %w", s.port.Name, err)
		}
		entries := mapping.VectorGetData(vec)
		next := begin
		if inList {
			for j := range count {
				*udf.At[udf.List](entries, base+j) = udf.List{Offset: uint64(next), Length: uint64(d)}
				next += d
			}
		} else {
			for _, r := range rows {
				for j := range stride {
					*udf.At[udf.List](entries, int(r)*stride+j) = udf.List{Offset: uint64(next), Length: uint64(d)}
					next += d
				}
			}
		}
		inList, base, count = true, begin, slots*d
		vec = mapping.ListVectorGetChild(vec)
	}
	if !inList {
		if s.port.DType == String {
			for i, r := range rows {
				if err := s.texts(vec, int(r)*elems, t.Strings[i*elems:(i+1)*elems]); err != nil {
					return err
				}
			}
			return nil
		}
		return s.scatter(mapping.VectorGetData(vec), t, rows, elems)
	}
	if s.port.DType == String {
		return s.texts(vec, base, t.Strings[:count])
	}
	if count == 0 {
		return nil
	}
	dst := unsafe.Add(mapping.VectorGetData(vec), base*s.size)
	src := unsafe.Pointer(unsafe.SliceData(t.Data))
	if bad := s.put(dst, src, count); bad >= 0 {
		return s.outOfRange(src, bad)
	}
	return nil
}

// scatter copies rows of elems fixed elements; rows that follow each other go in one piece.
func (s *sink) scatter(leaf unsafe.Pointer, t Tensor, rows []int32, elems int) error {
	if elems == 0 {
		return nil
	}
	src := unsafe.Pointer(unsafe.SliceData(t.Data))
	row := elems * t.DType.Size()
	for i := 0; i < len(rows); {
		j := i + 1
		for j < len(rows) && rows[j] == rows[j-1]+1 {
			j++
		}
		if bad := s.put(unsafe.Add(leaf, int(rows[i])*elems*s.size), unsafe.Add(src, i*row), (j-i)*elems); bad >= 0 {
			return s.outOfRange(unsafe.Add(src, i*row), bad)
		}
		i = j
	}
	return nil
}

func (s *sink) outOfRange(src unsafe.Pointer, i int) error {
	return fmt.Errorf("output `%s`: value %s does not fit INT64; ML_PREDICT gives it as %s",
		s.port.Name, leaf{kind: kindOf[s.port.DType]}.number(src, i), s.port.SQLType(Native))
}

// texts copies strings to the slots from base on.
func (s *sink) texts(vec mapping.Vector, base int, texts []string) error {
	data := mapping.VectorGetData(vec)
	for i, text := range texts {
		if !s.port.Binary && !utf8.ValidString(text) {
			return fmt.Errorf("output `%s`: a value is not valid UTF-8, it begins with %q; take it as bytes: CREATE OR REPLACE MODEL … "+
				"OPTIONS(OUTPUTS=['%s BYTES'])",
				s.port.Name, text[:min(len(text), 24)], s.port.Name)
		}
		if len(text) <= udf.Inlined {
			udf.At[udf.String](data, base+i).Set(text)
			continue
		}
		if err := udf.SetBytes(vec, base+i, unsafe.Slice(unsafe.StringData(text), len(text))); err != nil {
			return fmt.Errorf("output `%s`: %w", s.port.Name, err)
		}
	}
	return nil
}

// repeat gives row to the value of row from.
func (s *sink) repeat(from, to int32) {
	vec := s.vec
	size := s.size
	for _, n := range s.nest {
		if n < 0 {
			size = int(unsafe.Sizeof(udf.List{}))
			break
		}
		vec = mapping.ArrayVectorGetChild(vec)
	}
	data := mapping.VectorGetData(vec)
	n := size * s.slots
	copy(unsafe.Slice((*byte)(unsafe.Add(data, int(to)*n)), n), unsafe.Slice((*byte)(unsafe.Add(data, int(from)*n)), n))
}

// null sets rows to NULL, and the elements of their arrays: the bit of a parent alone would show what lies in the slots.
func (s *sink) null(rows []int32) {
	vec, stride := s.vec, 1
	for i := 0; ; i++ {
		udf.SetNulls(vec, rows, stride)
		if i == len(s.nest) {
			return
		}
		if s.nest[i] < 0 {
			entries := mapping.VectorGetData(vec)
			for _, r := range rows {
				clear(unsafe.Slice(udf.At[udf.List](entries, int(r)*stride), stride))
			}
			return
		}
		stride *= s.nest[i]
		vec = mapping.ArrayVectorGetChild(vec)
	}
}
