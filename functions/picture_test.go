package functions

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mallardml/mallard/internal/image"
)

// bytesImage has the pixels 0, 1, 2, … from first on.
func bytesImage(t image.DType, h, w, c, first int) []byte {
	m := image.New(t, h, w, c)
	for i := range m.Pixels() {
		m.Pixels()[i] = byte(first + i)
	}
	return m.Bytes()
}

func floatsImage(tb testing.TB, h, w, c int, values ...float64) []byte {
	tb.Helper()
	m, err := image.FromValues([]int64{int64(h), int64(w), int64(c)}, values)
	if err != nil {
		tb.Fatal(err)
	}
	return m.Bytes()
}

func pictureModel(dt DType, shape ...int64) *Model {
	p := Port{Name: "x", DType: dt, Shape: append([]int64{-1}, shape...)}
	o := p
	o.Name = "y"
	return &Model{Inputs: []Port{p}, Outputs: []Port{o}}
}

// TestImages pins how an image in the compact form becomes the numbers of a tensor. 74/255 as float32 is the value that
// BigQuery's MobileNet tutorial shows.
func TestImages(t *testing.T) {
	b := newBed(t)
	unit, whole := bytesImage(image.Unit8, 1, 2, 1, 74), bytesImage(image.Uint8, 1, 2, 1, 126)
	high := bytesImage(image.Uint8, 1, 2, 1, 127)
	floats := floatsImage(t, 1, 2, 1, 0.1, -3)
	bright := floatsImage(t, 1, 2, 1, 0.1, 65520)
	any3 := []int64{-1, -1, 3}
	for _, tt := range []struct {
		dtype DType
		shape []int64
		give  []byte
		want  string // the value, or the start of the error after "error: "
	}{
		{Float32, []int64{1, 2, 1}, unit, "[0.29019609093666077 0.29411765933036804]"},
		{Float64, []int64{1, 2, 1}, unit, "[0.29019609093666077 0.29411765933036804]"},
		{Float16, []int64{1, 2, 1}, unit, "[0.290283203125 0.294189453125]"},
		{Float16, []int64{1, 2, 1}, bright, "error: model demo.m: input `x`: the pixel 65520 does not fit the model's float16 (-65504 to 65504)"},
		{BFloat16, []int64{1, 2, 1}, unit, "[0.291015625 0.294921875]"},
		{Float32, []int64{1, 2, 1}, whole, "[126 127]"},
		{Float64, []int64{1, 2, 1}, whole, "[126 127]"},
		{Float16, []int64{1, 2, 1}, whole, "[126 127]"},
		{Float32, []int64{1, 2, 1}, floats, "[0.10000000149011612 -3]"},
		{Float64, []int64{1, 2, 1}, floats, "[0.10000000149011612 -3]"},
		{BFloat16, []int64{1, 2, 1}, floats, "[0.10009765625 -3]"},
		{Uint8, []int64{1, 2, 1}, whole, "[126 127]"},
		{Int8, []int64{1, 2, 1}, whole, "[126 127]"},
		{Int16, []int64{1, 2, 1}, high, "[127 128]"},
		{Int32, []int64{-1, -1, -1}, high, "[127 128]"},
		{Int64, []int64{-1, 2, 1}, high, "[127 128]"},
		{Uint16, []int64{1, -1, 1}, high, "[127 128]"},
		{Uint32, []int64{1, 2, -1}, high, "[127 128]"},
		{Uint64, []int64{1, 2, 1}, high, "[127 128]"},
		{Float32, any3, nil, "NULL"},
		{Int8, []int64{1, 2, 1}, high, "error: model demo.m: input `x`: the pixel 128 does not fit the model's int8 (-128 to 127)"},
		{Uint8, []int64{1, 2, 1}, unit, "error: model demo.m: input `x` wants whole numbers (uint8 tensor of shape [None, 1, 2, 1]), the image holds fractions from 0 to 1; apply ML.CONVERT_IMAGE_TYPE(x)"},
		{Int32, []int64{1, 2, 1}, floats, "error: model demo.m: input `x` wants whole numbers (int32 tensor of shape [None, 1, 2, 1]), the image holds fractions from 0 to 1; apply ML.CONVERT_IMAGE_TYPE(x)"},
		{Float32, []int64{2, 2, 1}, unit, "error: model demo.m: input `x`: an image has height 1, width 2 and 1 channel(s), the model wants 2 × 2 × 1 (float32 tensor of shape [None, 2, 2, 1]); apply ML.RESIZE_IMAGE(x, 2, 2, FALSE)"},
		{Float32, []int64{-1, 3, 1}, unit, "error: model demo.m: input `x`: an image has height 1, width 2 and 1 channel(s), the model wants any × 3 × 1 (float32 tensor of shape [None, None, 3, 1]); apply ML.RESIZE_IMAGE(x, height, 3, FALSE)"},
		{Float32, []int64{224, 224, 3}, unit, "error: model demo.m: input `x`: an image has height 1, width 2 and 1 channel(s), the model wants 224 × 224 × 3 (float32 tensor of shape [None, 224, 224, 3]); apply ML.RESIZE_IMAGE(x, 224, 224, FALSE) and leave its colors as ML.DECODE_IMAGE gives them"},
		{Float32, []int64{-1, -1, 1}, bytesImage(image.Unit8, 1, 1, 3, 0), "error: model demo.m: input `x`: an image has height 1, width 1 and 3 channel(s), the model wants any × any × 1 (float32 tensor of shape [None, None, None, 1]); apply ML.CONVERT_COLOR_SPACE(x, 'GRAYSCALE')"},
		{Float32, any3, []byte("\xff\xd8\xff\xe0 a JPEG file"), "error: model demo.m: input `x` wants images (float32 tensor of shape [None, None, None, 3]), a value of the BLOB column is none; give it ML.DECODE_IMAGE of a file's bytes"},
		{Float32, any3, []byte{}, "error: model demo.m: input `x` wants images"},
		{Float32, []int64{1, 2, 1}, unit[:17], "error: model demo.m: input `x`: decoded image: its header and its 17 bytes do not fit together"},
		{Float32, []int64{3}, unit, "error: model demo.m: input `x` wants ARRAY<FLOAT64> (float32 tensor of shape [None, 3]), column is BLOB"},
		{Float32, []int64{1, 2, 5}, unit, "error: model demo.m: input `x` wants ARRAY<FLOAT64> (float32 tensor of shape [None, 1, 2, 5]), column is BLOB"},
		{Bool, []int64{1, 2, 1}, unit, "error: model demo.m: input `x` wants ARRAY<BOOL> (bool tensor of shape [None, 1, 2, 1]), column is BLOB"},
	} {
		m := pictureModel(tt.dtype, tt.shape...)
		b.add(m, BigQuery, echo)
		var arg any // a nil slice is an empty BLOB
		if tt.give != nil {
			arg = tt.give
		}
		if got, ok := b.outcome(tt.want, `SELECT y FROM `+predictSQL(m, BigQuery, `SELECT ?::BLOB AS x`), arg); !ok {
			t.Errorf("%d bytes for %s %v:\n got %s\nwant %s", len(tt.give), tt.dtype, tt.shape, got, tt.want)
		}
	}
}

// TestImageStructs feeds images as BigQuery shows them.
func TestImageStructs(t *testing.T) {
	b := newBed(t)
	for _, tt := range []struct {
		dtype DType
		shape []int64
		give  string
		want  string
	}{
		{Float32, []int64{1, 2, 3}, "ROW([1, 2, 3], [0.1, 0.2, 0.3, 0.4, 0.5, 0.625])", "[0.1 0.2 0.3 0.4 0.5 0.625]"}, // reference 6.4
		{Float32, []int64{1, 2, 1}, "{'_field_1': [1, 2, 1]::BIGINT[], '_field_2': [0.5, 1]::DOUBLE[]}", "[0.5 1]"},
		{Float32, []int64{-1, -1, -1}, "{'a': [2, 1, 1]::UTINYINT[3], 'b': [0.5, 1]::FLOAT[2]}", "[0.5 1]"},
		{Float32, []int64{1, 2, 1}, "{'a': [1, 2, 1], 'b': [7, 8]}", "[7 8]"},
		{Uint8, []int64{1, 2, 1}, "{'a': [1, 2, 1], 'b': [7, 255]}", "[7 255]"},
		{Float32, []int64{1, 2, 1}, "NULL::STRUCT(a BIGINT[], b DOUBLE[])", "NULL"},
		{Float32, []int64{1, 2, 1}, "{'a': NULL::BIGINT[], 'b': [1.5, 2]}", "NULL"},
		{Float32, []int64{1, 2, 1}, "{'a': [1, NULL, 1], 'b': [1.5, 2]}", "NULL"},
		{Float32, []int64{1, 2, 1}, "{'a': [1, 2, 1], 'b': NULL::DOUBLE[]}", "NULL"},
		{Float32, []int64{1, 2, 1}, "{'a': [1, 2, 1], 'b': [1.5, NULL]}", "NULL"},
		{Uint8, []int64{1, 2, 1}, "{'a': [1, 2, 1], 'b': [7, 256]}", "error: model demo.m: input `x`: value 256 does not fit the model's uint8 (0 to 255)"},
		{Uint8, []int64{1, 2, 1}, "{'a': [1, 2, 1], 'b': [0.5, 1]}", "error: model demo.m: input `x` wants whole numbers (uint8 tensor of shape [None, 1, 2, 1]), the pixels of the column's images are DECIMAL[]; pass the image itself through ML.CONVERT_IMAGE_TYPE"},
		{Float32, []int64{1, 2, 1}, "{'a': [1, 2], 'b': [7, 8]}", "error: model demo.m: input `x`: the first field of an image holds 2 values; it must be [height, width, channels]"},
		{Float32, []int64{1, 2, 1}, "{'a': [1, -2, 1], 'b': [7, 8]}", "error: model demo.m: input `x`: the shape [1 -2 1] of an image is not [height, width, channels]"},
		{Float32, []int64{1, 2, 1}, "{'a': [4294967296, 4294967296, 1], 'b': [7, 8]}", "error: model demo.m: input `x`: the shape [4294967296 4294967296 1] of an image is not"},
		{Float32, []int64{1, 2, 1}, "{'a': [1, 18446744073709551615, 1]::UBIGINT[], 'b': [7, 8]}", "error: model demo.m: input `x`: the first field of an image holds 3 values; it must be"},
		{Float32, []int64{1, 2, 1}, "{'a': [1, 2, 1], 'b': [7, 8, 9]}", "error: model demo.m: input `x`: an image of shape [1 2 1] needs 2 values, not 3"},
		{Float32, []int64{1, 2, 1}, "{'a': [2, 1, 1], 'b': [7, 8]}", "error: model demo.m: input `x`: an image has height 2, width 1 and 1 channel(s), the model wants 1 × 2 × 1"},
		{Float32, []int64{1, 2, 1}, "{'a': [1.0, 2, 1], 'b': [7, 8]}", "error: model demo.m: input `x` wants an image or DOUBLE[1][2][1] (float32 tensor of shape [None, 1, 2, 1]), column is STRUCT; give it an image: ML.DECODE_IMAGE of a file's bytes"},
		{Float32, []int64{1, 2, 1}, "{'a': [1, 2, 1], 'b': ['7', '8']}", "error: model demo.m: input `x` wants an image or"},
		{Float32, []int64{1, 2, 1}, "'x'", "error: model demo.m: input `x` wants an image or DOUBLE[1][2][1] (float32 tensor of shape [None, 1, 2, 1]), column is VARCHAR; give it an image"},
		{Float32, []int64{1, 2, 1}, "[[[7], [8]]]", "[7 8]"},
		{Float32, []int64{1, 2, 1}, "[7, 8]", "[7 8]"},
	} {
		m := pictureModel(tt.dtype, tt.shape...)
		b.add(m, Native, echo)
		if got, ok := b.outcome(tt.want, `SELECT flatten(flatten(y::FLOAT[][][])) FROM `+predictSQL(m, Native, `SELECT `+tt.give+` AS x`)); !ok {
			t.Errorf("%s for %s %v:\n got %s\nwant %s", tt.give, tt.dtype, tt.shape, got, tt.want)
		}
	}
}

// sums gives the sum of each image and how many images of another shape than the first ran with it, which must be none.
func sums(_ context.Context, in []Tensor) ([]Tensor, error) {
	s := in[0].Shape
	n := int(s[1] * s[2] * s[3])
	out := make([]float32, s[0])
	for i := range out {
		for k := range n {
			switch in[0].DType {
			case Uint8:
				out[i] += float32(in[0].Data[i*n+k])
			case Float32:
				out[i] += math.Float32frombits(binary.NativeEndian.Uint32(in[0].Data[4*(i*n+k):]))
			}
		}
	}
	return []Tensor{{DType: Float32, Shape: []int64{s[0]}, Data: bytesOf(out)}}, nil
}

func sumModel(dt DType, shape ...int64) *Model {
	return &Model{
		Inputs:    []Port{{Name: "x", DType: dt, Shape: append([]int64{-1}, shape...)}},
		Outputs:   []Port{{Name: "y", DType: Float32, Shape: []int64{-1}}},
		Stateless: true,
	}
}

// TestImagesOfManySizes sends rows of several sizes, with NULLs and repeats, through filters, orders and joins.
func TestImagesOfManySizes(t *testing.T) {
	for _, slow := range []bool{false, true} {
		b := newBed(t)
		m := sumModel(Uint8, -1, -1, 3)
		var w watch
		m.tune.clock = w.now
		e := b.add(m, Native, func(ctx context.Context, in []Tensor) ([]Tensor, error) {
			if slow {
				w.spend(time.Duration(in[0].Shape[0]) * 100 * time.Microsecond)
			}
			return sums(ctx, in)
		})
		if slow {
			m.tune.firm.Store(true)
			m.tune.setCost(1e5)
		}
		b.must("CREATE TABLE kinds (k BIGINT, x BLOB, s STRUCT(a BIGINT[], b UTINYINT[]), want DOUBLE)")
		for k := range 40 {
			height, width := 1+k%5, 1+k%3
			blob := bytesImage(image.Uint8, height, width, 3, k)
			want, pixels := 0, make([]string, height*width*3)
			for i := range pixels {
				want += k + i
				pixels[i] = fmt.Sprint(k + i)
			}
			b.must(fmt.Sprintf("INSERT INTO kinds VALUES (%d, ?, {'a': [%d, %d, 3], 'b': [%s]}, %d)", k, height, width, strings.Join(pixels, ", "), want), blob)
		}
		b.must("INSERT INTO kinds VALUES (40, NULL, NULL, NULL)")
		b.must("CREATE TABLE t AS SELECT i, kinds.* FROM range(3000) r(i), kinds WHERE k = hash(i) % 41")
		for _, from := range []string{"t", "t WHERE hash(i) % 7 = 0", "t WHERE hash(i) % 100 = 0", "(SELECT * FROM t ORDER BY hash(i))", "t JOIN range(3) u(j) ON i % 3 = j"} {
			for _, x := range []string{"x", "s"} {
				e.reset()
				got := b.must("SELECT count(*) > 10, count(*) FILTER (y IS DISTINCT FROM want) FROM " + predictSQL(m, Native, "SELECT want, "+x+" AS x FROM "+from))
				if got[0][0] != "true" || got[0][1] != "0" {
					t.Errorf("slow %v, %s of %s: %v", slow, x, from, got)
				}
				if slow && x == "x" && from == "t" && e.rows.Load() > 3*41 {
					t.Errorf("%d rows inferred: repeats were not found", e.rows.Load())
				}
			}
		}
	}
}

// TestImagesInBoundedMemory demands that the inputs of no run take more than the limit, whatever the model costs and
// wherever the knowledge of it comes from.
func TestImagesInBoundedMemory(t *testing.T) {
	b := newBed(t)
	const side = 512 // 3 MB as float32: ten rows fit
	b.must("CREATE TABLE t (i BIGINT, x BLOB)")
	for i := range 4 {
		b.must("INSERT INTO t VALUES (?, ?)", i, bytesImage(image.Unit8, side, side, 3, i))
	}
	for _, tt := range []struct {
		name  string
		setup func(m *Model)
		most  int
	}{
		{"unknown", func(*Model) {}, 10},
		{"cheap", func(m *Model) { m.tune.firm.Store(true); m.tune.setCost(1) }, 10},
		{"slow", func(m *Model) { m.tune.firm.Store(true); m.tune.setCost(5.5e3) }, 10},
		{"batch size of the user", func(m *Model) { m.BatchSize = 1000 }, 80},
	} {
		for _, shape := range [][]int64{{side, side, 3}, {-1, -1, 3}} {
			m := sumModel(Float32, shape...)
			m.Stateless = false
			e := b.add(m, Native, func(_ context.Context, in []Tensor) ([]Tensor, error) {
				return []Tensor{{DType: Float32, Shape: in[0].Shape[:1], Data: make([]byte, 4*in[0].Shape[0])}}, nil
			})
			tt.setup(m)
			b.must("SELECT count(y) FROM " + predictSQL(m, Native, "SELECT t.x FROM t, range(25) ORDER BY i"))
			if n := e.rows.Load(); n != 100 {
				t.Errorf("%s, %v: %d rows inferred, want 100", tt.name, shape, n)
			}
			if n := slices.Max(e.sizes); n > tt.most || tt.name == "cheap" && n < 5 {
				t.Errorf("%s, %v: runs of %v rows, want at most %d", tt.name, shape, e.sizes, tt.most)
			}
		}
	}
}

// TestImagesStream pins that a slow model's images are not held all at once.
func TestImagesStream(t *testing.T) {
	for _, tt := range []struct {
		shape []int64
		want  bool
	}{{[]int64{224, 224, 3}, false}, {[]int64{-1, -1, 3}, false}, {[]int64{28, 28, 1}, true}, {[]int64{3}, true}} {
		m := sumModel(Float32, tt.shape...)
		m.tune.materialize.Store(true)
		before, _ := m.PredictSQL("f", Native)
		if got := strings.Contains(before, "MATERIALIZED"); got != tt.want {
			t.Errorf("%v: materialised %v", tt.shape, got)
		}
	}
}

// FuzzImage feeds any bytes: an error or the sum of a valid image's pixels.
func FuzzImage(f *testing.F) {
	f.Add(bytesImage(image.Uint8, 2, 3, 3, 1))
	f.Add(bytesImage(image.Unit8, 1, 1, 1, 1))
	f.Add([]byte("\x8bMI1"))
	b := newBed(f)
	m := sumModel(Uint8, -1, -1, -1)
	b.add(m, Native, sums)
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := b.query("SELECT y FROM "+predictSQL(m, Native, "SELECT ?::BLOB AS x"), data)
		img, bad := image.Parse(data)
		if bad != nil || img.DType != image.Uint8 {
			if err == nil {
				t.Fatalf("no error for %x", data)
			}
			return
		}
		sum := 0
		for _, p := range img.Pixels() {
			sum += int(p)
		}
		if err != nil || rows[0][0] != fmt.Sprint(float32(sum)) {
			t.Fatalf("%v, %v, want %d", rows, err, sum)
		}
	})
}
