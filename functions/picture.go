package functions

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/image"
	"github.com/mallardml/mallard/internal/udf"
)

// picture reports whether images feed the input: a row is [height, width, channels] of numbers.
func (p *Port) picture() bool {
	in := p.inner()
	return len(in) == 3 && in[2] != 0 && in[2] <= 4 && p.DType != String && p.DType != Bool
}

// picture is how images in the compact form of package image fill a tensor.
type picture struct {
	whole    converter // of bytes that mean 0 to 255
	fraction converter // of float32; nil where the model wants whole numbers
	unit     []byte    // what byte/255 is in the tensor, for every byte; nil likewise
}

func newPicture(to DType) *picture {
	p := &picture{whole: fromInteger[uint8](to), fraction: fromFloat[float32](to)}
	if p.fraction == nil {
		return p
	}
	all := image.New(image.Unit8, 16, 16, 1)
	for i := range all.Pixels() {
		all.Pixels()[i] = byte(i)
	}
	var unit [256]float32
	all.Floats(unit[:])
	table := make([]uint64, 256*to.Size()/8) // aligned
	p.unit = unsafe.Slice((*byte)(unsafe.Pointer(&table[0])), 256*to.Size())
	p.fraction(unsafe.Pointer(&table[0]), unsafe.Pointer(&unit), len(unit))
	return p
}

// fill writes an image to dst, which has room for all of it. It returns a pixel that does not fit, or "".
func (p *picture) fill(dst []byte, m image.Image) string {
	to, src := unsafe.Pointer(unsafe.SliceData(dst)), m.Pixels()
	switch m.DType {
	case image.Uint8:
		if bad := p.whole(to, unsafe.Pointer(unsafe.SliceData(src)), len(src)); bad >= 0 {
			return fmt.Sprint(src[bad])
		}
	case image.Unit8:
		switch table := unsafe.Pointer(unsafe.SliceData(p.unit)); len(p.unit) / 256 {
		case 2:
			looked[uint16](to, table, src)
		case 4:
			looked[uint32](to, table, src)
		case 8:
			looked[uint64](to, table, src)
		}
	default:
		var some [1024]float32
		size := len(dst) / m.Len()
		for i := 0; i < m.Len(); i += len(some) {
			part := some[:min(len(some), m.Len()-i)]
			m.FloatsFrom(i, part)
			if bad := p.fraction(unsafe.Add(to, i*size), unsafe.Pointer(&some), len(part)); bad >= 0 {
				return leaf{kind: mapping.TypeFloat}.number(unsafe.Pointer(&some), bad)
			}
		}
	}
	return ""
}

func looked[T any](dst, table unsafe.Pointer, src []byte) {
	d, t := unsafe.Slice((*T)(dst), len(src)), (*[256]T)(table)
	for i, b := range src {
		d[i] = t[b]
	}
}

// takePicture makes an argument feed the input as an image, or says that it is none.
func (c *column) takePicture() (bool, error) {
	a := c.argument
	if !c.port.picture() || len(a.nest) > 0 {
		return false, nil
	}
	if a.leaf.kind == mapping.TypeBlob {
		c.picture = newPicture(c.port.DType)
		return true, nil
	}
	if len(a.fields) != 2 || len(a.fields[0].nest) != 1 || len(a.fields[1].nest) != 1 {
		return false, nil
	}
	sides, pixels := a.fields[0], a.fields[1]
	if !sides.leaf.dtype().Integer() {
		return false, nil
	}
	convert := converterFor(pixels.leaf, c.port.DType)
	if convert == nil {
		if converterFor(pixels.leaf, Float64) == nil {
			return false, nil
		}
		return false, fmt.Errorf("input `%s` wants whole numbers (%s), the pixels of the column's images are %s; pass the image itself through "+
			"ML.CONVERT_IMAGE_TYPE, or cast the pixels to BIGINT[]",
			c.port.Name, describe(c.port), pixels)
	}
	c.argument, c.convert, c.listed = pixels, convert, 1
	c.same = pixels.leaf.dtype() == c.port.DType
	c.sides = &sides
	c.sideOf = converterFor(sides.leaf, Int64)
	return true, nil
}

// placePicture checks the image of a row. It reports false for NULL.
func (f *feed) placePicture(row int) (bool, error) {
	if !udf.Valid(f.mask, row) {
		return false, nil
	}
	m, err := f.parse(int32(row))
	if errors.Is(err, image.ErrForm) {
		return false, fmt.Errorf("input `%s` wants images (%s), a value of the BLOB column is none; give it ML.DECODE_IMAGE of a file's bytes",
			f.port.Name, describe(f.port))
	}
	if err != nil {
		return false, fmt.Errorf("input `%s`: %w", f.port.Name, err)
	}
	if m.DType != image.Uint8 && f.picture.fraction == nil {
		return false, fmt.Errorf("input `%s` wants whole numbers (%s), the image holds fractions from 0 to 1; apply ML.CONVERT_IMAGE_TYPE(%s)",
			f.port.Name, describe(f.port), quoteIdent(f.port.Name))
	}
	return true, f.checkPicture(row, [3]int{m.Height, m.Width, m.Channels})
}

// parse reads the image of a row where it lies.
func (f *feed) parse(row int32) (image.Image, error) {
	return image.Parse(udf.Column{Data: f.data}.Bytes(int(row)))
}

// placeStruct finds the pixels of a row that is an image as BigQuery shows it. It reports false for a NULL in it.
func (f *feed) placeStruct(row int) (bool, error) {
	first, n, ok := f.side.span(row)
	if !ok || !udf.Valid(f.outer, row) || udf.AnyNull(f.edges.Mask, first, n) {
		return false, nil
	}
	pos, count, ok := f.levels[0].span(row)
	if !ok || udf.AnyNull(f.mask, pos, count) {
		return false, nil
	}
	var wide [3]int64
	size := f.sides.leaf.size()
	if n != len(wide) || f.sideOf(unsafe.Pointer(&wide), unsafe.Add(f.edges.Data, first*size), n) >= 0 {
		return false, fmt.Errorf("input `%s`: the first field of an image holds %s; it must be [height, width, channels]", f.port.Name,
			amount.Of(n, "value"))
	}
	const most = 1 << 20
	var sides [3]int
	for i, d := range wide {
		if d < 1 || d > most {
			return false, fmt.Errorf("input `%s`: the shape %v of an image is not [height, width, channels]", f.port.Name, wide)
		}
		sides[i] = int(d)
	}
	if want := sides[0] * sides[1] * sides[2]; want != count {
		return false, fmt.Errorf("input `%s`: an image of shape %v needs %s, not %d", f.port.Name, wide, amount.Of(want, "value"), count)
	}
	f.starts[row] = pos
	return true, f.checkPicture(row, sides)
}

// span is where the elements of a row lie in the level below, false for NULL.
func (l *level) span(row int) (first, n int, ok bool) {
	switch {
	case !udf.Valid(l.mask, row):
		return 0, 0, false
	case l.entries == nil:
		return row * l.size, l.size, true
	}
	e := udf.At[udf.List](l.entries, row)
	return int(e.Offset), int(e.Length), true
}

// checkPicture compares an image with the input, and notes its shape where rows may differ.
func (f *feed) checkPicture(row int, sides [3]int) error {
	dims, ok := f.column.dims, true
	for i, n := range sides {
		ok = ok && (dims[i] < 0 || dims[i] == n)
		if f.elems < 0 {
			f.dims[row*len(dims)+i] = int32(n)
		}
	}
	if ok {
		return nil
	}
	name := quoteIdent(f.port.Name)
	var tips []string
	if dims[0] >= 0 && dims[0] != sides[0] || dims[1] >= 0 && dims[1] != sides[1] {
		side := func(i int, open string) string {
			if dims[i] < 0 {
				return open
			}
			return fmt.Sprint(dims[i])
		}
		tips = append(tips, fmt.Sprintf("apply ML.RESIZE_IMAGE(%s, %s, %s, FALSE)", name, side(0, "height"), side(1, "width")))
	}
	if dims[2] >= 0 && dims[2] != sides[2] {
		switch dims[2] {
		case 1:
			tips = append(tips, fmt.Sprintf("apply ML.CONVERT_COLOR_SPACE(%s, 'GRAYSCALE')", name))
		case 3:
			tips = append(tips, "leave its colors as ML.DECODE_IMAGE gives them")
		default:
			tips = append(tips, "no image function makes that many channels")
		}
	}
	return fmt.Errorf("input `%s`: an image has height %d, width %d and %d channel(s), the model wants %s × %s × %s (%s); %s",
		f.port.Name, sides[0], sides[1], sides[2], sideText(dims[0]), sideText(dims[1]), sideText(dims[2]), describe(f.port),
		strings.Join(tips, " and "))
}

func sideText(d int) string {
	if d < 0 {
		return "any"
	}
	return fmt.Sprint(d)
}

// pixels fills the tensor of some rows from images in the compact form, each of n values.
func (f *feed) pixels(t *Tensor, rows []int32, n int, b *buffer) error {
	size := n * t.DType.Size()
	t.Data = b.takeBytes(size * len(rows))
	for i, r := range rows {
		m, err := f.parse(r)
		if err != nil {
			return err
		}
		if m.Len() != n {
			return fmt.Errorf("input `%s`: an image of %s stands among images of %d", f.port.Name, amount.Of(m.Len(), "value"), n)
		}
		if bad := f.picture.fill(t.Data[i*size:][:size], m); bad != "" {
			return fmt.Errorf("input `%s`: the pixel %s does not fit the model's %s (%s)", f.port.Name, bad, t.DType, t.DType.limits())
		}
	}
	return nil
}
