package image

import (
	"image"
	"image/color"
	"math"
)

// source gives the rows of an image as RGB, three bytes a pixel, in any order. Alpha is dropped, colours are not
// multiplied by it.
type source struct {
	height, width int
	row           func(y int, dst []byte)
}

func sourceOf(src image.Image) *source {
	r := src.Bounds()
	w := r.Dx()
	s := &source{height: r.Dy(), width: w}
	// each calls f with the three bytes to write and the size bytes to read of every pixel.
	each := func(pix []byte, stride, size int, f func(d, p []byte)) {
		s.row = func(y int, dst []byte) {
			row := pix[y*stride:][:w*size]
			for x := range w {
				f(dst[3*x:][:3:3], row[x*size:][:size:size])
			}
		}
	}
	// bytes takes the bytes at 0, step and 2 × step of every pixel.
	bytes := func(pix []byte, stride, size, step int) {
		s.row = func(y int, dst []byte) {
			row := pix[y*stride:][:w*size]
			dst = dst[:3*w]
			for len(row) >= size && len(dst) >= 3 {
				dst[0], dst[1], dst[2] = row[0], row[step], row[2*step]
				row, dst = row[size:], dst[3:]
			}
		}
	}
	switch p := src.(type) {
	case *image.YCbCr:
		s.row = newYCC(p).row
	case *image.Gray:
		bytes(p.Pix, p.Stride, 1, 0)
	case *image.Gray16:
		bytes(p.Pix, p.Stride, 2, 0)
	case *image.RGBA: // opaque when it comes from a decoder
		bytes(p.Pix, p.Stride, 4, 1)
	case *image.NRGBA:
		bytes(p.Pix, p.Stride, 4, 1)
	case *image.RGBA64:
		bytes(p.Pix, p.Stride, 8, 2)
	case *image.NRGBA64:
		bytes(p.Pix, p.Stride, 8, 2)
	case *image.CMYK:
		each(p.Pix, p.Stride, 4, func(d, p []byte) {
			k := 255 - int(p[3])
			d[0], d[1], d[2] = byte((255-int(p[0]))*k/255), byte((255-int(p[1]))*k/255), byte((255-int(p[2]))*k/255)
		})
	case *image.Paletted:
		var table [256][3]byte
		for i, c := range p.Palette {
			n := color.NRGBAModel.Convert(c).(color.NRGBA)
			table[i] = [3]byte{n.R, n.G, n.B}
		}
		each(p.Pix, p.Stride, 1, func(d, p []byte) { copy(d, table[p[0]][:]) })
	default:
		s.row = func(y int, dst []byte) {
			for x := range w {
				n := color.NRGBAModel.Convert(src.At(r.Min.X+x, r.Min.Y+y)).(color.NRGBA)
				dst[3*x], dst[3*x+1], dst[3*x+2] = n.R, n.G, n.B
			}
		}
	}
	return s
}

// fit gives the size to which BigQuery scales down an image over Limits.MaxStruct; over is false for the others.
func (s *source) fit(l Limits) (height, width int, over bool) {
	times := float64(s.height*s.width*3) * 8 / float64(limit(l.MaxStruct, 60_000_000))
	if times <= 1 {
		return 0, 0, false
	}
	side := 1 / math.Sqrt(times)
	height, width = max(1, int(float64(s.height)*side)), max(1, int(float64(s.width)*side))
	return height, width, height != s.height || width != s.width
}

// whole is the image as it is.
func (s *source) whole() Image {
	m := New(Unit8, s.height, s.width, 3)
	p := m.Pixels()
	for y := range s.height {
		s.row(y, p[y*s.width*3:][:s.width*3])
	}
	return m
}

// resized is what Resize makes of the whole image, another size. It computes only the rows that count.
func (s *source) resized(height, width int) Image {
	out, pix := floatImage(height, width, 3)
	row := make([]byte, s.width*3)
	bilinear(pix, height, width, s.height, s.width, 3, func(y int, dst []float32, xs []weight) {
		s.row(y, row)
		across3(dst, row, xs, &unit)
	})
	return out.sealed(pix)
}
