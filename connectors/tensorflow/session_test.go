package tensorflow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

func fixtureDir(name string) string { return filepath.Join(fixtures, name) }

func stringsTensor(s ...string) Tensor {
	return Tensor{DType: String, Shape: []int64{int64(len(s))}, Strings: s}
}

func floatsTensor(f ...float32) Tensor {
	return Tensor{DType: Float32, Shape: []int64{int64(len(f))}, Data: unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(f))), 4*len(f))}
}

// TestLoadErrors: what cannot be loaded says why, and leaves nothing open.
func TestLoadErrors(t *testing.T) {
	before := Live()
	noVariables := copyModel(t, "perceptron", "variables")
	damaged := copyModel(t, "perceptron", "")
	data := filepath.Join(damaged, "variables", "variables.data-00000-of-00001")
	b, err := os.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0xff
	if err := os.WriteFile(data, b, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		give LoadOptions
		kind error
		want string
	}{
		{"missing folder", LoadOptions{Dir: "/nowhere/at/all"}, errNoModel, "no such folder"},
		{"unknown tag", LoadOptions{Dir: fixtureDir("multi_signature"), Tags: []string{"tpu"}}, errNoTags, "no graph with the tags [tpu]. Choose OPTIONS(tags=['serve']) or OPTIONS(tags=['gpu', 'serve'])"},
		{"unknown signature", LoadOptions{Dir: fixtureDir("multi_signature"), Signature: "nope"}, ErrNoSignature, "no signature `nope`. It has `both`, `plus`, `times`: choose OPTIONS(signature='both') or OPTIONS(signature='plus') or OPTIONS(signature='times')"},
		{"no default signature", LoadOptions{Dir: fixtureDir("multi_signature")}, ErrNoSignature, "none is `serving_default`. It has `both`, `plus`, `times`: choose OPTIONS(signature='both')"},
		{"no signature", LoadOptions{Dir: fixtureDir("no_signature")}, ErrNoSignature, "the model has no signature"},
		{"unknown output", LoadOptions{Dir: fixtureDir("many_in_out"), Outputs: []string{"total"}}, ErrNoOutput, "no output `total`. It has `Total`, `double`,"},
		{"complex", LoadOptions{Dir: fixtureDir("unsupported_dtype")}, errUnsupported, "output `y` (tensor PartitionedCall:1) has type complex64"},
		{"sparse", LoadOptions{Dir: fixtureDir("sparse_input")}, errUnsupported, "input `x` (tensor x/values:0) is a sparse tensor"},
		{"unknown rank", LoadOptions{Dir: fixtureDir("unknown_rank")}, errUnsupported, "input `x` (tensor serving_default_x:0) has an unknown number of dimensions"},
		{"no batch", LoadOptions{Dir: fixtureDir("no_batch")}, errUnsupported, "output `sum` (tensor PartitionedCall:0) has no batch dimension"},
		{"no variables", LoadOptions{Dir: noVariables}, errNoVariables, "variables/variables.index is not there"},
		{"reads files", LoadOptions{Dir: fixtureDir("reads_file")}, errUnsupported, "its graph reaches outside the model: ReadFile (reads files of the host)"},
		{"writes files, reading is allowed", LoadOptions{Dir: fixtureDir("writes_file"), AllowOps: []string{"ReadFile"}}, errUnsupported, "WriteFile (writes files of the host)"},
		{"by its name", LoadOptions{Dir: noVariables, Name: "gs://b/m"}, errNoVariables, "load model gs://b/m: the graph has variables"},
		{"damaged, by its name", LoadOptions{Dir: damaged, Name: "gs://b/m"}, nil, "TensorBundle at gs://b/m/variables/variables shard 0"},
		{"op library missing", LoadOptions{Dir: fixtureDir("perceptron"), CustomOps: []string{"/nowhere.so"}}, errLibrary, "load custom ops /nowhere.so: no such file"},
	}
	rt := open(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := rt.LoadModel(context.Background(), tt.give)
			if tt.kind != nil && !errors.Is(err, tt.kind) || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v\nwant %q", err, tt.want)
			}
		})
	}
	if after := Live(); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("handles before %v, after %v", before, after)
	}
}

// TestAllowOps: what the configuration allows runs.
func TestAllowOps(t *testing.T) {
	load(t, LoadOptions{Dir: fixtureDir("reads_file"), AllowOps: []string{"ReadFile"}})
}

// TestOutputs: named outputs can be chosen, so that a refused one does not stand in the way.
func TestOutputs(t *testing.T) {
	s := load(t, LoadOptions{Dir: fixtureDir("no_batch"), Outputs: []string{"y"}})
	r, err := s.Run(context.Background(), []Tensor{floatsTensor(1, 2)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	y, err := r.Output(0)
	if err != nil || r.Len() != 1 {
		t.Fatal(err, r.Len())
	}
	compare(t, "y", y, floatsTensor(2, 3))
	if _, err := r.Output(1); err == nil {
		t.Error("output 1 exists, want an error")
	}
}

// TestDamagedWeights: TensorFlow's own failure at loading is an error, and a load after it works.
func TestDamagedWeights(t *testing.T) {
	dir := copyModel(t, "perceptron", "")
	data := filepath.Join(dir, "variables", "variables.data-00000-of-00001")
	if err := os.Truncate(data, 10); err != nil {
		t.Fatal(err)
	}
	_, err := open(t).LoadModel(context.Background(), LoadOptions{Dir: dir})
	if e, ok := errors.AsType[*Error](err); !ok || e.Code == codeOK {
		t.Errorf("err = %v, want TensorFlow's", err)
	}
	load(t, LoadOptions{Dir: fixtureDir("perceptron")})
}

// copyModel copies a fixture, without one of its folders.
func copyModel(t testing.TB, name, without string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS(fixtureDir(name))); err != nil {
		t.Fatal(err)
	}
	if without != "" {
		if err := os.RemoveAll(filepath.Join(dir, without)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestInputErrors: an input that does not fit never reaches TensorFlow.
func TestInputErrors(t *testing.T) {
	s := load(t, LoadOptions{Dir: fixtureDir("shapes")})
	f := readFixtures(t, fixtures+"/shapes.json")[0]
	n3 := -1
	for i, p := range s.Inputs {
		if p.Name == "n3" {
			n3 = i
		}
	}
	data := make([]byte, 24)
	tests := []struct {
		name string
		give Tensor
		want string
	}{
		{"type", Tensor{DType: Float64, Shape: []int64{1, 3}, Data: data}, "input n3 is float64, the model wants float32"},
		{"rank", Tensor{DType: Float32, Shape: []int64{3}, Data: data[:12]}, "input n3 has 1 dimension, the model wants 2"},
		{"width", Tensor{DType: Float32, Shape: []int64{1, 4}, Data: data[:16]}, "has shape [1 4], the model wants [-1 3]"},
		{"negative", Tensor{DType: Float32, Shape: []int64{-1, 3}}, "has shape [-1 3]"},
		{"too few bytes", Tensor{DType: Float32, Shape: []int64{2, 3}, Data: data[:23]}, "has 23 bytes for shape [2 3] of float32"},
		{"huge", Tensor{DType: Float32, Shape: []int64{1 << 60, 3}}, "too large"},
		{"ranks", Tensor{DType: Float32, Shape: make([]int64, 300)}, "has 300 dimensions, more than 8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := f.feed(t, s)
			in[n3] = tt.give
			_, err := s.Run(context.Background(), in)
			if !errors.Is(err, errInput) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := s.Run(context.Background(), nil); !errors.Is(err, errInput) {
		t.Errorf("no inputs: %v", err)
	}
	text := load(t, LoadOptions{Dir: fixtureDir("text_classifier")})
	if _, err := text.Run(context.Background(), []Tensor{{DType: String, Shape: []int64{2}, Strings: []string{"a"}}}); !errors.Is(err, errInput) {
		t.Errorf("too few strings: %v", err)
	}
	f.replay(t, s) // the session still works
}

// TestErrorInGraph: a failure names the node, says what TensorFlow said, and the session goes on.
func TestErrorInGraph(t *testing.T) {
	s := load(t, LoadOptions{Dir: fixtureDir("error_in_graph")})
	run := func(number string, x float32) error {
		in := make([]Tensor, 2)
		for i, p := range s.Inputs {
			if in[i] = floatsTensor(x); p.Name == "number" {
				in[i] = stringsTensor(number)
			}
		}
		r, err := s.Run(context.Background(), in)
		if err == nil {
			return r.Close()
		}
		return err
	}
	tests := []struct {
		name, number string
		x            float32
		node, msg    string
	}{
		{"assert", "1", -1, "not_negative", "assertion failed: [x must not be negative] [-1]"},
		{"parse", "duck", 1, "parse_number", "StringToNumberOp could not correctly convert string: duck"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := run(tt.number, tt.x)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Code != codeInvalidArgument || !strings.Contains(e.Node, tt.node) || e.Msg != tt.msg {
				t.Errorf("err = %#v\nwant node %s, message %q", err, tt.node, tt.msg)
			}
			if err := run("1", 1); err != nil {
				t.Errorf("after it: %v", err)
			}
		})
	}
}

// TestLentMemory: the caller's memory is read and never written, at every alignment, Go's or C's.
func TestLentMemory(t *testing.T) {
	s := load(t, LoadOptions{Dir: fixtureDir("same_name")})
	const n = 5000
	for _, offset := range []int{0, 4, 16, 60} {
		buf := make([]byte, 4*n+128)
		base := int(64-uintptr(unsafe.Pointer(&buf[0]))%64)%64 + offset
		data := buf[base : base+4*n]
		x := unsafe.Slice((*float32)(unsafe.Pointer(&data[0])), n)
		for i := range x {
			x[i] = float32(i)
		}
		r, err := s.Run(context.Background(), []Tensor{{DType: Float32, Shape: []int64{n}, Data: data}})
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.Output(0)
		if err != nil {
			t.Fatal(err)
		}
		y := floats(out)
		for i := range x {
			if x[i] != float32(i) || y[i] != float64(i+1) {
				t.Fatalf("offset %d: x[%d] = %v, y = %v", offset, i, x[i], y[i])
			}
		}
		_ = r.Close()
	}
}

// TestStringKinds: strings of every length and any bytes come back as they went in.
func TestStringKinds(t *testing.T) {
	s := load(t, LoadOptions{Dir: fixtureDir("string_out"), Outputs: []string{"same", "long"}})
	var in []string
	for _, n := range []int{0, 1, 21, 22, 23, 24, 63, 64, 1000, 1 << 20} {
		in = append(in, strings.Repeat("é", n)[:n], strings.Repeat("\x00", n), strings.Repeat("\xff", n))
	}
	ones := Tensor{DType: Int32, Shape: []int64{int64(len(in))}, Data: make([]byte, 4*len(in))}
	order := []Tensor{ones, stringsTensor(in...)}
	if s.Inputs[0].Name == "text" {
		order[0], order[1] = order[1], order[0]
	}
	r, err := s.Run(context.Background(), order)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i, p := range s.Outputs {
		out, err := r.Output(i)
		if err != nil {
			t.Fatal(err)
		}
		for k, text := range in {
			want := text
			if p.Name == "long" {
				want = strings.TrimSuffix(strings.Repeat(text+"/", 20), "/")
			}
			if out.Strings[k] != want {
				t.Errorf("%s of string %d (%d bytes) came back wrong", p.Name, k, len(text))
			}
		}
	}
}

// TestTString reads the four kinds of TF_TString from bytes laid out by hand, as ctstring_internal.h has them.
func TestTString(t *testing.T) {
	text := []byte("twenty-four bytes of text")
	word := func(b []byte, at int, v uint64) {
		*(*uint64)(unsafe.Pointer(&b[at])) = v
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&text[0])
	at := uint64(uintptr(unsafe.Pointer(&text[0])))
	words := make([]uint64, 4*8)
	mem := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 8*len(words))
	small, large, offset, view := mem[0:], mem[24:], mem[48:], mem[72:]
	small[0] = 3 << 2
	copy(small[1:], "abc")
	word(large, 0, uint64(len(text))<<2|1)
	word(large, 8, 31)
	word(large, 16, at)
	word(offset, 0, 5<<2|2|(100-48)<<32) // the bytes at mem[100]
	copy(mem[100:], "there")
	word(view, 0, 6<<2|3)
	word(view, 8, at)
	for _, tt := range []struct {
		name string
		give []byte
		want string
	}{{"small", small, "abc"}, {"large", large, string(text)}, {"offset", offset, "there"}, {"view", view, "twenty"}} {
		if got := tstring(unsafe.Pointer(&tt.give[0])); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestKeeper: a graph that keeps its input gets a copy, so that the caller's memory may go.
func TestKeeper(t *testing.T) {
	s := load(t, LoadOptions{Dir: fixtureDir("keeper")})
	if !s.Signature.Retains || s.Signature.Stateless {
		t.Fatalf("retains %v, stateless %v", s.Signature.Retains, s.Signature.Stateless)
	}
	want := "nothing yet"
	for i := range 50 {
		// Short and long; overwritten once the run is over.
		mem := []byte(strings.Repeat(strconv.Itoa(i%10), 1+i*3))
		r, err := s.Run(context.Background(), []Tensor{stringsTensor(unsafe.String(&mem[0], len(mem)))})
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.Output(0)
		if err != nil || out.Strings[0] != want {
			t.Fatalf("run %d: %v, %q, want %q", i, err, out.Strings, want)
		}
		_ = r.Close()
		want = string(mem)
		for k := range mem {
			mem[k] = 'X'
		}
	}
}

// TestResultOutlivesSession: a result stays readable when its session is closed; closing twice is nothing.
func TestResultOutlivesSession(t *testing.T) {
	s, err := open(t).LoadModel(context.Background(), LoadOptions{Dir: fixtureDir("same_name")})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Run(context.Background(), []Tensor{floatsTensor(41)})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	out, err := r.Output(0)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "x", out, floatsTensor(42))
	for range 2 {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Output(0); err == nil {
		t.Error("a closed result gives outputs")
	}
	if _, err := s.Run(context.Background(), []Tensor{floatsTensor(1)}); !errors.Is(err, errClosed) {
		t.Errorf("run after close: %v", err)
	}
}

// TestForgottenSession: the collector frees a session that nobody closed.
func TestForgottenSession(t *testing.T) {
	before := Live()["sessions"]
	func() {
		if _, err := open(t).LoadModel(context.Background(), LoadOptions{Dir: fixtureDir("same_name")}); err != nil {
			t.Fatal(err)
		}
	}()
	for range 100 {
		runtime.GC()
		if Live()["sessions"] == before {
			return
		}
	}
	t.Error("the session is still open")
}

func TestCancelled(t *testing.T) {
	s := load(t, LoadOptions{Dir: fixtureDir("same_name")})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Run(ctx, []Tensor{floatsTensor(1)}); !errors.Is(err, context.Canceled) {
		t.Errorf("run: %v", err)
	}
	if _, err := open(t).LoadModel(ctx, LoadOptions{Dir: fixtureDir("same_name")}); !errors.Is(err, context.Canceled) {
		t.Errorf("load: %v", err)
	}
}

// TestCloseWhileRunning: runs under way end well, later ones say that the model is closed.
func TestCloseWhileRunning(t *testing.T) {
	for range 20 {
		s, err := open(t).LoadModel(context.Background(), LoadOptions{Dir: fixtureDir("text_classifier"), InterOpThreads: -1})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		started := make(chan struct{}, 1000)
		for range 8 {
			wg.Go(func() {
				for {
					r, err := s.Run(context.Background(), []Tensor{stringsTensor("What is BigQuery?", "", "duck")})
					if errors.Is(err, errClosed) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					if out, err := r.Output(0); err != nil || len(out.Data) != 9*4 {
						t.Errorf("output: %v, %d bytes", err, len(out.Data))
					}
					_ = r.Close()
					select {
					case started <- struct{}{}:
					default:
					}
				}
			})
		}
		<-started
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	}
}

// TestNoGrowth: thousands of runs and hundreds of loads leave no handle open and the process no larger.
func TestNoGrowth(t *testing.T) {
	if testing.Short() {
		t.Skip("some ten seconds")
	}
	cycle := func(loads, runs int) {
		for i := range loads {
			name := []string{"text_classifier", "string_out", "keeper", "table_assets"}[i%4]
			f := []fixture{{Inputs: map[string]jsonTensor{"x": {DType: "string", Shape: []int64{1}, Values: nil}}}}
			if name != "keeper" {
				f = readFixtures(t, fixtures+"/"+name+".json")
			}
			s, err := open(t).LoadModel(context.Background(), LoadOptions{Dir: fixtureDir(name)})
			if err != nil {
				t.Fatal(err)
			}
			var in []Tensor
			if name == "keeper" {
				in = []Tensor{stringsTensor(strings.Repeat("kept ", 1000))}
			} else {
				in = f[0].feed(t, s)
			}
			for range runs {
				r, err := s.Run(context.Background(), in)
				if err != nil {
					t.Fatal(err)
				}
				for k := range s.Outputs {
					if _, err := r.Output(k); err != nil {
						t.Fatal(err)
					}
				}
				_ = r.Close()
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := Live()
	cycle(40, 20) // TensorFlow's pools and the allocator's arenas reach their size
	runtime.GC()
	warm := rss(t)
	cycle(160, 20)
	cycle(4, 2000)
	runtime.GC()
	grown := rss(t) - warm
	t.Logf("memory %d MB, grown by %d kB", warm>>20, grown>>10)
	if grown > 40<<20 {
		t.Errorf("the process grew by %d MB", grown>>20)
	}
	if after := Live(); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("handles before %v, after %v", before, after)
	}
}

// rss is the process's resident memory; 0 where /proc is not there.
func rss(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// TestLoop: the yardstick of the benchmarks leaves nothing open, and fails as Run does.
func TestLoop(t *testing.T) {
	before := Live()["tensors"]
	s := load(t, LoadOptions{Dir: fixtureDir("error_in_graph")})
	in := make([]Tensor, 2)
	for i, p := range s.Inputs {
		if in[i] = floatsTensor(-1); p.Name == "number" {
			in[i] = stringsTensor("1")
		}
	}
	if err := s.Loop(context.Background(), in, 3); err == nil {
		t.Error("a negative number is accepted")
	}
	s = load(t, LoadOptions{Dir: fixtureDir("stateful")})
	x := []Tensor{{DType: Int64, Shape: []int64{1}, Data: make([]byte, 8)}}
	if err := s.Loop(context.Background(), x, 10); err != nil {
		t.Fatal(err)
	}
	r, err := s.Run(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if out, err := r.Output(0); err != nil || out.Data[0] != 11 {
		t.Errorf("after ten runs: %v, %v; want the eleventh", out.Data, err)
	}
	_ = r.Close()
	if n := Live()["tensors"]; n != before {
		t.Errorf("%d tensors more", n-before)
	}
}

// TestPoolPerSession: a session's pool is as wide as it asked for, whatever sessions before it asked for.
func TestPoolPerSession(t *testing.T) {
	threads := func() int {
		list, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Skip(err)
		}
		return len(list)
	}
	load(t, LoadOptions{Dir: fixtureDir("same_name"), InterOpThreads: -1, IntraOpThreads: 1})
	before := threads()
	load(t, LoadOptions{Dir: fixtureDir("same_name"), InterOpThreads: -1, IntraOpThreads: 40})
	if n := threads() - before; n < 40 {
		t.Errorf("the second session brought %d threads, want at least 40", n)
	}
}

// TestOddSignatures: what a row cannot give or get is refused by name, with the way out.
func TestOddSignatures(t *testing.T) {
	rt := open(t)
	for _, tt := range []struct {
		signature string
		outputs   []string
		want      string
	}{
		{"fixed", nil, "output `sum` (tensor Sum:0) has no batch dimension: its shape is [], whatever the number of rows. Choose others with OPTIONS(outputs=['y'])"},
		{"fixed", []string{"y", "three"}, "output `three` (tensor Const:0) has no batch dimension: its shape is [3], whatever the number of rows. Choose others with OPTIONS(outputs=['y'])"},
		{"fixed", []string{"three"}, "Choose others with OPTIONS(outputs=['y'])"},
		{"only_fixed", nil, "output `three` (tensor Const_2:0) has no batch dimension: its shape is [3], whatever the number of rows. Export the model with an output whose first dimension is the rows'"},
		{"passes_default", nil, "output `keep` (tensor keep:0) has no batch dimension: its shape is [], whatever the number of rows. Choose others with OPTIONS(outputs=['y'])"},
		{"no_inputs", nil, "signature `no_inputs`: it has no inputs that a row gives"},
		{"only_default", nil, "signature `only_default`: it has no inputs that a row gives"},
		{"bare", nil, "input `bare` (tensor bare:0) is one value for all rows and has no default, so no column can give it"},
		{"mixed", nil, "input `pair` (tensor pair:0) has shape [2]: its first dimension must be the rows', as it is of the other inputs"},
		{"twice", nil, "inputs `a` and `b` are the same tensor flat:0. Export the model with an input for each"},
	} {
		s, err := rt.LoadModel(context.Background(), LoadOptions{Dir: fixtureDir("odd_signatures"), Signature: tt.signature, Outputs: tt.outputs})
		if err == nil {
			_ = s.Close()
		}
		if !errors.Is(err, errUnsupported) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %v: err = %v\nwant %q", tt.signature, tt.outputs, err, tt.want)
		}
	}
}
