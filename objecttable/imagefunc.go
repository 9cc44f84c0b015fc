package objecttable

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/functions/image"
)

// imageType is what people see: [height, width, channels] and the pixels. BigQuery's fields have no names; its tools show
// them as these. duckdb-go cannot return a struct without names.
var imageType = structOf(sqlField{"_field_1", listOf(bigint)}, sqlField{"_field_2", listOf(double)})

func (r *Runtime) imageFunctions() []*scalar {
	row := func(f func(b []byte, in []column, i int) ([]byte, error)) func(*Query, uint64, []mapping.Vector, int, mapping.Vector) error {
		return func(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
			return eachImage(q, in, n, out, f)
		}
	}
	parsed := func(f func(m image.Image, in []column, i int) (image.Image, error)) func(*Query, uint64, []mapping.Vector, int, mapping.Vector) error {
		return row(func(b []byte, in []column, i int) ([]byte, error) {
			m, err := image.Parse(b)
			if err == nil {
				m, err = f(m, in, i)
			}
			return m.Bytes(), err
		})
	}
	return []*scalar{
		{name: "ml_decode_image", params: []sqlType{blob}, result: blob, f: row(func(b []byte, _ []column, _ int) ([]byte, error) {
			m, err := image.Decode(b, r.o.Images)
			return m.Bytes(), err
		})},
		{name: "ml_resize_image", params: []sqlType{blob, bigint, bigint, boolean}, result: blob, f: parsed(func(m image.Image, in []column, i int) (image.Image, error) {
			h, w := *at[int64](in[1].data, i), *at[int64](in[2].data, i)
			if h < 1 || w < 1 || h > math.MaxInt32 || w > math.MaxInt32 {
				return m, statementError{fmt.Errorf("an image cannot be resized to %d × %d: height and width begin at 1", h, w)}
			}
			return m.Resize(int(h), int(w), *at[bool](in[3].data, i))
		})},
		{name: "ml_convert_color_space", params: []sqlType{blob, varchar}, result: blob, f: parsed(func(m image.Image, in []column, i int) (image.Image, error) {
			return m.ConvertColor(in[1].text(i))
		})},
		{name: "ml_convert_image_type", params: []sqlType{blob}, result: blob, f: parsed(func(m image.Image, _ []column, _ int) (image.Image, error) {
			return m.Integers(), nil
		})},
		{name: "ml_image_struct", params: []sqlType{blob}, result: imageType, f: imageStruct},
		{name: "ml_image_blob", params: []sqlType{imageType}, result: blob, f: imageBlob},
	}
}

// eachImage runs f for the rows without NULLs, on all processors.
func eachImage(q *Query, in []mapping.Vector, n int, out mapping.Vector, f func(b []byte, in []column, i int) ([]byte, error)) error {
	type row struct {
		i     int
		bytes []byte
	}
	columns := make([]column, len(in))
	for k, v := range in {
		columns[k] = reading(v)
	}
	todo := make([]row, 0, n)
rows:
	for i := range n {
		for _, c := range columns {
			if c.null(i) {
				setNull(out, i)
				continue rows
			}
		}
		todo = append(todo, row{i: i})
	}
	return spread(q.Context, todo, runtime.GOMAXPROCS(0), func(_ context.Context, j *row) (err error) {
		j.bytes, err = f(columns[0].bytes(j.i), columns, j.i)
		return err
	}, func(j *row, err error) error {
		if err != nil {
			setNull(out, j.i)
			if errors.Is(err, image.ErrForm) {
				return err
			}
			return q.row("", err)
		}
		setBytes(out, j.i, j.bytes)
		j.bytes = nil
		return nil
	})
}

func imageStruct(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
	images := reading(in[0])
	shape, pixels := mapping.StructVectorGetChild(out, 0), mapping.StructVectorGetChild(out, 1)
	for i := range n {
		if images.null(i) {
			setNull(out, i)
			setNull(shape, i)
			setNull(pixels, i)
			continue
		}
		m, err := image.Parse(images.bytes(i))
		if err != nil {
			return err
		}
		first := grow(shape, i, 3)
		data := mapping.VectorGetData(mapping.ListVectorGetChild(shape))
		for k, v := range [3]int{m.Height, m.Width, m.Channels} {
			*at[int64](data, first+k) = int64(v)
		}
		first = grow(pixels, i, m.Len())
		data = mapping.VectorGetData(mapping.ListVectorGetChild(pixels))
		for k := range m.Len() {
			*at[float64](data, first+k) = m.At(k)
		}
		if err := q.Context.Err(); err != nil {
			return err
		}
	}
	return nil
}

func imageBlob(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
	whole := reading(in[0])
	sv, pv := mapping.StructVectorGetChild(in[0], 0), mapping.StructVectorGetChild(in[0], 1)
	shape, pixels := reading(sv), reading(pv)
	sc, pc := reading(mapping.ListVectorGetChild(sv)), reading(mapping.ListVectorGetChild(pv))
	for i := range n {
		if whole.null(i) || shape.null(i) || pixels.null(i) {
			setNull(out, i)
			continue
		}
		s, p := *at[listEntry](shape.data, i), *at[listEntry](pixels.data, i)
		dims, values := make([]int64, s.length), make([]float64, p.length)
		for k := range dims {
			dims[k] = *at[int64](sc.data, int(s.offset)+k)
			if sc.null(int(s.offset) + k) {
				return errors.New("an image's shape holds NULL")
			}
		}
		for k := range values {
			values[k] = *at[float64](pc.data, int(p.offset)+k)
			if pc.null(int(p.offset) + k) {
				return errors.New("an image holds NULL")
			}
		}
		m, err := image.FromValues(dims, values)
		if err != nil {
			return err
		}
		setBytes(out, i, m.Bytes())
		if err := q.Context.Err(); err != nil {
			return err
		}
	}
	return nil
}
