package image

import (
	"fmt"
	"math"
)

// maxStruct is BigQuery's limit on an image in its own form, which a resized image keeps too.
const maxStruct = 60_000_000

// Resize scales to height × width, bilinear, as tf.image.resize does without antialias; keep makes the largest image of
// the same proportions that fits. INT form stays INT form, rounded to the nearest number.
func (m Image) Resize(height, width int, keep bool) (Image, error) {
	if height < 1 || width < 1 {
		return Image{}, fmt.Errorf("image cannot be resized to %d × %d: height and width begin at 1", height, width)
	}
	if height > maxSide || width > maxSide || height*width > maxStruct/8/m.Channels && height*width > m.Height*m.Width {
		return Image{}, fmt.Errorf("%w: it cannot be resized to %d × %d, %d bytes is the most", ErrTooLarge, height, width, maxStruct)
	}
	if keep {
		scale := min(float32(height)/float32(m.Height), float32(width)/float32(m.Width))
		height = max(1, int(math.RoundToEven(float64(scale*float32(m.Height)))))
		width = max(1, int(math.RoundToEven(float64(scale*float32(m.Width)))))
	}
	if height == m.Height && width == m.Width {
		return m, nil
	}
	out, pix := floatImage(height, width, m.Channels)
	m.bilinear(pix, height, width)
	if m.DType != Uint8 {
		return out.sealed(pix), nil
	}
	whole := New(Uint8, height, width, m.Channels)
	for i, v := range pix {
		whole.Pixels()[i] = byte(v + 0.5)
	}
	return whole, nil
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

func (m Image) bilinear(dst []float32, height, width int) {
	ys, xs := weights(height, m.Height, 1), weights(width, m.Width, m.Channels)
	row := m.Width * m.Channels
	var above, below []float32
	have := [2]int{-1, -1}
	buf := [2][]float32{make([]float32, row), make([]float32, row)}
	// load keeps the two rows in use as floats: neighbouring outputs share them.
	load := func(y, other int) []float32 {
		for i, k := range have {
			if k == y {
				return buf[i]
			}
		}
		i := 0
		if have[0] == other {
			i = 1
		}
		m.FloatsFrom(y*row, buf[i])
		have[i] = y
		return buf[i]
	}
	c := m.Channels
	for _, y := range ys {
		above = load(y.low, y.high)
		below = load(y.high, y.low)
		for _, x := range xs {
			for k := range c {
				tl, tr, bl, br := above[x.low+k], above[x.high+k], below[x.low+k], below[x.high+k]
				top := tl + (tr-tl)*x.part
				bottom := bl + (br-bl)*x.part
				dst[k] = top + (bottom-top)*y.part
			}
			dst = dst[c:]
		}
	}
}
