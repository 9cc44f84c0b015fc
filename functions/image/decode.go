package image

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/bmp"
)

// Limits bounds what decoding may take. The zero value has the defaults; a negative number removes a limit.
type Limits struct {
	// MaxBytes is the size of an encoded image; default 20,000,000, BigQuery's limit for inference.
	MaxBytes int
	// MaxPixels is height × width of an encoded image, read from its header before memory is taken; default 50,000,000.
	MaxPixels int
	// MaxStruct is the size of a decoded image in BigQuery's form, 8 bytes for each channel of a pixel; larger ones are
	// scaled down as BigQuery does. Default 60,000,000.
	MaxStruct int
}

func limit(v, def int) int {
	switch {
	case v == 0:
		return def
	case v < 0:
		return math.MaxInt
	}
	return v
}

// ErrTooLarge says that an image is over one of the Limits.
var ErrTooLarge = errors.New("the image is too large")

// Decode reads a JPEG, PNG or BMP image into three channels, FLOAT form. b is not kept.
func Decode(b []byte, l Limits) (Image, error) {
	if most := limit(l.MaxBytes, 20_000_000); len(b) > most {
		return Image{}, fmt.Errorf("%w: %d bytes, the limit is %d; store a smaller version", ErrTooLarge, len(b), most)
	}
	f, err := formatOf(b)
	if err != nil {
		return Image{}, err
	}
	cfg, err := f.config(bytes.NewReader(b))
	if err != nil {
		return Image{}, broken(f.name, err)
	}
	if cfg.Width < 1 || cfg.Height < 1 {
		return Image{}, fmt.Errorf("%s image: it has no pixels", f.name)
	}
	most := limit(l.MaxPixels, 50_000_000)
	if cfg.Width > maxSide || cfg.Height > maxSide || cfg.Width > most/cfg.Height {
		return Image{}, fmt.Errorf("%w: %d × %d pixels, the limit is %d; store a smaller version", ErrTooLarge, cfg.Height, cfg.Width, most)
	}
	if f.ratio > 0 && cfg.Width*cfg.Height/f.ratio > len(b) {
		return Image{}, fmt.Errorf("%s image: %d bytes cannot hold its %d × %d pixels", f.name, len(b), cfg.Height, cfg.Width)
	}
	src, err := f.decode(bytes.NewReader(b))
	if err != nil {
		return Image{}, broken(f.name, err)
	}
	m := rgb(src)
	if over := float64(m.Len()) * 8 / float64(limit(l.MaxStruct, 60_000_000)); over > 1 {
		side := 1 / math.Sqrt(over)
		return m.Resize(max(1, int(float64(m.Height)*side)), max(1, int(float64(m.Width)*side)), false)
	}
	return m, nil
}

func broken(format string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%s image: it is cut off", format)
	}
	return fmt.Errorf("%s image: %w", format, err)
}

type format struct {
	name   string
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	// ratio is the most pixels that one byte can stand for; 0 where the decoder's memory grows with what it reads.
	ratio int
}

func formatOf(b []byte) (format, error) {
	has := func(s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }
	switch {
	case len(b) == 0:
		return format{}, errors.New("the object is empty, not an image")
	case has("\xff\xd8\xff"):
		return format{"JPEG", jpeg.DecodeConfig, jpeg.Decode, 0}, nil
	case has("\x89PNG\r\n\x1a\n"):
		return format{"PNG", png.DecodeConfig, png.Decode, 8 * 1032}, nil // deflate's best is 1032 to 1, at one bit a pixel
	case has("BM"):
		return format{"BMP", bmp.DecodeConfig, bmp.Decode, 1}, nil
	}
	name := ""
	switch {
	case has("GIF8"):
		name = "GIF"
	case has("RIFF") && len(b) >= 12 && string(b[8:12]) == "WEBP":
		name = "WebP"
	case has("II*\x00"), has("MM\x00*"):
		name = "TIFF"
	case len(b) >= 12 && string(b[4:8]) == "ftyp":
		name = "HEIF, AVIF or MP4"
	case has(magic):
		return format{}, errors.New("the image is decoded already: ML.DECODE_IMAGE takes the bytes of a JPEG, PNG or BMP file")
	default:
		return format{}, fmt.Errorf("not a JPEG, PNG or BMP image: it begins with %q", b[:min(len(b), 8)])
	}
	return format{}, fmt.Errorf("%s images are not supported: use JPEG, PNG or BMP", name)
}

// rgb takes three bytes of every pixel. Alpha is dropped, colours are not multiplied by it.
func rgb(src image.Image) Image {
	r := src.Bounds()
	w, h := r.Dx(), r.Dy()
	m := New(Unit8, h, w, 3)
	dst := m.Pixels()
	switch s := src.(type) {
	case *image.YCbCr:
		ycc(dst, s)
	case *image.Gray:
		for y := range h {
			for _, v := range s.Pix[y*s.Stride:][:w] {
				dst[0], dst[1], dst[2] = v, v, v
				dst = dst[3:]
			}
		}
	case *image.Gray16:
		each(dst, s.Pix, s.Stride, w, h, 2, func(d, p []byte) { d[0], d[1], d[2] = p[0], p[0], p[0] })
	case *image.RGBA: // opaque when it comes from a decoder
		each(dst, s.Pix, s.Stride, w, h, 4, func(d, p []byte) { d[0], d[1], d[2] = p[0], p[1], p[2] })
	case *image.NRGBA:
		each(dst, s.Pix, s.Stride, w, h, 4, func(d, p []byte) { d[0], d[1], d[2] = p[0], p[1], p[2] })
	case *image.RGBA64:
		each(dst, s.Pix, s.Stride, w, h, 8, func(d, p []byte) { d[0], d[1], d[2] = p[0], p[2], p[4] })
	case *image.NRGBA64:
		each(dst, s.Pix, s.Stride, w, h, 8, func(d, p []byte) { d[0], d[1], d[2] = p[0], p[2], p[4] })
	case *image.CMYK:
		each(dst, s.Pix, s.Stride, w, h, 4, func(d, p []byte) {
			k := 255 - int(p[3])
			d[0], d[1], d[2] = byte((255-int(p[0]))*k/255), byte((255-int(p[1]))*k/255), byte((255-int(p[2]))*k/255)
		})
	case *image.Paletted:
		var table [256][3]byte
		for i, c := range s.Palette {
			n := color.NRGBAModel.Convert(c).(color.NRGBA)
			table[i] = [3]byte{n.R, n.G, n.B}
		}
		each(dst, s.Pix, s.Stride, w, h, 1, func(d, p []byte) { copy(d, table[p[0]][:]) })
	default:
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				n := color.NRGBAModel.Convert(src.At(x, y)).(color.NRGBA)
				dst[0], dst[1], dst[2] = n.R, n.G, n.B
				dst = dst[3:]
			}
		}
	}
	return m
}

// each calls f with the three bytes to write and the size bytes to read of every pixel.
func each(dst, pix []byte, stride, w, h, size int, f func(d, p []byte)) {
	for y := range h {
		row := pix[y*stride:][:w*size]
		for x := range w {
			f(dst[:3:3], row[x*size:][:size:size])
			dst = dst[3:]
		}
	}
}
