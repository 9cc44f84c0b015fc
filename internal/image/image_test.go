package image

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func read(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func decoded(tb testing.TB, name string) Image {
	tb.Helper()
	m, err := Decode(read(tb, name), Limits{})
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return m
}

// The expected bytes are tf.io.decode_image's; testdata/make.py writes them.
func TestDecodeLikeTensorFlow(t *testing.T) {
	for _, tt := range []struct {
		give string
		want int     // the largest difference of one byte
		mean float64 // the largest mean difference
	}{
		{"photo.png", 0, 0}, {"photo.bmp", 0, 0}, {"gray.png", 0, 0}, {"palette.png", 0, 0}, {"alpha.png", 0, 0},
		{"grayalpha.png", 0, 0}, {"alpha.bmp", 0, 0}, {"deep.png", 0, 0},
		{"photo444.jpg", 3, 0.1}, {"photo422.jpg", 3, 0.1}, {"photo420.jpg", 2, 0.1}, {"progressive.jpg", 2, 0.1},
		{"gray.jpg", 1, 0.1}, {"cmyk.jpg", 2, 0.1}, {"rotated.jpg", 2, 0.1},
	} {
		t.Run(tt.give, func(t *testing.T) {
			differs(t, decoded(t, tt.give), read(t, tt.give+".rgb"), tt.want, tt.mean)
		})
	}
}

// TensorFlow's default for JPEG is the fast cosine transform, that is off by up to 5 from the accurate one at these
// qualities. (For cmyk.jpg it is off by 255: it runs over.)
func TestDecodeLikeTensorFlowByDefault(t *testing.T) {
	for _, name := range []string{"photo444.jpg", "photo422.jpg", "photo420.jpg", "progressive.jpg", "gray.jpg", "rotated.jpg"} {
		t.Run(name, func(t *testing.T) {
			differs(t, decoded(t, name), read(t, name+".fast.rgb"), 5, 1)
		})
	}
}

func differs(t *testing.T, m Image, want []byte, wantMost int, wantMean float64) {
	t.Helper()
	if m.DType != Unit8 || m.Channels != 3 || m.Len() != len(want) {
		t.Fatalf("got %d × %d × %d as %d, want %d values", m.Height, m.Width, m.Channels, m.DType, len(want))
	}
	most, sum := 0, 0
	for i, v := range m.Pixels() {
		d := int(v) - int(want[i])
		d = max(d, -d)
		most, sum = max(most, d), sum+d
	}
	mean := float64(sum) / float64(len(want))
	t.Logf("largest difference %d, mean %.4f", most, mean)
	if most > wantMost || mean > wantMean {
		t.Errorf("differs by up to %d, mean %.4f; want at most %d and %.4f", most, mean, wantMost, wantMean)
	}
}

func TestDecodedValue(t *testing.T) {
	m := New(Unit8, 1, 1, 3)
	m.Pixels()[0] = 74
	if got := m.At(0); got != 0.29019609093666077 { // the value BigQuery's MobileNet tutorial shows
		t.Errorf("got %v", got)
	}
}

func floats(tb testing.TB, name string) []float32 {
	b := read(tb, name)
	f := make([]float32, len(b)/4)
	for i := range f {
		f[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return f
}

func wantValues(t *testing.T, m Image, want []float32, within float64) {
	t.Helper()
	most := 0.0
	for i := range m.Len() {
		most = max(most, math.Abs(m.At(i)-float64(want[i])))
	}
	t.Logf("%d × %d × %d: largest difference %.3g", m.Height, m.Width, m.Channels, most)
	if most > within || math.IsNaN(most) {
		t.Errorf("differs by up to %v, want at most %v", most, within)
	}
}

func TestResizeLikeTensorFlow(t *testing.T) {
	photo, want := decoded(t, "photo.png"), floats(t, "resize.f32")
	for _, tt := range []struct {
		h, w         int
		keep         bool
		wantH, wantW int
	}{
		{20, 30, false, 20, 30}, {64, 90, false, 64, 90}, {224, 17, false, 224, 17}, {1, 1, false, 1, 1},
		{20, 40, true, 20, 24}, {100, 60, true, 49, 60},
	} {
		m, err := photo.Resize(tt.h, tt.w, tt.keep)
		if err != nil || m.Height != tt.wantH || m.Width != tt.wantW {
			t.Fatalf("%+v: %d × %d, %v", tt, m.Height, m.Width, err)
		}
		wantValues(t, m, want, 1e-6)
		want = want[m.Len():]
	}
	if len(want) != 0 {
		t.Errorf("%d values left", len(want))
	}
}

// The example of BigQuery's page on ML.RESIZE_IMAGE.
func TestResizeKeepsProportions(t *testing.T) {
	m, err := New(Unit8, 20, 200, 3).Resize(10, 120, true)
	if err != nil || m.Height != 10 || m.Width != 100 {
		t.Errorf("%d × %d, %v", m.Height, m.Width, err)
	}
}

func TestColorsLikeTensorFlow(t *testing.T) {
	photo, want := decoded(t, "photo.png"), floats(t, "colors.f32")
	for _, space := range []string{"HSV", "grayscale", "YIQ", "YUV"} {
		m, err := photo.ConvertColor(space)
		if err != nil {
			t.Fatal(err)
		}
		wantValues(t, m, want, 1e-6)
		ints, err := photo.Integers().ConvertColor(space)
		if err != nil {
			t.Fatal(err)
		}
		wantValues(t, ints, want, 1e-6)
		want = want[m.Len():]
	}
	if _, err := photo.ConvertColor("RGB"); err == nil || !strings.Contains(err.Error(), "use HSV") {
		t.Error(err)
	}
	gray, _ := photo.ConvertColor("GRAYSCALE")
	if _, err := gray.ConvertColor("HSV"); err == nil || !strings.Contains(err.Error(), "1 channel") {
		t.Error(err)
	}
}

func TestIntegersLikeTensorFlow(t *testing.T) {
	photo := decoded(t, "photo.png")
	small, err := photo.Resize(20, 30, false)
	if err != nil {
		t.Fatal(err)
	}
	want := read(t, "integers.u8")
	for i, v := range small.Integers().Pixels() {
		if v != want[i] {
			t.Fatalf("value %d is %d, want %d (from %v)", i, v, want[i], small.At(i))
		}
	}
	ints := photo.Integers()
	again, err := ints.Resize(20, 30, false)
	if err != nil || again.DType != Uint8 {
		t.Fatalf("%v, %v", again.DType, err)
	}
	for i := range again.Len() {
		if d := again.At(i) - 255*small.At(i); math.Abs(d) > 0.5001 {
			t.Fatalf("value %d of INT form is off by %v", i, d)
		}
	}
}

func TestFromValues(t *testing.T) {
	m, err := FromValues([]int64{1, 2, 3}, []float64{.1, .2, .3, .4, .5, .6})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(m.Bytes())
	if err != nil || p.At(5) != float64(float32(.6)) {
		t.Errorf("%v, %v", p, err)
	}
	for _, shape := range [][]int64{{1, 2}, {2, 2, 3}, {1 << 40, 1 << 40, 3}, {0, 2, 3}, {-1, -2, 3}} {
		if _, err := FromValues(shape, make([]float64, 6)); err == nil {
			t.Errorf("%v: no error", shape)
		}
	}
	for _, v := range []float64{1e300, -1e39} {
		if _, err := FromValues([]int64{1, 1, 2}, []float64{0, v}); err == nil || !strings.Contains(err.Error(), "does not fit a pixel") {
			t.Errorf("%v became a pixel: %v", v, err)
		}
	}
	if m, err := FromValues([]int64{1, 1, 1}, []float64{math.Inf(-1)}); err != nil || !math.IsInf(m.At(0), -1) {
		t.Errorf("infinity became %v, %v", m, err)
	}
}

func TestBadImages(t *testing.T) {
	photo := read(t, "photo420.jpg")
	for _, tt := range []struct {
		name string
		give []byte
		want string
	}{
		{"empty", nil, "empty"},
		{"text", []byte("hello, world"), "not a JPEG, PNG or BMP"},
		{"gif", []byte("GIF89a......."), "GIF images are not supported"},
		{"cut JPEG", photo[:len(photo)/2], "JPEG image: "},
		{"cut PNG", read(t, "photo.png")[:500], "PNG image: "},
		{"cut BMP", read(t, "photo.bmp")[:500], "cannot hold"},
		{"decoded", New(Unit8, 1, 1, 3).Bytes(), "decoded already"},
	} {
		if _, err := Decode(tt.give, Limits{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestBombTakesNoMemory(t *testing.T) {
	bomb := read(t, "bomb.png")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Decode(bomb, Limits{})
	runtime.ReadMemStats(&after)
	if !errors.Is(err, errTooLarge) || !strings.Contains(err.Error(), "60000 × 60000") {
		t.Error(err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes taken", got)
	}
	if _, err := Decode(bomb, Limits{MaxPixels: -1}); err == nil || !strings.Contains(err.Error(), "cannot hold") {
		t.Error(err)
	}
	if _, err := Decode(read(t, "photo.png"), Limits{MaxBytes: 10}); !errors.Is(err, errTooLarge) {
		t.Error(err)
	}
}

// BigQuery scales down what would be more than 60 MB in its own form.
func TestLargeIsScaledDown(t *testing.T) {
	m, err := Decode(read(t, "photo.png"), Limits{MaxStruct: 37 * 45 * 3 * 8 / 4})
	if err != nil || m.Height != 18 || m.Width != 22 {
		t.Errorf("%d × %d, %v", m.Height, m.Width, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"photo.png", "photo.bmp", "photo420.jpg", "cmyk.jpg", "bomb.png", "alpha.png"} {
		f.Add(read(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b, Limits{MaxPixels: 1 << 16})
		if err != nil {
			return
		}
		if p, err := Parse(m.Bytes()); err != nil || p.Len() != m.Len() {
			t.Fatalf("%v, %v", p, err)
		}
		if _, err := m.Resize(3, 5, true); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(New(Unit8, 2, 3, 3).Bytes())
	f.Add(New(Float32, 1, 1, 1).Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		m.At(m.Len() - 1)
		m.Integers()
		if _, err := m.Resize(2, 2, false); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkDecodeResize(b *testing.B) {
	photo := read(b, "photo420.jpg")
	b.ReportAllocs()
	for b.Loop() {
		m, err := Decode(photo, Limits{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.Resize(224, 224, false); err != nil {
			b.Fatal(err)
		}
	}
}
