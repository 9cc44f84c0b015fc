package image

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
)

var (
	baselineFiles = []string{"photo444.jpg", "photo422.jpg", "photo420.jpg", "restart.jpg", "worst.jpg", "gray.jpg", "rotated.jpg"}
	otherFiles    = []string{"progressive.jpg", "cmyk.jpg"}
)

// The files that TestDecodeLikeTensorFlow compares go through both decoders.
func TestBaseline(t *testing.T) {
	for _, name := range baselineFiles {
		if _, ok := baseline(read(t, name)); !ok {
			t.Errorf("%s is left to image/jpeg", name)
		}
	}
	for _, name := range otherFiles {
		if _, ok := baseline(read(t, name)); ok {
			t.Errorf("%s is not left to image/jpeg", name)
		}
	}
}

// What is cut off or damaged is never taken for whole: image/jpeg has the say.
func TestBaselineRefuses(t *testing.T) {
	for _, name := range baselineFiles {
		b := read(t, name)
		for n := range b {
			if _, ok := baseline(b[:n]); ok {
				t.Errorf("%s: %d of %d bytes are an image", name, n, len(b))
			}
		}
		for i := range b {
			c := bytes.Clone(b)
			c[i] ^= 0x55
			agree(t, c)
		}
	}
}

// agree checks what baseline takes against image/jpeg: it takes nothing that image/jpeg does not, and sees the same size.
func agree(t *testing.T, b []byte) {
	t.Helper()
	m, ok := baseline(b)
	if !ok {
		return
	}
	want, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("image/jpeg says %v", err)
	}
	if m.Bounds() != want.Bounds() || m.ColorModel() != want.ColorModel() {
		t.Fatalf("%v %T, want %v %T", m.Bounds(), m, want.Bounds(), want)
	}
	if y, ok := m.(*image.YCbCr); ok && y.SubsampleRatio != want.(*image.YCbCr).SubsampleRatio {
		t.Fatalf("%v, want %v", y.SubsampleRatio, want.(*image.YCbCr).SubsampleRatio)
	}
	sourceOf(m).whole()
}

// The two decoders differ by the rounding of their inverse cosine transforms.
func TestBaselineLikeGo(t *testing.T) {
	b := sceneJPEG(t)
	m, ok := baseline(b)
	if !ok {
		t.Fatal("it is left to image/jpeg")
	}
	want, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	differs(t, sourceOf(m).whole(), sourceOf(want).whole().Pixels(), 3, 0.1)
}

func FuzzBaseline(f *testing.F) {
	for _, name := range append(baselineFiles, otherFiles...) {
		f.Add(read(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if cfg, err := jpeg.DecodeConfig(bytes.NewReader(b)); err != nil || cfg.Width*cfg.Height > 1<<20 {
			return
		}
		agree(t, b)
	})
}
