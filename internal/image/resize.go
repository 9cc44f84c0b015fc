package image

import (
	"fmt"
	"math"

	"github.com/mallardml/mallard/internal/amount"
)

// maxStruct is BigQuery's limit on an image in its own form, which a resized image keeps too.
const maxStruct = 60_000_000

// Resize scales to height × width, bilinear, as tf.image.resize does without antialias; keep makes the largest image of
// the same proportions that fits. INT form stays INT form, rounded to the nearest number.
func (m Image) Resize(height, width int, keep bool) (Image, error) {
	height, width, err := target(m.Height, m.Width, m.Channels, height, width, keep)
	if err != nil {
		return Image{}, err
	}
	if height == m.Height && width == m.Width {
		return m, nil
	}
	out, pix := floatImage(height, width, m.Channels)
	bilinear(pix, height, width, m.Height, m.Width, m.Channels, m.across())
	if m.DType != Uint8 {
		return out.sealed(pix), nil
	}
	whole := New(Uint8, height, width, m.Channels)
	p := whole.Pixels()[:len(pix)]
	for i, v := range pix {
		p[i] = byte(int32(v + 0.5)) // to a byte at once is slow
	}
	return whole, nil
}

// MostPixels is the most of a resized image: an image may be of the size that it has, up to the default of Limits.MaxPixels.
const MostPixels = 50_000_000

// CheckSide reports, as an error, that no image can be resized to n pixels of height or width, whatever the other is.
func CheckSide(n int64) error {
	switch {
	case n < 1:
		return fmt.Errorf("is %d; it must be 1 or more, in pixels", n)
	case n > MostPixels:
		return because("too large", fmt.Errorf("is %d; no image has more than %d pixels", n, MostPixels))
	}
	return nil
}

// target is the size that an image of fromHeight × fromWidth gets.
func target(fromHeight, fromWidth, channels, height, width int, keep bool) (h, w int, err error) {
	if height < 1 || width < 1 {
		return 0, 0, fmt.Errorf("image cannot be resized to %d × %d: height and width begin at 1", height, width)
	}
	if height > maxSide || width > maxSide || height*width > maxStruct/8/channels && height*width > fromHeight*fromWidth {
		return 0, 0, because("too large", fmt.Errorf("%w: it cannot be resized to %d × %d, %s are the most", errTooLarge, height, width,
			amount.Of(maxStruct, "byte")))
	}
	if keep {
		scale := min(float32(height)/float32(fromHeight), float32(width)/float32(fromWidth))
		height = max(1, int(math.RoundToEven(float64(scale*float32(fromHeight)))))
		width = max(1, int(math.RoundToEven(float64(scale*float32(fromWidth)))))
	}
	return height, width, nil
}

// weight is where an output lies between two inputs.
type weight struct {
	low, high int
	part      float32
}

// weights places the centres of n outputs among size inputs.
func weights(n, size, step int) []weight {
	w := make([]weight, n)
	scale := float32(size) / float32(n)
	for i := range w {
		at := (float32(i)+0.5)*scale - 0.5
		floor := float32(math.Floor(float64(at)))
		low := max(int(floor), 0)
		high := min(int(math.Ceil(float64(at))), size-1)
		w[i] = weight{low * step, max(high, 0) * step, at - floor}
	}
	return w
}

// bilinear writes height × width pixels. row computes a row of the source at the columns xs.
func bilinear(dst []float32, height, width, fromHeight, fromWidth, channels int, row func(y int, dst []float32, xs []weight)) {
	ys, xs := weights(height, fromHeight, 1), weights(width, fromWidth, channels)
	size := width * channels
	buf := make([]float32, 2*size)
	rows := [2][]float32{buf[:size], buf[size:]}
	have := [2]int{-1, -1}
	// load keeps the two rows in use: neighbouring outputs share them.
	load := func(y, other int) []float32 {
		for i, k := range have {
			if k == y {
				return rows[i]
			}
		}
		i := 0
		if have[0] == other {
			i = 1
		}
		row(y, rows[i], xs)
		have[i] = y
		return rows[i]
	}
	for i, y := range ys {
		above := load(y.low, y.high)
		below := load(y.high, y.low)[:len(above)]
		d := dst[i*size:][:len(above)]
		for k, top := range above {
			d[k] = top + float32((below[k]-top)*y.part)
		}
	}
}

// across interpolates rows of the image between columns. Its products are rounded, as TensorFlow's are: Go may fuse them with
// the sum elsewhere.
func (m Image) across() func(y int, dst []float32, xs []weight) {
	p, c := m.Pixels(), m.Channels
	size := m.Width * c
	if m.DType == Float32 {
		row := make([]float32, size)
		return func(y int, dst []float32, xs []weight) {
			m.FloatsFrom(y*size, row)
			for _, x := range xs {
				low, high := row[x.low:][:c], row[x.high:][:c]
				for k, l := range low {
					dst[k] = l + float32((high[k]-l)*x.part)
				}
				dst = dst[c:]
			}
		}
	}
	table := &unit
	if m.DType == Uint8 {
		table = &number
	}
	return func(y int, dst []float32, xs []weight) {
		row := p[y*size:][:size]
		if c == 3 {
			across3(dst, row, xs, table)
			return
		}
		for _, x := range xs {
			low, high := row[x.low:][:c], row[x.high:][:c]
			for k, v := range low {
				l := table[v]
				dst[k] = l + float32((table[high[k]]-l)*x.part)
			}
			dst = dst[c:]
		}
	}
}

// across3 interpolates a row of RGB bytes, which stand for the values of table.
func across3(dst []float32, row []byte, xs []weight, table *[256]float32) {
	for i := range xs {
		x := &xs[i]
		low, high := row[x.low:][:3], row[x.high:][:3]
		d := dst[3*i:][:3]
		r, g, b := table[low[0]], table[low[1]], table[low[2]]
		d[0] = r + float32((table[high[0]]-r)*x.part)
		d[1] = g + float32((table[high[1]]-g)*x.part)
		d[2] = b + float32((table[high[2]]-b)*x.part)
	}
}
