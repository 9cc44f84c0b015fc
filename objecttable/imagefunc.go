package objecttable

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/image"
	"github.com/mallardml/mallard/internal/udf"
)

// imageType is what people see: [height, width, channels] and the pixels. BigQuery's fields have no names; its tools show
// them as these. duckdb-go cannot return a struct without names.
var imageType = udf.StructOf(udf.Field{Name: "_field_1", Type: udf.ListOf(bigint)}, udf.Field{Name: "_field_2", Type: udf.ListOf(double)})

func (r *Runtime) imageFunctions() []*scalar {
	row := func(f func(b []byte, in []udf.Column, i int) ([]byte, error)) func(*Query, uint64, []mapping.Vector, int, mapping.Vector) error {
		return func(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
			return r.eachImage(q, in, n, out, -1, f)
		}
	}
	// of is row with the object's URI behind the other arguments, for errors.
	of := func(uri int, f func(b []byte, in []udf.Column, i int) ([]byte, error)) func(*Query, uint64, []mapping.Vector, int,
		mapping.Vector) error {
		return func(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
			return r.eachImage(q, in, n, out, uri, f)
		}
	}
	parsed := func(f func(m image.Image, in []udf.Column, i int) (image.Image, error)) func(*Query, uint64, []mapping.Vector, int,
		mapping.Vector) error {
		return row(func(b []byte, in []udf.Column, i int) ([]byte, error) {
			m, err := image.Parse(b)
			if err == nil {
				m, err = f(m, in, i)
			}
			return m.Bytes(), err
		})
	}
	decode := func(b []byte, _ []udf.Column, _ int) ([]byte, error) {
		m, err := image.Decode(b, r.o.Images)
		return m.Bytes(), err
	}
	small := func(b []byte, in []udf.Column, i int) ([]byte, error) {
		h, w, keep, err := box(in, i)
		if err != nil {
			return nil, err
		}
		m, err := image.DecodeResized(b, r.o.Images, h, w, keep)
		return m.Bytes(), err
	}
	return []*scalar{
		{name: "ml_decode_image", params: []udf.Type{blob}, result: blob, f: row(decode)},
		{name: "ml_decode_image", params: []udf.Type{blob, varchar}, result: blob, f: of(1, decode)},
		{name: "ml_decode_image", params: []udf.Type{blob, bigint, bigint, boolean}, result: blob, f: row(small)},
		{name: "ml_decode_image", params: []udf.Type{blob, bigint, bigint, boolean, varchar}, result: blob, f: of(4, small)},
		{name: "ml_resize_image", params: []udf.Type{blob, bigint, bigint, boolean}, result: blob,
			f: parsed(func(m image.Image, in []udf.Column, i int) (image.Image, error) {
				h, w, keep, err := box(in, i)
				if err != nil {
					return m, err
				}
				return m.Resize(h, w, keep)
			})},
		{name: "ml_convert_color_space", params: []udf.Type{blob, varchar}, result: blob,
			f: parsed(func(m image.Image, in []udf.Column, i int) (image.Image, error) {
				m, err := m.ConvertColor(in[1].Text(i))
				if errors.Is(err, image.ErrColorSpace) {
					err = statementError{err}
				}
				return m, err
			})},
		{name: "ml_convert_image_type", params: []udf.Type{blob}, result: blob,
			f: parsed(func(m image.Image, _ []udf.Column, _ int) (image.Image, error) {
				return m.Integers(), nil
			})},
		{name: "ml_image_struct", params: []udf.Type{blob}, result: imageType, f: r.imageStruct},
		{name: "ml_image_blob", params: []udf.Type{imageType}, result: blob, f: imageBlob},
	}
}

// box reads the arguments height, width and preserve_aspect_ratio of a row.
func box(in []udf.Column, i int) (height, width int, keep bool, err error) {
	h, w := *udf.At[int64](in[1].Data, i), *udf.At[int64](in[2].Data, i)
	if h < 1 || w < 1 {
		return 0, 0, false, statementError{fmt.Errorf("an image cannot be resized to %d × %d: height and width begin at 1", h, w)}
	}
	if err := image.CheckSide(max(h, w)); err != nil { // of this row
		return 0, 0, false, fmt.Errorf("height or width %w", err)
	}
	return int(h), int(w), *udf.At[bool](in[3].Data, i), nil
}

// tooMany says that the images of a chunk are over Options.MaxChunk.
func (r *Runtime) tooMany(n int) error {
	return fmt.Errorf("decoded images of more than %s in %s, too many to hold at once; make them small as they are decoded, with "+
		"ML.RESIZE_IMAGE(ML.DECODE_IMAGE(…), …) or ml_decode_image(…, height, width, FALSE), or read some at a time with WHERE",
		amount.Of(r.o.MaxChunk, "byte"), amount.Of(n, "row"))
}

// eachImage runs f for the rows without NULLs, on all processors. Argument uri names the object, unless it is -1.
func (r *Runtime) eachImage(q *Query, in []mapping.Vector, n int, out mapping.Vector, uri int,
	f func(b []byte, in []udf.Column, i int) ([]byte, error)) error {
	type row struct {
		i     int
		bytes []byte
	}
	columns := make([]udf.Column, len(in))
	for k, v := range in {
		columns[k] = udf.Read(v)
	}
	todo := make([]row, 0, n)
rows:
	for i := range n {
		for _, c := range columns {
			if c.Null(i) {
				udf.SetNull(out, i)
				continue rows
			}
		}
		todo = append(todo, row{i: i})
	}
	var size int64
	return spread(q.Context, todo, runtime.GOMAXPROCS(0), func(_ context.Context, j *row) (err error) {
		j.bytes, err = f(columns[0].Bytes(j.i), columns, j.i)
		return err
	}, func(j *row, err error) error {
		if err != nil {
			udf.SetNull(out, j.i)
			if errors.Is(err, image.ErrForm) {
				return err
			}
			if uri < 0 {
				return q.row("", err)
			}
			if errors.As(err, new(statementError)) {
				return q.row("", err)
			}
			name := strings.Clone(columns[uri].Text(j.i)) // notes keep it
			return q.row(name, fmt.Errorf("%s: %w", name, err))
		}
		if size += int64(len(j.bytes)); size > r.o.MaxChunk {
			return r.tooMany(n)
		}
		if err := udf.SetBytes(out, j.i, j.bytes); err != nil {
			return err
		}
		j.bytes = nil
		return nil
	})
}

func (r *Runtime) imageStruct(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
	images := udf.Read(in[0])
	var size int64
	shape, pixels := mapping.StructVectorGetChild(out, 0), mapping.StructVectorGetChild(out, 1)
	for i := range n {
		if images.Null(i) {
			udf.SetNullStruct(out, i, 2)
			continue
		}
		m, err := image.Parse(images.Bytes(i))
		if err != nil {
			return err
		}
		if size += 8 * int64(m.Len()); size > r.o.MaxChunk {
			return r.tooMany(n)
		}
		first, err := udf.SetList(shape, i, 3)
		if err != nil {
			return err
		}
		data := mapping.VectorGetData(mapping.ListVectorGetChild(shape))
		for k, v := range [3]int{m.Height, m.Width, m.Channels} {
			*udf.At[int64](data, first+k) = int64(v)
		}
		first, err = udf.SetList(pixels, i, m.Len())
		if err != nil {
			return err
		}
		data = mapping.VectorGetData(mapping.ListVectorGetChild(pixels))
		for k := range m.Len() {
			*udf.At[float64](data, first+k) = m.At(k)
		}
		if err := q.Context.Err(); err != nil {
			return err
		}
	}
	return nil
}

func imageBlob(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
	whole := udf.Read(in[0])
	sv, pv := mapping.StructVectorGetChild(in[0], 0), mapping.StructVectorGetChild(in[0], 1)
	shape, pixels := udf.Read(sv), udf.Read(pv)
	sc, pc := udf.Read(mapping.ListVectorGetChild(sv)), udf.Read(mapping.ListVectorGetChild(pv))
	for i := range n {
		if whole.Null(i) || shape.Null(i) || pixels.Null(i) {
			udf.SetNull(out, i)
			continue
		}
		s, p := *udf.At[udf.List](shape.Data, i), *udf.At[udf.List](pixels.Data, i)
		dims, values := make([]int64, s.Length), make([]float64, p.Length)
		for k := range dims {
			dims[k] = *udf.At[int64](sc.Data, int(s.Offset)+k)
			if sc.Null(int(s.Offset) + k) {
				return errors.New("an image's shape holds NULL")
			}
		}
		for k := range values {
			values[k] = *udf.At[float64](pc.Data, int(p.Offset)+k)
			if pc.Null(int(p.Offset) + k) {
				return errors.New("an image holds NULL")
			}
		}
		m, err := image.FromValues(dims, values)
		if err != nil {
			return err
		}
		if err := udf.SetBytes(out, i, m.Bytes()); err != nil {
			return err
		}
		if err := q.Context.Err(); err != nil {
			return err
		}
	}
	return nil
}
