package image

import (
	"errors"
	"fmt"
	"strings"
)

// ErrColorSpace says that a color space is none of those known.
var ErrColorSpace = errors.New("color space")

// ConvertColor changes an RGB image to HSV, GRAYSCALE, YIQ or YUV, FLOAT form, as tf.image does.
func (m Image) ConvertColor(space string) (Image, error) {
	var f func(dst []float32, r, g, b float32)
	channels := 3
	switch strings.ToUpper(space) {
	case "HSV":
		f = hsv
	case "GRAYSCALE":
		channels = 1
		f = func(d []float32, r, g, b float32) { d[0] = r*0.2989 + g*0.5870 + b*0.1140 }
	case "YIQ":
		f = yiq.apply
	case "YUV":
		f = yuv.apply
	default:
		return Image{}, fmt.Errorf("%w %q is not known: use HSV, GRAYSCALE, YIQ or YUV", ErrColorSpace, space)
	}
	if m.Channels != 3 {
		return Image{}, fmt.Errorf("the image has %d channel(s): only RGB images, of 3, change to %s", m.Channels, strings.ToUpper(space))
	}
	out, pix := floatImage(m.Height, m.Width, channels)
	row := make([]float32, m.Width*3)
	d := pix
	for y := range m.Height {
		m.FloatsFrom(y*len(row), row)
		if m.DType == Uint8 {
			for i, v := range row {
				row[i] = unit[byte(v)]
			}
		}
		for i := 0; i < len(row); i += 3 {
			f(d, row[i], row[i+1], row[i+2])
			d = d[channels:]
		}
	}
	return out.sealed(pix), nil
}

type kernel [3][3]float32

func (k *kernel) apply(d []float32, r, g, b float32) {
	for i := range 3 {
		d[i] = r*k[0][i] + g*k[1][i] + b*k[2][i]
	}
}

// The matrices are those of tensorflow/python/ops/image_ops_impl.py.
var (
	yiq = kernel{{0.299, 0.59590059, 0.2115}, {0.587, -0.27455667, -0.52273617}, {0.114, -0.32134392, 0.31119955}}
	yuv = kernel{{0.299, -0.14714119, 0.61497538}, {0.587, -0.28886916, -0.51496512}, {0.114, 0.43601035, -0.10001026}}
)

// hsv is the kernel of TensorFlow's RGBToHSV.
func hsv(d []float32, r, g, b float32) {
	top := max(r, g, b)
	span := top - min(r, g, b)
	var s, h float32
	if top > 0 {
		s = span / top
	}
	if span > 0 {
		norm := 1 / (6 * span)
		switch {
		case r == top:
			h = norm * (g - b)
		case g == top:
			h = norm*(b-r) + 2.0/6
		default:
			h = norm*(r-g) + 4.0/6
		}
	}
	if h < 0 {
		h++
	}
	d[0], d[1], d[2] = h, s, top
}

// Integers changes FLOAT form to INT form, 0 to 255, as tf.image.convert_image_dtype does: whole numbers come back
// exactly. Values outside [0, 1] are cut.
func (m Image) Integers() Image {
	if m.DType == Uint8 {
		return m
	}
	out := New(Uint8, m.Height, m.Width, m.Channels)
	p := out.Pixels()
	if m.DType == Unit8 {
		copy(p, m.Pixels())
		return out
	}
	row := make([]float32, m.Width*m.Channels)
	for y := range m.Height {
		m.FloatsFrom(y*len(row), row)
		for i, v := range row {
			if !(v > 0) { // also NaN
				v = 0
			}
			p[y*len(row)+i] = byte(min(v*255.5, 255))
		}
	}
	return out
}
