package functions

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// TestArguments pins what inputs accept and how a refusal reads.
func TestArguments(t *testing.T) {
	b := newBed(t)
	b.must("CREATE TYPE mood AS ENUM ('sad', 'ok')")
	for _, tt := range []struct {
		dtype DType
		shape []int64
		give  string // the column
		want  string // the start of the value, or of the error after "error: "
	}{
		{Float32, nil, "1", "1"},
		{Float32, nil, "1.5", "1.5"},
		{Float32, nil, "2::HUGEINT", "2"},
		{Float32, nil, "(-3)::HUGEINT", "-3"},
		{Float32, nil, "NULL", "NULL"},
		{Float32, nil, "'x'", "error: model demo.m: input `x` wants DOUBLE (float32 tensor), column is VARCHAR; cast it: CAST(x AS DOUBLE)"},
		{Float32, nil, "true", "error: model demo.m: input `x` wants DOUBLE (float32 tensor), column is BOOLEAN; cast it: CAST(x AS DOUBLE)"},
		{Float32, nil, "DATE '2024-01-01'", "error: model demo.m: input `x` wants DOUBLE (float32 tensor), column is DATE"},
		{Float32, nil, "{'a': 1}", "error: model demo.m: input `x` wants DOUBLE (float32 tensor), column is STRUCT; give it a column of that type"},
		{Float32, nil, "[1.0]", "error: model demo.m: input `x` wants DOUBLE (float32 tensor), column is DECIMAL[]; give it one value per row, for example x[1]"},
		{Int32, nil, "5", "5"},
		{Int32, nil, "5::UBIGINT", "5"},
		{Int32, nil, "-2147483648", "-2147483648"},
		{Int32, nil, "1.0::DOUBLE", "error: model demo.m: input `x` wants BIGINT (int32 tensor), column is DOUBLE; cast it: CAST(x AS BIGINT)"},
		{Int32, nil, "1.0", "error: model demo.m: input `x` wants BIGINT (int32 tensor), column is DECIMAL"},
		{Int32, nil, "3000000000", "error: model demo.m: input `x`: value 3000000000 does not fit the model's int32 (-2147483648 to 2147483647); filter or clamp the column"},
		{Int32, nil, "170141183460469231731687303715884105727::HUGEINT", "error: model demo.m: input `x`: value 170141183460469231731687303715884105727 does not fit the model's int32"},
		{Uint8, nil, "-1", "error: model demo.m: input `x`: value -1 does not fit the model's uint8 (0 to 255)"},
		{Uint8, nil, "256::USMALLINT", "error: model demo.m: input `x`: value 256 does not fit the model's uint8 (0 to 255)"},
		{Int8, nil, "128::UTINYINT", "error: model demo.m: input `x`: value 128 does not fit the model's int8 (-128 to 127)"},
		{Uint64, nil, "18446744073709551615::HUGEINT", "18446744073709551615"},
		{Uint64, nil, "18446744073709551616::HUGEINT", "error: model demo.m: input `x`: value 18446744073709551616 does not fit the model's uint64 (0 to 18446744073709551615)"},
		{Int64, nil, "9223372036854775808::UBIGINT", "error: model demo.m: input `x`: value 9223372036854775808 does not fit the model's int64"},
		{Int64, nil, "(-9223372036854775808)::HUGEINT", "-9223372036854775808"},
		// A number that a narrower float cannot hold is refused as DuckDB's CAST refuses it. The borders are halfway between the
		// largest number and the next one: float32 2^128 - 2^103, float16 65520, bfloat16 2^128 - 2^119.
		{Float32, nil, "1e300::DOUBLE", "error: model demo.m: input `x`: value 1e+300 does not fit the model's float32 (-3.4028235e+38 to 3.4028235e+38); filter or clamp the column"},
		{Float32, nil, "-1e300::DOUBLE", "error: model demo.m: input `x`: value -1e+300 does not fit the model's float32"},
		{Float32, nil, "3.4028235677973366e38::DOUBLE", "error: model demo.m: input `x`: value 3.4028235677973366e+38 does not fit"},
		{Float32, nil, "3.4028235677973362e38::DOUBLE", "3.4028235e+38"},
		{Float32, nil, "1e-300::DOUBLE", "0"},
		{Float32, nil, "'inf'::DOUBLE", "+Inf"},
		{Float32, nil, "'-inf'::DOUBLE", "-Inf"},
		{Float32, nil, "'nan'::DOUBLE", "NaN"},
		{Float32, nil, "340282366920938463463374607431768211455::UHUGEINT", "error: model demo.m: input `x`: value 340282366920938463463374607431768211455 does not fit the model's float32"},
		{Float32, nil, "340282356779733661637539395458142568448::UHUGEINT", "error: model demo.m: input `x`: value 340282356779733661637539395458142568448 does not fit the model's float32"},
		{Float32, nil, "340282346638528859811704183484516925440::UHUGEINT", "3.4028235e+38"},
		{Float32, nil, "170141183460469231731687303715884105727::HUGEINT", "1.7014118e+38"},
		{Float32, nil, "99999999999999999999999999999999999999::DECIMAL(38,0)", "1e+38"},
		{Float16, nil, "65519::INTEGER", "65504"},
		{Float16, nil, "65520::INTEGER", "error: model demo.m: input `x`: value 65520 does not fit the model's float16 (-65504 to 65504); filter or clamp the column"},
		{Float16, nil, "65520::USMALLINT", "error: model demo.m: input `x`: value 65520 does not fit the model's float16"},
		{Float16, nil, "(-65520)::BIGINT", "error: model demo.m: input `x`: value -65520 does not fit the model's float16"},
		{Float16, nil, "65520::FLOAT", "error: model demo.m: input `x`: value 65520 does not fit the model's float16"},
		{Float16, nil, "65519.99::DOUBLE", "65504"},
		{Float16, nil, "65520::DOUBLE", "error: model demo.m: input `x`: value 65520 does not fit the model's float16"},
		{Float16, nil, "65520::HUGEINT", "error: model demo.m: input `x`: value 65520 does not fit the model's float16"},
		{Float16, nil, "65520::UHUGEINT", "error: model demo.m: input `x`: value 65520 does not fit the model's float16"},
		{Float16, nil, "70000.5::DECIMAL(7,1)", "error: model demo.m: input `x`: value 70000.5 does not fit the model's float16"},
		{Float16, nil, "-70000.25::DECIMAL(18,2)", "error: model demo.m: input `x`: value -70000.25 does not fit the model's float16"},
		{Float16, nil, "70000.25::DECIMAL(38,9)", "error: model demo.m: input `x`: value 70000.250000000 does not fit the model's float16"},
		{Float16, nil, "9999::DECIMAL(4,0)", "10000"}, // float16 has steps of 8 there
		{Float16, nil, "'-inf'::FLOAT", "-Inf"},
		{Float16, nil, "'nan'::FLOAT", "NaN"},
		{BFloat16, nil, "3.39e38::DOUBLE", "3.3895314e+38"},
		{BFloat16, nil, "3.4e38::DOUBLE", "error: model demo.m: input `x`: value 3.4e+38 does not fit the model's bfloat16 (-3.3895314e+38 to 3.3895314e+38)"},
		{BFloat16, nil, "3.4e38::FLOAT", "error: model demo.m: input `x`: value 3.4e+38 does not fit the model's bfloat16"},
		{BFloat16, nil, "1e300::DOUBLE", "error: model demo.m: input `x`: value 1e+300 does not fit the model's bfloat16"},
		{BFloat16, nil, "340282366920938463463374607431768211455::UHUGEINT", "error: model demo.m: input `x`: value 340282366920938463463374607431768211455 does not fit the model's bfloat16"},
		{BFloat16, nil, "'inf'::FLOAT", "+Inf"},
		{Float32, []int64{3}, "[1, 1e39, 3]", "error: model demo.m: input `x`: value 1e+39 does not fit the model's float32"},
		{Float32, []int64{3}, "[1, 1e39, 3]::DOUBLE[3]", "error: model demo.m: input `x`: value 1e+39 does not fit the model's float32"},
		{Float32, []int64{2, 2}, "[[1, 2], [3, 1e39]]", "error: model demo.m: input `x`: value 1e+39 does not fit the model's float32"},
		{Float32, []int64{2, 2}, "[1, 2, 3, 1e39]", "error: model demo.m: input `x`: value 1e+39 does not fit the model's float32"},
		{Float32, []int64{-1}, "list_resize([]::DOUBLE[], 1000, 'inf'::DOUBLE) || [1e39]", "error: model demo.m: input `x`: value 1e+39 does not fit the model's float32"},
		{Bool, nil, "true", "true"},
		{Bool, nil, "1", "error: model demo.m: input `x` wants BOOLEAN (bool tensor), column is INTEGER; cast it: CAST(x AS BOOLEAN)"},
		{String, nil, "'x'", "x"},
		{String, nil, "'ok'::mood", "ok"},
		{String, nil, "'c9a646d3-9c61-4cb7-bfcd-ee2522c8f633'::UUID", "c9a646d3-9c61-4cb7-bfcd-ee2522c8f633"},
		{String, nil, "'00000000-0000-0000-8000-000000000001'::UUID", "00000000-0000-0000-8000-000000000001"},
		{String, nil, "1", "error: model demo.m: input `x` wants VARCHAR (string tensor), column is INTEGER; cast it: CAST(x AS VARCHAR)"},
		{String, nil, "'\\xff'::BLOB", "error: model demo.m: output `y`: a value is not valid UTF-8, it begins with \"\\xff\"; take it as bytes"},
		{Float32, []int64{3}, "[1, 2, 3]", "[1 2 3]"},
		{Float32, []int64{3}, "[1, 2, 3]::FLOAT[3]", "[1 2 3]"},
		{Float32, []int64{3}, "[1, 2]", "error: model demo.m: input `x`: a row has 2 values, the model wants 3 (float32 tensor of shape [None, 3])"},
		{Float32, []int64{3}, "[1, 2]::FLOAT[2]", "error: model demo.m: input `x` wants DOUBLE[3] (float32 tensor of shape [None, 3]), column is FLOAT[2]"},
		{Float32, []int64{3}, "[1, NULL, 3]", "NULL"},
		{Float32, []int64{3}, "NULL", "NULL"},
		{Float32, []int64{3}, "[]::INT[]", "error: model demo.m: input `x`: a row has 0 values"},
		{Float32, []int64{3}, "1", "error: model demo.m: input `x` wants DOUBLE[3] (float32 tensor of shape [None, 3]), column is INTEGER; give it a list of 3 values per row"},
		{Float32, []int64{3}, "['a']", "error: model demo.m: input `x` wants DOUBLE[3] (float32 tensor of shape [None, 3]), column is VARCHAR[]; cast it: CAST(x AS DOUBLE[3])"},
		{Float32, []int64{1}, "7", "7"},
		{Float32, []int64{1}, "[7]", "7"},
		{Float32, []int64{1}, "[7, 8]", "error: model demo.m: input `x`: a row has 2 values, the model wants 1"},
		{Float32, []int64{-1}, "[1, 2]", "[1 2]"},
		{Float32, []int64{-1}, "[]::INT[]", "[]"},
		{Float32, []int64{2, 2}, "[[1, 2], [3, 4]]", "[[1 2] [3 4]]"},
		{Float32, []int64{2, 2}, "[1, 2, 3, 4]", "[[1 2] [3 4]]"},
		{Float32, []int64{2, 2}, "[1, 2, 3]", "error: model demo.m: input `x`: a row has 3 values, the model wants 2 × 2 values"},
		{Float32, []int64{2, 2}, "[[1, 2], [3]]", "error: model demo.m: input `x`: the inner lists of a row differ in length (2 and 1 value); a tensor needs equal ones"},
		{Float32, []int64{2, 2}, "[[1], [3]]", "error: model demo.m: input `x`: a row has 1 value in dimension 2, the model wants 2"},
		{Float32, []int64{-1, -1}, "[1, 2]", "error: model demo.m: input `x` wants DOUBLE[][] (float32 tensor of shape [None, None, None]), column is INTEGER[]"},
		{Float32, []int64{-1, 2}, "[1, 2, 3]", "error: model demo.m: input `x`: a row has 3 values, the model wants a multiple of 2 values"},
		{Float32, []int64{-1, 2}, "[1, 2, 3, 4]", "[[1 2] [3 4]]"},
	} {
		p := Port{Name: "x", DType: tt.dtype, Shape: append([]int64{-1}, tt.shape...)}
		o := p
		o.Name = "y"
		m := &Model{Inputs: []Port{p}, Outputs: []Port{o}}
		b.add(m, Native, echo)
		if got, ok := b.outcome(tt.want, `SELECT y FROM `+predictSQL(m, Native, `SELECT `+tt.give+` AS x`)); !ok {
			t.Errorf("%s for %s %v:\n got %s\nwant %s", tt.give, tt.dtype, tt.shape, got, tt.want)
		}
	}
	m := &Model{Inputs: []Port{{Name: "x", DType: Float32, Shape: []int64{-1, 3}}}, Outputs: []Port{{Name: "y", DType: Float32, Shape: []int64{-1}}}}
	b.add(m, BigQuery, echo)
	_, err := b.query(predictSQL2(m, BigQuery, "SELECT 'a' AS x"))
	if err == nil || !strings.Contains(err.Error(), "input `x` wants ARRAY<FLOAT64> (float32 tensor of shape [None, 3]), column is VARCHAR") {
		t.Errorf("BigQuery's words: %v", err)
	}
	if n := b.host.holds(); n != 0 {
		t.Errorf("%d references are held after refused statements", n)
	}
}

// TestParameters lets values of Go reach a model without a cast.
func TestParameters(t *testing.T) {
	b := newBed(t)
	m := &Model{Inputs: []Port{{Name: "x", DType: Float32, Shape: []int64{-1}}}, Outputs: []Port{{Name: "y", DType: Float32, Shape: []int64{-1}}}}
	b.add(m, Native, echo)
	for _, v := range []any{int64(2), 2.0, nil} {
		want := "2"
		if v == nil {
			want = "NULL"
		}
		if got := b.one(`SELECT y FROM `+predictSQL(m, Native, `SELECT ? AS x`), v); got != want {
			t.Errorf("%v: got %s", v, got)
		}
	}
	if got := b.one(`SELECT y FROM `+predictSQL(m, Native, `SELECT $v::DOUBLE AS x`), 3.0); got != "3" {
		t.Errorf("named: got %s", got)
	}
}

// TestEngineFaults gives the callback everything an engine can get wrong. The connection and other models must survive.
func TestEngineFaults(t *testing.T) {
	b := newBed(t)
	good := lengthModel()
	good.Name = "demo.good"
	b.add(good, Native, lengths)
	floats := func(shape []int64, n int) []Tensor {
		return []Tensor{{DType: Float32, Shape: shape, Data: make([]byte, 4*n)}}
	}
	for _, tt := range []struct {
		name string
		f    func(context.Context, []Tensor) ([]Tensor, error)
		want string
	}{
		{"error", func(context.Context, []Tensor) ([]Tensor, error) { return nil, errFake }, "model demo.m: the engine was told to fail"},
		{"panic", func(context.Context, []Tensor) ([]Tensor, error) { panic("boom") }, "internal error, please report it: boom"},
		{"no output", func(context.Context, []Tensor) ([]Tensor, error) { return nil, nil }, "model demo.m: no output 0"},
		{"too few rows", func(_ context.Context, in []Tensor) ([]Tensor, error) { return floats([]int64{1, 3}, 3), nil },
			"model demo.m: output `dense_1` has no batch dimension: its shape is [1, 3] for 2 rows; export the model with an output whose first dimension is the rows'"},
		{"too many rows", func(_ context.Context, in []Tensor) ([]Tensor, error) { return floats([]int64{9, 3}, 27), nil }, "its shape is [9, 3] for 2 rows"},
		{"wide rows", func(_ context.Context, in []Tensor) ([]Tensor, error) { return floats([]int64{2, 4}, 8), nil }, "of shape [2, 4] for 2 rows"},
		{"no batch", func(_ context.Context, in []Tensor) ([]Tensor, error) { return floats([]int64{}, 1), nil }, "its shape is [] for 2 rows"},
		{"extra rank", func(_ context.Context, in []Tensor) ([]Tensor, error) { return floats([]int64{2, 3, 1}, 6), nil }, "of shape [2, 3, 1] for 2 rows"},
		{"other type", func(_ context.Context, in []Tensor) ([]Tensor, error) {
			return []Tensor{{DType: Float64, Shape: []int64{2, 3}, Data: make([]byte, 48)}}, nil
		}, "returned a tensor of type float64"},
		{"short data", func(_ context.Context, in []Tensor) ([]Tensor, error) { return floats([]int64{2, 3}, 5), nil }, "holds 20 bytes"},
		{"negative", func(_ context.Context, in []Tensor) ([]Tensor, error) { return floats([]int64{2, -3}, 5), nil }, "shape [2, None]"},
	} {
		m := lengthModel()
		m.BatchSize = 100
		b.add(m, Native, tt.f)
		b.host.failed = nil
		_, err := b.query(predictSQL2(m, Native, "SELECT 'x' AS input UNION ALL SELECT 'y' ORDER BY 1"))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.want)
		}
		if len(b.host.failed) == 0 {
			t.Errorf("%s: the statement was not told", tt.name)
		} else if tt.name == "error" && !errors.Is(b.host.failed[0], errFake) {
			t.Errorf("the typed error is lost: %v", b.host.failed[0])
		}
		if got := b.one(`SELECT dense_1[1] FROM ` + predictSQL(good, Native, "SELECT 'still' AS input")); got != "5" {
			t.Errorf("after %s: got %s", tt.name, got)
		}
	}
	m := lengthModel()
	b.add(m, Native, lengths)
	m.Open = func(context.Context) (Engine, error) { return nil, errors.New("the files are gone") }
	if _, err := b.query(predictSQL2(m, Native, "SELECT 'x' AS input")); err == nil || !strings.Contains(err.Error(), "the files are gone") {
		t.Errorf("open: %v", err)
	}
	fn := PredictName(m.Outputs, Native)
	for _, tt := range []struct{ give, want string }{
		{"SELECT " + fn + "()", "No function matches"},
		{"SELECT " + fn + "(1)", "model demo.good: it has 1 input, 0 given"},
		{"SELECT " + fn + "(1, 'a', 'b')", "model demo.good: it has 1 input, 2 given"},
		{"SELECT " + fn + "(99999, 'a')", "model version 99999 is gone"},
		{"SELECT " + fn + "(i, 'a') FROM range(3) t(i)", "argument 1 must be a constant"},
	} {
		if _, err := b.query(tt.give); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %q", tt.give, err, tt.want)
		}
	}
	if n := b.host.holds(); n != 0 {
		t.Errorf("%d references are held after failed statements", n)
	}
}

func TestBigQueryRange(t *testing.T) {
	b := newBed(t)
	m := &Model{Inputs: []Port{{Name: "x", DType: Uint64, Shape: []int64{-1}}}, Outputs: []Port{{Name: "y", DType: Uint64, Shape: []int64{-1}}}}
	b.add(m, BigQuery, echo)
	if got := b.one(`SELECT y FROM ` + predictSQL(m, BigQuery, "SELECT 9223372036854775807 AS x")); got != "9223372036854775807" {
		t.Errorf("got %s", got)
	}
	_, err := b.query(predictSQL2(m, BigQuery, "SELECT 9223372036854775808::UBIGINT AS x"))
	if err == nil || !strings.Contains(err.Error(), "output `y`: value 9223372036854775808 does not fit INT64") {
		t.Errorf("got error %v", err)
	}
}

// TestBinary lets any bytes through to a BLOB.
func TestBinary(t *testing.T) {
	b := newBed(t)
	m := &Model{Inputs: []Port{{Name: "x", DType: String, Shape: []int64{-1}}}, Outputs: []Port{{Name: "y", DType: String, Shape: []int64{-1}, Binary: true}}}
	b.add(m, Native, echo)
	if got := b.one(`SELECT y = x AND typeof(y) = 'BLOB' FROM ` + predictSQL(m, Native, `SELECT '\xff\x00 and more than twelve bytes'::BLOB AS x`)); got != "true" {
		t.Errorf("got %s", got)
	}
	if got := b.one(`SELECT octet_length(y) FROM ` + predictSQL(m, Native, `SELECT repeat('x', 20000000) AS x`)); got != "20000000" {
		t.Errorf("20 MB came back as %s bytes", got)
	}
}
