package tensorflow

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/mallardml/mallard/internal/modeltest"
)

const fixtures = "../../testdata/models"

// fixture is what TensorFlow's Python runtime answered; make_models.py tells the form.
type fixture struct {
	Signature       string
	Inputs, Outputs map[string]jsonTensor
}

type jsonTensor struct {
	DType  string
	Shape  []int64
	Values []json.RawMessage
}

func readFixtures(t testing.TB, file string) []fixture {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var fs []fixture
	if err := json.Unmarshal(b, &fs); err != nil {
		t.Fatal(err)
	}
	return fs
}

func dtypeOf(t testing.TB, name string) DType {
	t.Helper()
	for d := range dtypes {
		if d.String() == name {
			return d
		}
	}
	t.Fatalf("no dtype %s", name)
	return invalid
}

// tensor turns a fixture's tensor into one to feed.
func (j jsonTensor) tensor(t testing.TB) Tensor {
	t.Helper()
	x := Tensor{DType: dtypeOf(t, j.DType), Shape: j.Shape}
	for _, v := range j.Values {
		if x.DType == String {
			// As in a DuckDB vector, no NUL follows the text: a kernel that looks for one finds digits.
			s := jsonText(t, v)
			x.Strings = append(x.Strings, (s + "77777777")[:len(s)])
			continue
		}
		x.Data = appendNumber(t, x.Data, x.DType, v)
	}
	return x
}

func jsonText(t testing.TB, v json.RawMessage) string {
	t.Helper()
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	var b struct{ Base64 string }
	if err := json.Unmarshal(v, &b); err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(b.Base64)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func appendNumber(t testing.TB, b []byte, d DType, v json.RawMessage) []byte {
	t.Helper()
	text := strings.Trim(string(v), `"`)
	if d == Bool {
		if text == "true" {
			return append(b, 1)
		}
		return append(b, 0)
	}
	switch d {
	case Float16, BFloat16, Float32, Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		switch d {
		case Float64:
			return binary.NativeEndian.AppendUint64(b, math.Float64bits(f))
		case Float32:
			return binary.NativeEndian.AppendUint32(b, math.Float32bits(float32(f)))
		case BFloat16:
			return binary.NativeEndian.AppendUint16(b, uint16(math.Float32bits(float32(f))>>16))
		}
		return binary.NativeEndian.AppendUint16(b, halfBits(f))
	}
	var u uint64
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		u = uint64(i)
	} else if u, err = strconv.ParseUint(text, 10, 64); err != nil {
		t.Fatal(err)
	}
	full := binary.NativeEndian.AppendUint64(nil, u)
	return append(b, full[:d.Size()]...) // little-endian machines, as tf.c demands
}

// halfBits writes a value that a float16 holds exactly (the fixtures hold no other).
func halfBits(f float64) uint16 {
	if f == 0 {
		return 0
	}
	frac, exp := math.Frexp(math.Abs(f)) // 0.5 <= frac < 1
	bits := uint16(exp+14)<<10 | uint16((frac*2-1)*1024)
	if f < 0 {
		bits |= 1 << 15
	}
	return bits
}

// floats reads a numeric tensor as float64; integers above 2^53 are compared as bytes elsewhere.
func floats(x Tensor) []float64 {
	n := len(x.Data) / x.DType.Size()
	out := make([]float64, n)
	for i := range out {
		p := x.Data[i*x.DType.Size():]
		switch x.DType {
		case Float32:
			out[i] = float64(math.Float32frombits(binary.NativeEndian.Uint32(p)))
		case Float64:
			out[i] = math.Float64frombits(binary.NativeEndian.Uint64(p))
		}
	}
	return out
}

// compare demands equality, for floats within the tolerance of a shallow model.
func compare(t *testing.T, what string, got, want Tensor) {
	t.Helper()
	if got.DType != want.DType || fmt.Sprint(got.Shape) != fmt.Sprint(want.Shape) {
		t.Errorf("%s is %s%v, want %s%v", what, got.DType, got.Shape, want.DType, want.Shape)
		return
	}
	switch got.DType {
	case String:
		for i := range want.Strings {
			if got.Strings[i] != want.Strings[i] {
				t.Errorf("%s[%d] = %q, want %q", what, i, got.Strings[i], want.Strings[i])
			}
		}
	case Float32, Float64:
		g, w := floats(got), floats(want)
		for i := range w {
			if err := modeltest.Check(g[i], w[i], modeltest.Tolerance(got.DType.String(), modeltest.Shallow)); err != nil {
				t.Errorf("%s[%d] = %v", what, i, err)
				return
			}
		}
	default:
		if string(got.Data) != string(want.Data) {
			t.Errorf("%s = %v, want %v", what, got.Data, want.Data)
		}
	}
}

// replay runs a fixture on a session.
func (f fixture) replay(t *testing.T, s *Session) {
	t.Helper()
	r, err := s.Run(context.Background(), f.feed(t, s))
	if err != nil {
		t.Error(err)
		return
	}
	defer r.Close()
	for i, p := range s.Outputs {
		got, err := r.Output(i)
		if err != nil {
			t.Error(err)
			continue
		}
		compare(t, p.Name, got, f.Outputs[p.Name].tensor(t))
	}
}

func (f fixture) feed(t testing.TB, s *Session) []Tensor {
	t.Helper()
	in := make([]Tensor, len(s.Inputs))
	for i, p := range s.Inputs {
		in[i] = f.Inputs[p.Name].tensor(t)
	}
	return in
}

func load(t testing.TB, o LoadOptions) *Session {
	t.Helper()
	s, err := open(t).LoadModel(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestFixtures: every tiny model gives the values of TensorFlow's Python runtime.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob(fixtures + "/*.json")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		dir := strings.TrimSuffix(file, ".json")
		t.Run(filepath.Base(dir), func(t *testing.T) {
			for _, f := range readFixtures(t, file) {
				f.replayModel(t, LoadOptions{Dir: dir, Signature: f.Signature})
				f.replayModel(t, LoadOptions{Dir: dir, Signature: f.Signature, InterOpThreads: -1, IntraOpThreads: 1})
			}
		})
	}
}

func (f fixture) replayModel(t *testing.T, o LoadOptions) {
	t.Helper()
	o.Tags = []string{"serve"}
	f.replay(t, load(t, o))
}

// realModel gives the folder of a fetched model.
func realModel(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("MALLARD_TEST_MODELS")
	if root == "" {
		root = "../../build/models"
	}
	dir := filepath.Join(root, name)
	if !isFile(filepath.Join(dir, "saved_model.pb")) {
		t.Fatalf("%s is not there: run `make models`", dir)
	}
	return dir
}

// TestGuesslang and TestBasicPitch: the real models give the values of
// TensorFlow's Python runtime (testdata/make_expected.py).
func TestGuesslang(t *testing.T) {
	for _, f := range readFixtures(t, "testdata/guesslang.json") {
		t.Run(f.Signature, func(t *testing.T) {
			f.replay(t, load(t, LoadOptions{Dir: realModel(t, "guesslang"), Signature: f.Signature}))
		})
	}
}

func TestBasicPitch(t *testing.T) {
	f := readFixtures(t, "testdata/basic-pitch.json")[0]
	s := load(t, LoadOptions{Dir: realModel(t, "basic-pitch")})
	const rows, samples = 2, 43844
	in := Tensor{DType: Float32, Shape: []int64{rows, samples, 1}}
	for n := range rows * samples {
		v := 0.3*math.Sin(float64(n)*0.125) + 0.2*math.Sin(float64(n)*0.0631)
		in.Data = binary.NativeEndian.AppendUint32(in.Data, math.Float32bits(float32(v)))
	}
	r, err := s.Run(context.Background(), []Tensor{in})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i, p := range s.Outputs {
		got, err := r.Output(i)
		if err != nil {
			t.Fatal(err)
		}
		want := f.Outputs[p.Name]
		if fmt.Sprint(got.Shape) != fmt.Sprint(want.Shape) {
			t.Fatalf("%s has shape %v, want %v", p.Name, got.Shape, want.Shape)
		}
		all := floats(got)
		for k := range want.Values { // the file has each 997th number
			w, err := strconv.ParseFloat(string(want.Values[k]), 64)
			if err != nil {
				t.Fatal(err)
			}
			if err := modeltest.Check(all[k*997], w, modeltest.Tolerance(got.DType.String(), modeltest.BasicPitch)); err != nil {
				t.Errorf("%s[%d] = %v", p.Name, k*997, err)
			}
		}
	}
}
