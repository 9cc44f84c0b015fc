package duckfmt_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/duckfmt"
)

// values are SQL expressions. DuckDB's own cast to VARCHAR says what is right.
var values = []string{
	"NULL", "true", "1::TINYINT", "(-128)::TINYINT", "65535::USMALLINT", "18446744073709551615::UBIGINT", "(-9223372036854775808)::BIGINT",
	"'170141183460469231731687303715884105727'::HUGEINT", "'-170141183460469231731687303715884105728'::HUGEINT",
	"'340282366920938463463374607431768211455'::UHUGEINT", "'123456789012345678901234567890'::BIGNUM", "(-5)::BIGNUM",
	"1e15::DOUBLE", "1e16::DOUBLE", "123456789012345678::DOUBLE", "1e20::DOUBLE", "1e21::DOUBLE", "1e-4::DOUBLE", "1e-5::DOUBLE",
	"'-0.0'::DOUBLE", "0::DOUBLE", "100::DOUBLE", "5e-324::DOUBLE", "1.7976931348623157e308::DOUBLE", "0.1::DOUBLE", "0.1::DOUBLE + 0.2::DOUBLE",
	"'nan'::DOUBLE", "'inf'::DOUBLE", "'-inf'::FLOAT", "1e15::FLOAT", "1e16::FLOAT", "16777216::FLOAT", "123456789::FLOAT", "0.1::FLOAT",
	"3.4e38::FLOAT", "1e-45::FLOAT", "9999999999999998::DOUBLE", "0.00012345::FLOAT", "123456.789::FLOAT",
	"0::DECIMAL(5,2)", "(-0.05)::DECIMAL(5,2)", "1.50::DECIMAL(5,2)", "1::DECIMAL(5,0)", "12345678901234567890.123456789::DECIMAL(38,9)", "(-1.5)::DECIMAL(38,37)",
	"0.1::DECIMAL(1,1)", "0::DECIMAL(2,2)",
	"''", "'it''s'", "'日本語'", "e'a\\nb'",
	`'\xAA\x00abc'::BLOB`, `'\x22\x27\x5C~'::BLOB`, "''::BLOB", "'101010'::BIT", "'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'::UUID",
	"DATE '2020-02-29'", "'0044-03-15 (BC)'::DATE", "'12345-01-01'::DATE", "'infinity'::DATE", "'-infinity'::DATE",
	"TIME '01:02:03'", "TIME '01:02:03.000001'", "TIMETZ '01:02:03.4+02:30'", "TIMETZ '01:02:03-08'",
	"TIMESTAMP '2020-01-01 01:02:03.120'", "'0044-03-15 (BC) 01:00:00'::TIMESTAMP", "'infinity'::TIMESTAMP", "'-infinity'::TIMESTAMP",
	"TIMESTAMP_NS '2020-01-01 00:00:00.123456789'", "TIMESTAMP_S '2020-01-01 00:00:01'", "TIMESTAMP_MS '2020-01-01 00:00:01.5'",
	"TIMESTAMPTZ '2020-01-01 00:00:00+00'", "'infinity'::TIMESTAMPTZ", "'infinity'::TIMESTAMP_NS",
	"INTERVAL '-1 year -2 months -3 days -01:02:03.5'", "INTERVAL '0 days'", "INTERVAL '14 months'", "INTERVAL '100 hours'", "INTERVAL '-0.5 seconds'",
	"INTERVAL '30 days 1 microsecond'", "INTERVAL '1 year 1 day'",
	"[1, NULL, 3]", "[]", "[[1], [2, NULL], NULL]", "array_value(1.5::FLOAT, 2)", "[0.1::DOUBLE, 1]",
	"[' a', 'a ', 'null', 'NULL', 'a b', '', 'it''s', 'nulls', NULL, e'\\ta', 'é ']", `['b\s', 'b\,s', '"', '''']`,
	"['(', ')', ',', ':', '=', '[', ']', '{', '}', '\\', '/', ';', '<', '|', '#', '-']",
	"{'a': 1, 'b': 'x y'}", `{'it''s': 1, 'b\c': 'x', 'Z': NULL, 'a': [{'c': 1}]}`, "{'a': NULL}",
	"MAP {'a b': 1, '': 2, 'c,d': 3, 'n=': 4}", "MAP {1: [1, 2]}", "MAP {}", "MAP {DATE '2020-01-01': {'x': 1}}",
	"union_value(k := 'a,b')", "[union_value(k := 1)]",
	"{'a': DATE '2020-01-01', 't': TIMESTAMP '2020-01-01 01:02:03.5', 'b': '\\xAA''x'::BLOB, 'i': INTERVAL '1 day 01:02:03', 'ti': TIME '01:02:03'}",
	"{'d': 1.50::DECIMAL(5,2), 'e': 'x y'::ENUM('x y'), 'f': 'NaN'::FLOAT, 'u': 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'::UUID}",
	"{'j': '{\"a\":1}'::JSON}",
	"'{\"a\":[1,null,\"x\"]}'::JSON", "'[1.5]'::JSON", "'\"str\"'::JSON", "'x y'::ENUM('x y')",
}

func open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("SET TimeZone = 'UTC'"); err != nil {
		t.Log(err) // without ICU, DuckDB writes UTC anyway
	}
	return db
}

func scan(t testing.TB, db *sql.DB, query string) (v any, typ *duckfmt.Type, text string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	if typ, err = duckfmt.ParseType(types[0].DatabaseTypeName()); err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var want sql.NullString
		if err := rows.Scan(&v, &want); err != nil {
			t.Fatal(err)
		}
		text = want.String
		if !want.Valid {
			text = "NULL"
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return v, typ, text
}

func TestText(t *testing.T) {
	db := open(t)
	for _, give := range values {
		v, typ, want := scan(t, db, "SELECT "+give+" AS x, CAST(x AS VARCHAR)")
		if got := typ.Text(v); got != want {
			t.Errorf("%s (%s, %T): got %q, want %q", give, typ, v, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	db := open(t)
	for _, tt := range []struct{ give, want string }{
		{"NULL", `null`},
		{"true", `true`},
		// What DuckDB's shell writes.
		{"1e16::DOUBLE", `10000000000000000.0`},
		{"1e21::DOUBLE", `1e21`},
		{"1e-7::DOUBLE", `1e-7`},
		{"0.1::FLOAT", `0.10000000149011612`},
		{"'nan'::DOUBLE", `NaN`},
		{"['inf'::FLOAT, '-inf'::FLOAT, NULL, 1]", `[Infinity,-Infinity,null,1.0]`},
		{"1.50::DECIMAL(5,2)", `"1.50"`},
		{"[1.50::DECIMAL(5,2)]", `[1.5]`},
		{"[1.50::DECIMAL(30,2)]", `[1.50]`},
		{"12345678901234567890123::HUGEINT", `"12345678901234567890123"`},
		{"[12345678901234567890123::HUGEINT]", `[12345678901234567890123]`},
		{"e'a\\nb\\\\ \\t\"\\x01é<'", `"a\nb\\ \t\"\u0001é<"`},
		{"DATE '2020-01-01'", `"2020-01-01"`},
		{"[DATE '2020-01-01']", `["2020-01-01"]`},
		{`'\xAA'::BLOB`, `"\\xAA"`},
		{"{'z': 1, 'a': ['x', NULL], 'q\"': {'b': 1}}", `{"z":1,"a":["x",null],"q\"":{"b":1}}`},
		{"MAP {1: 'a', 2: NULL}", `{"1":"a","2":null}`},
		{"union_value(k := 1)", `{"k":1}`},
		{"'{\"a\":[1,null,\"<x>\"]}'::JSON", `{"a":[1,null,"<x>"]}`},
		{"['{\"a\":1}'::JSON]", `[{"a":1}]`},
		{"INTERVAL '1 day'", `"1 day"`},
	} {
		v, typ, _ := scan(t, db, "SELECT "+tt.give+" AS x, NULL")
		if got := typ.JSON(v); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.give, got, tt.want)
		}
	}
	for _, give := range values {
		v, typ, _ := scan(t, db, "SELECT "+give+" AS x, NULL")
		if got := typ.JSON(v); !json.Valid([]byte(got)) && !strings.Contains(got, "NaN") && !strings.Contains(got, "Infinity") {
			t.Errorf("%s: not JSON: %s", give, got)
		}
	}
}

func TestParseType(t *testing.T) {
	for _, tt := range []struct{ give, want string }{
		{"double", "DOUBLE"},
		{"int[][3]", "INTEGER[][3]"},
		{`STRUCT("a" INTEGER, "b c" DOUBLE[], D "X")`, ""},
		{`STRUCT("a" INTEGER, "b c" DOUBLE[], "q""" map(text, int))`, `STRUCT(a INTEGER, "b c" DOUBLE[], "q""" MAP(VARCHAR, INTEGER))`},
		{"decimal(10, 2)", "DECIMAL(10,2)"},
		{"numeric", "DECIMAL(18,3)"},
		{"Timestamp with time zone", "TIMESTAMPTZ"},
		{"UNION(num INTEGER, str VARCHAR)[]", "UNION(num INTEGER, str VARCHAR)[]"},
		{"ENUM('a', 'b')", "ENUM"},
		{"DOUBLE[", ""},
		{"MAP(INT)", ""},
		{"", ""},
		{"STRUCT(a)", ""},
		{"INT INT", ""},
	} {
		typ, err := duckfmt.ParseType(tt.give)
		got := ""
		if err == nil {
			got = typ.String()
		}
		if got != tt.want {
			t.Errorf("%s: got %q (%v), want %q", tt.give, got, err, tt.want)
		}
	}
}

func FuzzParseType(f *testing.F) {
	for _, s := range []string{"DOUBLE[]", `STRUCT("a" INTEGER, b MAP(VARCHAR, DECIMAL(3,1))[2])`, "UNION(a INT)", "TIMESTAMP WITH TIME ZONE"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		typ, err := duckfmt.ParseType(s)
		if err != nil {
			return
		}
		again, err := duckfmt.ParseType(typ.String())
		if err != nil || again.String() != typ.String() {
			t.Fatalf("%q reads as %q, which reads as %v (%v)", s, typ, again, err)
		}
	})
}

func FuzzJSONString(f *testing.F) {
	f.Add("a\"\\\x00\xff\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		got := duckfmt.AppendJSONString(nil, s)
		var back string
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		if want := string(bytes.ToValidUTF8([]byte(s), nil)); bytes.Equal([]byte(want), []byte(s)) && back != s {
			t.Fatalf("got %q, want %q", back, s)
		}
	})
}
