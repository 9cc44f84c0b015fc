package image

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"strings"

	"golang.org/x/image/bmp"

	"github.com/mallardml/mallard/internal/amount"
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

// errTooLarge says that an image is over one of the Limits.
var errTooLarge = errors.New("the image is too large")

// Decode reads a JPEG, PNG or BMP image into three channels, FLOAT form. b is not kept.
func Decode(b []byte, l Limits) (Image, error) {
	src, err := open(b, l)
	if err != nil {
		return Image{}, err
	}
	if h, w, over := src.fit(l); over {
		return src.resized(h, w), nil
	}
	return src.whole(), nil
}

// DecodeResized is Decode and then Resize, without the memory and the time for the image between them.
func DecodeResized(b []byte, l Limits, height, width int, keep bool) (Image, error) {
	src, err := open(b, l)
	if err != nil {
		return Image{}, err
	}
	if h, w, over := src.fit(l); over {
		return src.resized(h, w).Resize(height, width, keep)
	}
	height, width, err = target(src.height, src.width, 3, height, width, keep)
	switch {
	case err != nil:
		return Image{}, err
	case height == src.height && width == src.width:
		return src.whole(), nil
	}
	return src.resized(height, width), nil
}

// open reads the image into what its decoder makes of it.
func open(b []byte, l Limits) (*source, error) {
	if most := limit(l.MaxBytes, 20_000_000); len(b) > most {
		return nil, because("too large", fmt.Errorf("%w: %s, the limit is %d; store a smaller version", errTooLarge, amount.Of(len(b), "byte"),
			most))
	}
	f, err := formatOf(b)
	if err != nil {
		return nil, err
	}
	cfg, err := f.config(bytes.NewReader(b))
	if err != nil {
		return nil, broken(f.name, err)
	}
	if cfg.Width < 1 || cfg.Height < 1 {
		return nil, because("damaged", fmt.Errorf("%s image: it has no pixels", f.name))
	}
	most := limit(l.MaxPixels, 50_000_000)
	if cfg.Width > maxSide || cfg.Height > maxSide || cfg.Width > most/cfg.Height {
		return nil, because("too large", fmt.Errorf("%w: %d × %d pixels, the limit is %d; store a smaller version", errTooLarge, cfg.Height,
			cfg.Width, most))
	}
	if f.ratio > 0 && cfg.Width*cfg.Height/f.ratio > len(b) {
		return nil, because("damaged", fmt.Errorf("%s image: %s cannot hold its %d × %d pixels", f.name, amount.Of(len(b), "byte"), cfg.Height,
			cfg.Width))
	}
	src, err := f.decode(bytes.NewReader(b))
	if err != nil {
		return nil, broken(f.name, err)
	}
	return sourceOf(src), nil
}

func broken(format string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return because("cut off", fmt.Errorf("%s image: it is cut off", format))
	}
	if strings.HasSuffix(err.Error(), "not enough pixel data") { // image/png's words for some
		return because("cut off", fmt.Errorf("%s image: it is cut off: %w", format, err))
	}
	return because("damaged", fmt.Errorf("%s image: %w", format, err))
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
		return format{}, because("empty", errors.New("the object is empty, not an image"))
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
		return format{}, because("no image", fmt.Errorf("not a JPEG, PNG or BMP image: it begins with %q", b[:min(len(b), 8)]))
	}
	return format{}, because("not supported", fmt.Errorf("%s images are not supported: use JPEG, PNG or BMP", name))
}
