package duckapi_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/duckapi"
)

// bound runs a query with arguments and gives its only row.
func bound(t *testing.T, db *sql.DB, query string, args ...any) (row []driver.Value, err error) {
	t.Helper()
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	values := make([]driver.NamedValue, len(args))
	for i, a := range args {
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
		if n, ok := a.(sql.NamedArg); ok {
			values[i].Name, values[i].Value = n.Name, n.Value
		}
	}
	err = c.Raw(func(dc any) error {
		st, err := dc.(*duckdb.Conn).PrepareContext(context.Background(), query)
		if err != nil {
			return err
		}
		defer st.Close()
		s := st.(*duckdb.Stmt)
		if err := duckapi.Bind(context.Background(), s, values); err != nil {
			return err
		}
		rows, err := s.QueryBound(context.Background())
		if err != nil {
			return err
		}
		row = make([]driver.Value, len(rows.Columns()))
		if err := rows.Next(row); err != nil && !errors.Is(err, io.EOF) {
			return errors.Join(err, rows.Close())
		}
		return rows.Close()
	})
	return row, err
}

type (
	number  int16
	text    string
	numbers []number
	valuer  struct{ v driver.Value }
	list    []int
	named   struct{ a int }
)

func (v valuer) Value() (driver.Value, error) { return v.v, nil }

// Value makes a list that speaks for itself.
func (l list) Value() (driver.Value, error) { return fmt.Sprint([]int(l)), nil }

func pointer[T any](v T) *T { return &v }

// TestBind: what each Go value is in DuckDB. The texts are DuckDB's own of the literal beside them.
func TestBind(t *testing.T) {
	db := open(t)
	var none *[]float32
	for _, c := range []struct {
		give any
		want string // a literal of the same type
	}{
		{nil, "NULL"}, {none, "NULL"}, {[]int(nil), "NULL"}, {map[string]any(nil), "NULL"}, {(*int)(nil), "NULL"},
		{[]float32{1, 2}, "[1, 2]::FLOAT[]"}, {[]float64{1, .5}, "[1, .5]::DOUBLE[]"}, {[]int{1, 2}, "[1, 2]::BIGINT[]"},
		{[]uint{1, 2}, "[1, 2]::UBIGINT[]"}, {[]int8{1}, "[1]::TINYINT[]"}, {[]uint16{1}, "[1]::USMALLINT[]"}, {[]bool{true}, "[true]"},
		{[]uint32{7}, "[7]::UINTEGER[]"}, {[]int32{7}, "[7]::INTEGER[]"}, {[]int16{7}, "[7]::SMALLINT[]"}, {[]uint64{math.MaxUint64}, "[18446744073709551615]::UBIGINT[]"},
		{[]string{"a", "", "é\x00"}, "['a', '', 'é' || chr(0)]"}, {[]text{"a"}, "['a']"}, {numbers{1, 2}, "[1, 2]::SMALLINT[]"},
		{[][]byte{{0xff, 0}, nil}, `['\xFF\x00'::BLOB, NULL]`}, {pointer([]float32{1}), "[1]::FLOAT[]"}, {[]*int{pointer(1), nil}, "[1, NULL]::BIGINT[]"},
		{[]any{1, nil}, "[1, NULL]::BIGINT[]"}, {[]any{nil, nil}, "[NULL, NULL]"}, {[]any{}, "[]"}, {[]any{1, 2.5}, "[1, 2.5]::DOUBLE[]"},
		{[]any{int8(1), int32(5)}, "[1, 5]::BIGINT[]"}, {[]any{int64(-1), uint64(math.MaxUint64)}, "[-1, 18446744073709551615]::HUGEINT[]"},
		{[3]float32{1, 2, 3}, "[1, 2, 3]::FLOAT[3]"}, {[2][1]string{{"a"}, {"b"}}, "[['a']::VARCHAR[1], ['b']::VARCHAR[1]]::VARCHAR[1][2]"}, {[0]int{}, "[]"},
		{[]any{[]int{1}, nil, []int{}}, "[[1], NULL, []]::BIGINT[][]"}, {[][][]float64{{{1}, nil}, nil, {}}, "[[[1], NULL], NULL, []]::DOUBLE[][][]"},
		{map[string]any{"a": 1, "b": []string{"x"}}, "{'a': 1::BIGINT, 'b': ['x']}"}, {map[string]any{"a": nil}, "{'a': NULL}"},
		{[]map[string]any{{"a": 1}, {"a": nil}, nil}, "[{'a': 1::BIGINT}, {'a': NULL}, NULL]"},
		{map[string]int{"b": 2, "a": 1}, "MAP {'a': 1::BIGINT, 'b': 2}"}, {map[int]*float64{1: nil}, "MAP {1::BIGINT: NULL}"},
		{map[string]map[string][]int8{"a": {"b": {1}}}, "MAP {'a': MAP {'b': [1]::TINYINT[]}}"}, {duckdb.Map{"k": 1.5}, "MAP {'k': 1.5::DOUBLE}"},
		{[]time.Time{time.Unix(1, 5000).UTC()}, "['1970-01-01 00:00:01.000005+00'::TIMESTAMPTZ]"}, {[]duckdb.Interval{{Days: 2}}, "[INTERVAL 2 DAY]"},
		{[]*big.Int{big.NewInt(-5), new(big.Int).Lsh(big.NewInt(1), 100)}, "[-5, 1267650600228229401496703205376]::HUGEINT[]"},
		{duckdb.Decimal{Width: 5, Scale: 2, Value: big.NewInt(-12345)}, "-123.45::DECIMAL(5,2)"}, {[]duckdb.Decimal{{Width: 38, Scale: 0, Value: big.NewInt(9)}}, "[9]::DECIMAL(38,0)[]"},
		{duckdb.UUID{0x12, 15: 0x34}, "'12000000-0000-0000-0000-000000000034'::UUID"}, {[]duckdb.UUID{{0xff, 1: 1}}, "['ff010000-0000-0000-0000-000000000000'::UUID]"},
		{list{1, 2}, "'[1 2]'"}, {[]any{valuer{"x"}, valuer{nil}}, "['x', NULL]"}, {[]valuer{{int64(3)}}, "[3]::BIGINT[]"}, {[]time.Duration{time.Second}, "[1000000000]::BIGINT[]"},
	} {
		for _, via := range []string{"?", "(SELECT ?)", "list_value(?)[1]"} {
			row, err := bound(t, db, "SELECT typeof(v), v::VARCHAR FROM (SELECT "+via+" AS v)", c.give)
			if err != nil {
				t.Errorf("%s of %T %v: %v", via, c.give, c.give, err)
				continue
			}
			var typ string
			var val *string
			if err := db.QueryRow("SELECT typeof(v), v::VARCHAR FROM (SELECT "+c.want+" AS v)").Scan(&typ, &val); err != nil {
				t.Fatal(err)
			}
			want := []driver.Value{typ, nil}
			if val != nil {
				want[1] = *val
			}
			if !reflect.DeepEqual(row, want) {
				t.Errorf("%s of %T %v: %v, want %v", via, c.give, c.give, row, want)
			}
		}
	}
}

// TestBindTyped: DuckDB casts a parameter to the type that its place has.
func TestBindTyped(t *testing.T) {
	db := open(t)
	for _, c := range []struct {
		query string
		give  any
		want  string
	}{
		{"SELECT ?::DOUBLE[]", []float32{1, 2}, "[1.0, 2.0]"}, {"SELECT ?::FLOAT[2]", []int{1, 2}, "[1.0, 2.0]"}, {"SELECT ?::DOUBLE[]", [2]int8{1, 2}, "[1.0, 2.0]"},
		{"SELECT list_cosine_similarity(?, [1.0, 0.0]::DOUBLE[])", []float32{1, 0}, "1.0"}, {"SELECT list_cosine_similarity(?, [1.0, 0.0]::FLOAT[])", []int{1, 0}, "1.0"},
		{"SELECT ?::STRUCT(a INT, b VARCHAR)", map[string]any{"B": "x"}, "{'a': NULL, 'b': x}"}, {"SELECT ?::MAP(VARCHAR, INT)", map[string]any{"x": int8(1)}, "{x=1}"},
		{"SELECT ?::VARCHAR[]", []any{nil, "a"}, "[NULL, a]"}, {"SELECT 'a' IN (SELECT unnest(?::VARCHAR[]))", []string{"a"}, "true"},
		{"SELECT ?::DATE", time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC), "2020-02-03"}, {"SELECT ?::DECIMAL(9,2)", duckdb.Decimal{Width: 3, Scale: 1, Value: big.NewInt(15)}, "1.50"},
	} {
		row, err := bound(t, db, "SELECT v::VARCHAR FROM ("+c.query+" AS v)", c.give)
		if err != nil || row[0] != c.want {
			t.Errorf("%s of %T: %v %v, want %s", c.query, c.give, row, err, c.want)
		}
	}
}

// TestNotBound: what cannot be a parameter is an error that says why, and the process lives.
func TestNotBound(t *testing.T) {
	db := open(t)
	cycle := make([]any, 1)
	cycle[0] = cycle
	var itself any
	itself = &itself
	type chain *chain
	var loop chain
	loop = &loop
	for want, give := range map[string][]any{
		"not valid UTF-8 at its byte 4": {"caf\xe9", []string{"ok", "caf\xe9"}, []any{[]text{"caf\xe9"}}, map[string]any{"caf\xe9": 1}, map[string]string{"caf\xe9": "x"},
			[1]string{"caf\xe9"}, pointer("caf\xe9"), []valuer{{"caf\xe9"}}, map[int][]map[string]any{1: {{"a": "caf\xe9"}}}},
		"parameter 1: the value is nested too deeply": {cycle, itself, loop}, "have one type": {[]any{1, "a"}, []any{[]int{1}, 2}, []any{true, 1}, []any{map[string]any{"a": 1}, map[string]any{"b": 1}}},
		"without fields": {map[string]any{}}, "needs a name": {map[string]any{"": 1}, map[string]any{"a\x00b": 1}}, "does not tell case apart": {map[string]any{"a": 1, "A": 2}},
		"key of a map cannot be NULL": {map[any]int{nil: 1}}, "stands in the map twice": {map[any]int{int8(1): 1, int64(1): 2}, map[any]int{math.NaN(): 1, -math.NaN(): 2}},
		"cannot be a parameter": {[]chan int{make(chan int)}, []func(){func() {}}, []complex128{1}, []named{{1}}, map[string]named{"a": {}}, named{}, make(chan int), complex64(1)},
		"would lose digits":     {[]any{int64(math.MaxInt64), 1.5}}, "too large for a HUGEINT": {[]*big.Int{new(big.Int).Lsh(big.NewInt(1), 127)}},
		"digits of its DECIMAL": {duckdb.Decimal{Width: 2, Scale: 0, Value: big.NewInt(100)}}, "is none": {duckdb.Decimal{}, duckdb.Decimal{Width: 50, Value: big.NewInt(1)}},
		"beyond a TIMESTAMP": {[]time.Time{time.Date(1e6, 1, 1, 0, 0, 0, 0, time.UTC)}}, "cannot stand inside": {[]duckdb.Union{{}}, []duckdb.TypedValue{{}}},
	} {
		for _, v := range give {
			if _, err := bound(t, db, "SELECT ?", v); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%T: %v, want an error with %q", v, err, want)
			}
		}
	}
	if _, err := bound(t, db, "SELECT ?::STRUCT(a INT)", map[string]any{"a": 1, "z": 2}); err == nil || !strings.Contains(err.Error(), "no z") {
		t.Errorf("a field too many: %v", err)
	}
}

// TestBindNames: a named argument is the value of the parameter of its name, whatever stands where, and of no other.
func TestBindNames(t *testing.T) {
	db := open(t)
	for _, c := range []struct {
		query string
		give  []any
		want  string // the value, or a part of the error
	}{
		{"SELECT $a - $b", []any{sql.Named("b", 1), sql.Named("a", 5)}, "4"}, {"SELECT $A - $b", []any{sql.Named("B", 1), sql.Named("a", 5)}, "4"},
		{"SELECT $a || $b", []any{sql.Named("b", []int{1}), sql.Named("a", []int{5})}, "[5, 1]"}, {"SELECT $a", []any{sql.Named("x", 1), sql.Named("a", 5)}, "5"},
		{"SELECT $a - $b", []any{5, 1}, "4"}, {"SELECT $2 - $1", []any{1, 5}, "4"}, {"SELECT ?", []any{sql.Named("a", 4)}, "4"},
		{"SELECT $a", []any{sql.Named("b", 1)}, "parameter $a has no value"}, {"SELECT $a, $b", []any{sql.Named("b", 1), sql.Named("c", 2)}, "$a has no value"},
		{"SELECT $a, $b", []any{sql.Named("a", 1), sql.Named("c", 2)}, "$b has no value"}, {"SELECT $b", []any{sql.Named("a", []int{1})}, "$b has no value"},
		{"SELECT $a", []any{sql.Named("a", 1), sql.Named("A", 2)}, "two arguments are called A"}, {"SELECT $a, $b", []any{1}, "$b has no value"}, {"SELECT ?", nil, "$1 has no value"},
	} {
		row, err := bound(t, db, "SELECT v::VARCHAR FROM ("+c.query+" AS v)", c.give...)
		if err == nil && row[0] != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %v: %v, %v, want %s", c.query, c.give, row, err, c.want)
		}
	}
}

// TestBindKinds nests every kind three deep, with NULL in each place: it binds, or the error has a text.
func TestBindKinds(t *testing.T) {
	db := open(t)
	leaves := []any{
		true, 1, int8(1), int16(1), int32(1), int64(1), uint(1), uint8(1), uint16(1), uint32(1), uint64(1), uintptr(1), float32(1.5), 1.5, "x", []byte("x"),
		text("x"), number(1), time.Unix(0, 0), big.NewInt(1), complex(1, 1), named{}, pointer(1), pointer(pointer("x")), valuer{"x"}, struct{}{}, any(nil),
		duckdb.Interval{}, duckdb.UUID{}, duckdb.Bit{}, duckdb.Decimal{}, duckdb.Union{}, duckdb.Map{}, duckdb.OrderedMap{}, math.NaN(), math.Inf(1),
	}
	wrap := func(v any) []any {
		all := []any{v, []any{v}, []any{nil, v}, []any{v, nil}, map[string]any{"a": v, "b": nil}, map[int]any{1: v, 2: nil}, duckdb.Map{"k": v}, pointer(v), [2]any{v, nil}}
		if r := reflect.ValueOf(v); r.IsValid() {
			s := reflect.MakeSlice(reflect.SliceOf(r.Type()), 2, 2)
			s.Index(1).Set(r)
			a := reflect.New(reflect.ArrayOf(2, r.Type())).Elem()
			a.Index(0).Set(r)
			all = append(all, s.Interface(), a.Interface())
		}
		return all
	}
	places := []string{"SELECT ?", "SELECT ?::VARCHAR", "SELECT list_cosine_similarity(?, [1.0])", "SELECT unnest(?)", "SELECT ?::STRUCT(a INT, b INT)", "SELECT ?::INT[][]", "SELECT ?::JSON"}
	tried, failed := 0, 0
	random := rand.New(rand.NewPCG(1, 2))
	try := func(v any) {
		tried++
		place := places[random.IntN(len(places))]
		if _, err := bound(t, db, place, v); err != nil {
			failed++
			if text := err.Error(); strings.TrimSpace(text) == "" || strings.Contains(text, "INTERNAL") || strings.Contains(text, "duckdb-go cannot bind") {
				t.Errorf("%s with %T %v: %q", place, v, v, text)
			}
		}
	}
	for _, leaf := range leaves {
		for _, one := range wrap(leaf) {
			try(one)
			deep := wrap(one)
			for range 3 { // of some hundred
				try(wrap(deep[random.IntN(len(deep))])[random.IntN(9)])
			}
		}
	}
	t.Logf("%d values, %d refused in words", tried, failed)
}
