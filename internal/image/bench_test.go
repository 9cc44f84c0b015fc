package image

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"
)

// scene is a picture of 640 × 480 with edges, slopes and noise: as JPEG at quality 85 it takes about 60 kB, like a photograph.
func scene() *image.NRGBA {
	rng := rand.New(rand.NewPCG(1, 2))
	m := image.NewNRGBA(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			fx, fy := float64(x), float64(y)
			n := rng.NormFloat64() * 4
			block := 40 * float64((x/48+y/36)%2)
			v := func(f float64) byte { return byte(min(max(f+n, 0), 255)) }
			m.SetNRGBA(x, y, color.NRGBA{v(90 + 70*math.Sin(fx/31+fy/57) + block), v(100 + 60*math.Cos(fx/43-fy/23) + block), v(80 + fx/8 + fy/10), 255})
		}
	}
	return m
}

func sceneJPEG(tb testing.TB) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, scene(), &jpeg.Options{Quality: 85}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func scenePNG(tb testing.TB) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, scene()); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func benchmark(b *testing.B, f func() error) {
	b.ReportAllocs()
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkImage(b *testing.B) {
	jpg, pngs := sceneJPEG(b), scenePNG(b)
	m, err := Decode(jpg, Limits{})
	if err != nil {
		b.Fatal(err)
	}
	ints := m.Integers()
	small, err := m.Resize(224, 224, false)
	if err != nil {
		b.Fatal(err)
	}
	src, err := jpeg.Decode(bytes.NewReader(jpg))
	if err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct {
		name string
		f    func() error
	}{
		{"image/jpeg", func() error { _, err := jpeg.Decode(bytes.NewReader(jpg)); return err }},
		{"image/png", func() error { _, err := png.Decode(bytes.NewReader(pngs)); return err }},
		{"decode/jpeg", func() error { _, err := Decode(jpg, Limits{}); return err }},
		{"decode/png", func() error { _, err := Decode(pngs, Limits{}); return err }},
		{"ycc", func() error { sourceOf(src).whole(); return nil }},
		{"resize", func() error { _, err := m.Resize(224, 224, false); return err }},
		{"resize/ints", func() error { _, err := ints.Resize(224, 224, false); return err }},
		{"integers", func() error { small.Integers(); return nil }},
		{"color/hsv", func() error { _, err := small.ConvertColor("HSV"); return err }},
		{"color/yiq", func() error { _, err := small.ConvertColor("YIQ"); return err }},
		{"color/grayscale", func() error { _, err := small.ConvertColor("GRAYSCALE"); return err }},
		{"decode+resize", func() error {
			m, err := Decode(jpg, Limits{})
			if err == nil {
				_, err = m.Resize(224, 224, false)
			}
			return err
		}},
		{"decoderesized", func() error { _, err := DecodeResized(jpg, Limits{}, 224, 224, false); return err }},
		{"decoderesized/png", func() error { _, err := DecodeResized(pngs, Limits{}, 224, 224, false); return err }},
	} {
		b.Run(bb.name, func(b *testing.B) { benchmark(b, bb.f) })
	}
	b.Logf("%d bytes of JPEG", len(jpg))
}
