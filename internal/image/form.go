package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/mallardml/mallard/internal/amount"
)

// DType says how the pixels of a compact image are stored.
type DType uint8

const (
	// Float32 pixels are as they are; colours of an image in FLOAT form lie in [0, 1].
	Float32 DType = 1
	// Uint8 pixels are whole numbers 0 to 255: BigQuery's INT64 form.
	Uint8 DType = 2
	// Unit8 pixels are bytes that mean byte/255: the FLOAT form of a decoded image.
	Unit8 DType = 3
)

// Size is the number of bytes of one pixel's channel.
func (t DType) Size() int {
	if t == Float32 {
		return 4
	}
	return 1
}

const (
	magic      = "\x8bMI1"
	headerSize = 16
	maxSide    = 1 << 24
)

// Image is an image in the compact form. Parse makes one that shares the memory of its argument.
type Image struct {
	DType                   DType
	Height, Width, Channels int
	blob                    []byte // header and pixels
}

// ErrForm says that bytes are not an image in the compact form.
var ErrForm = errors.New("not a decoded image: apply ML.DECODE_IMAGE to the object's bytes first")

// New makes a black image.
func New(t DType, height, width, channels int) Image {
	b := make([]byte, headerSize+height*width*channels*t.Size())
	copy(b, magic)
	b[4], b[5] = byte(t), byte(channels)
	binary.LittleEndian.PutUint32(b[8:], uint32(height))
	binary.LittleEndian.PutUint32(b[12:], uint32(width))
	return Image{t, height, width, channels, b}
}

// Parse reads the compact form. The image shares b.
func Parse(b []byte) (Image, error) {
	if len(b) < headerSize || string(b[:4]) != magic {
		return Image{}, ErrForm
	}
	m := Image{DType(b[4]), int(binary.LittleEndian.Uint32(b[8:])), int(binary.LittleEndian.Uint32(b[12:])), int(b[5]), b}
	if m.DType < Float32 || m.DType > Unit8 || m.Channels < 1 || m.Channels > 4 || b[6]|b[7] != 0 ||
		m.Height < 1 || m.Width < 1 || m.Height > maxSide || m.Width > maxSide ||
		len(b)-headerSize != m.Height*m.Width*m.Channels*m.DType.Size() {
		return Image{}, fmt.Errorf("decoded image: its header and its %s do not fit together", amount.Of(len(b), "byte"))
	}
	return m, nil
}

// Bytes returns the compact form, sharing the image's memory.
func (m Image) Bytes() []byte { return m.blob }

// Pixels returns the stored pixels, sharing the image's memory.
func (m Image) Pixels() []byte { return m.blob[headerSize:] }

// Len is the number of values: height × width × channels.
func (m Image) Len() int { return m.Height * m.Width * m.Channels }

// At returns value i as BigQuery shows it.
func (m Image) At(i int) float64 {
	switch p := m.Pixels(); m.DType {
	case Uint8:
		return float64(p[i])
	case Unit8:
		return float64(unit[p[i]])
	default:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(p[i*4:])))
	}
}

// Floats writes all values to dst, which has Len elements.
func (m Image) Floats(dst []float32) {
	p := m.Pixels()
	switch m.DType {
	case Uint8:
		for i, b := range p {
			dst[i] = float32(b)
		}
	case Unit8:
		for i, b := range p {
			dst[i] = unit[b]
		}
	default:
		if littleEndian && len(dst) > 0 {
			copy(unsafe.Slice((*byte)(unsafe.Pointer(&dst[0])), len(dst)*4), p)
			return
		}
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(p[i*4:]))
		}
	}
}

// FloatsFrom writes len(dst) values from value i on.
func (m Image) FloatsFrom(i int, dst []float32) {
	size := m.DType.Size()
	part := Image{DType: m.DType, blob: m.blob[i*size : headerSize+(i+len(dst))*size]}
	part.Floats(dst)
}

// unit is byte/255 as ML.DECODE_IMAGE gives it; tf.image.convert_image_dtype multiplies by 1/255 and so differs by one
// unit in the last place for half of the bytes.
var unit = func() (t [256]float32) {
	for i := range t {
		t[i] = float32(i) / 255
	}
	return t
}()

// number is a byte as a float.
var number = func() (t [256]float32) {
	for i := range t {
		t[i] = float32(i)
	}
	return t
}()

// floatImage is an image whose pixels are written as floats: New's memory is aligned for them.
func floatImage(height, width, channels int) (Image, []float32) {
	m := New(Float32, height, width, channels)
	return m, unsafe.Slice((*float32)(unsafe.Pointer(&m.blob[headerSize])), m.Len())
}

// sealed brings pixels that were written as floats to little-endian order.
func (m Image) sealed(pix []float32) Image {
	if !littleEndian {
		p := m.Pixels()
		for i, v := range pix {
			binary.LittleEndian.PutUint32(p[i*4:], math.Float32bits(v))
		}
	}
	return m
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// FromValues builds the compact form from the form that BigQuery shows.
func FromValues(shape []int64, values []float64) (Image, error) {
	if len(shape) != 3 || shape[2] < 1 || shape[2] > 4 || shape[0] < 1 || shape[1] < 1 || shape[0] > maxSide || shape[1] > maxSide {
		return Image{}, fmt.Errorf("image: the shape %v is not [height, width, channels]", shape)
	}
	if want := shape[0] * shape[1] * shape[2]; want != int64(len(values)) {
		return Image{}, fmt.Errorf("image: the shape %v needs %s, not %d", shape, amount.Of(want, "value"), len(values))
	}
	m, pix := floatImage(int(shape[0]), int(shape[1]), int(shape[2]))
	for i, v := range values {
		pix[i] = float32(v)
		if math.IsInf(float64(pix[i]), 0) && !math.IsInf(v, 0) {
			return Image{}, fmt.Errorf("image: the value %v does not fit a pixel, a float32 (-3.4028235e+38 to 3.4028235e+38)", v)
		}
	}
	return m.sealed(pix), nil
}
