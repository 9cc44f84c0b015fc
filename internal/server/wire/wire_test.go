package wire_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	bigquery "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/installed/installedtest"
	"github.com/mallardml/mallard/internal/server/wire"
)

func mustType(t testing.TB, s string) googlesql.Type {
	t.Helper()
	of, err := googlesql.ParseType(s)
	if err != nil {
		t.Fatal(err)
	}
	return of
}

// TestSchemas: names and modes of types as BigQuery gives them, and back.
func TestSchemas(t *testing.T) {
	columns, err := googlesql.ParseColumns("a INT64, b FLOAT64, c BOOL, d STRUCT<x STRING, y ARRAY<STRUCT<z DATE>>>, e ARRAY<NUMERIC>, f BIGNUMERIC, " +
		"g BYTES, h DATETIME, i TIME, j TIMESTAMP, k INTERVAL, l JSON, m STRING")
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(wire.Schema(columns))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"fields":[{"mode":"NULLABLE","name":"a","type":"INTEGER"},{"mode":"NULLABLE","name":"b","type":"FLOAT"},` +
		`{"mode":"NULLABLE","name":"c","type":"BOOLEAN"},{"fields":[{"mode":"NULLABLE","name":"x","type":"STRING"},` +
		`{"fields":[{"mode":"NULLABLE","name":"z","type":"DATE"}],"mode":"REPEATED","name":"y","type":"RECORD"}],"mode":"NULLABLE","name":"d","type":"RECORD"},` +
		`{"mode":"REPEATED","name":"e","type":"NUMERIC"},{"mode":"NULLABLE","name":"f","type":"BIGNUMERIC"},{"mode":"NULLABLE","name":"g","type":"BYTES"},` +
		`{"mode":"NULLABLE","name":"h","type":"DATETIME"},{"mode":"NULLABLE","name":"i","type":"TIME"},{"mode":"NULLABLE","name":"j","type":"TIMESTAMP"},` +
		`{"mode":"NULLABLE","name":"k","type":"INTERVAL"},{"mode":"NULLABLE","name":"l","type":"JSON"},{"mode":"NULLABLE","name":"m","type":"STRING"}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	back, err := wire.Columns(wire.Schema(columns).Fields)
	if err != nil || !googlesql.StructOf(back...).Equal(googlesql.StructOf(columns...)) {
		t.Errorf("%v, %v", back, err)
	}
	if empty, _ := json.Marshal(wire.Schema(nil)); string(empty) != `{"fields":[]}` {
		t.Errorf("%s", empty)
	}
}

// TestDeclare: what tables.insert sends becomes a column of CREATE TABLE.
func TestDeclare(t *testing.T) {
	for _, tt := range []struct{ give, want string }{
		{`{"name":"a","type":"INT64"}`, "INT64"},
		{`{"name":"a","type":"integer","mode":"required"}`, "INT64 NOT NULL"},
		{`{"name":"a","type":"STRING","mode":"REPEATED","maxLength":"5"}`, "ARRAY<STRING(5)>"},
		{`{"name":"a","type":"NUMERIC","precision":"10","scale":"2"}`, "NUMERIC(10, 2)"},
		{`{"name":"a","type":"BIGNUMERIC","precision":"10"}`, "BIGNUMERIC(10)"},
		{`{"name":"a","type":"RECORD","mode":"REPEATED","fields":[{"name":"order","type":"FLOAT"},{"name":"b","type":"BOOLEAN","mode":"REPEATED"}]}`,
			"ARRAY<STRUCT<`order` FLOAT64, b ARRAY<BOOL>>>"},
		{`{"name":"a","type":"GEOGRAPHY"}`, "! a: The type GEOGRAPHY is not supported here: DuckDB has no counterpart of it"},
		{`{"name":"a","type":"RANGE","rangeElementType":{"type":"DATE"}}`, "RANGE<DATE>"},
		{`{"name":"a","type":"RANGE","rangeElementType":{"type":"INT64"}}`, "! a: The rangeElementType of a RANGE is DATE, DATETIME or TIMESTAMP"},
		{`{"name":"a","type":"INT65"}`, "! a: Invalid value for type: INT65 is not a valid value"},
		{`{"name":"a","type":"INT64","mode":"MAYBE"}`, "! a: Invalid value for mode: MAYBE is not a valid value"},
		{`{"name":"a","type":"RECORD"}`, "! a: The RECORD has no fields"},
		{`{"name":"a","type":"RECORD","fields":[{"name":"b","type":"INT64"},{"name":"B","type":"INT64"}]}`, "! a: Duplicate field name: B"},
	} {
		f := &bigquery.TableFieldSchema{}
		if err := json.Unmarshal([]byte(tt.give), f); err != nil {
			t.Fatal(err)
		}
		got, err := wire.Declare(f)
		if err != nil {
			got = "! " + err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.give, got, tt.want)
		}
	}
	for duckdb, want := range map[string]string{
		"DECIMAL(10,2)": `{"mode":"NULLABLE","name":"x","precision":"10","scale":"2","type":"NUMERIC"}`,
		"DECIMAL(38,9)": `{"mode":"NULLABLE","name":"x","type":"NUMERIC"}`, "DECIMAL(38,18)[]": `{"mode":"REPEATED","name":"x","type":"BIGNUMERIC"}`,
		"TIMESTAMPTZ": `{"mode":"NULLABLE","name":"x","type":"TIMESTAMP"}`, "TIMESTAMP": `{"mode":"NULLABLE","name":"x","type":"DATETIME"}`,
		`STRUCT("a" DECIMAL(5,1))`: `{"fields":[{"mode":"NULLABLE","name":"a","precision":"5","scale":"1","type":"NUMERIC"}],"mode":"NULLABLE","name":"x","type":"RECORD"}`,
	} {
		f, err := wire.Declared("x", duckdb)
		got, _ := json.Marshal(f)
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want %s", duckdb, got, err, want)
		}
	}
}

// TestRange: https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-types#range_type
func TestRange(t *testing.T) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT {'_range_start': DATE '2024-01-01', '_range_end': 'infinity'::DATE} AS r, " +
		"{'_range_start': '-infinity'::TIMESTAMPTZ, '_range_end': TIMESTAMPTZ '2024-01-01 12:00:00+00'} AS s")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	columns, err := wire.ColumnsOf(types)
	if err != nil || columns[0].Type.String() != "RANGE<DATE>" || columns[1].Type.String() != "RANGE<TIMESTAMP>" {
		t.Fatal(columns, err)
	}
	var values [2]any
	if !rows.Next() || rows.Scan(&values[0], &values[1]) != nil {
		t.Fatal(rows.Err())
	}
	e := wire.Encoder{Columns: columns, Timestamps: wire.Int64Micros}
	got, err := e.AppendRow(nil, values[:])
	want := `{"f":[{"v":"[2024-01-01, UNBOUNDED)"},{"v":"[UNBOUNDED, 1704110400000000)"}]}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

// values are texts of values in BigQuery's documentation of its types, and what the API gives of them.
var values = []struct{ of, give, want string }{
	{"BOOL", `"true"`, `"true"`}, {"BOOL", `"FALSE"`, `"false"`}, {"BOOL", `false`, `"false"`},
	{"INT64", `"9223372036854775807"`, `"9223372036854775807"`}, {"INT64", `"-9223372036854775808"`, `"-9223372036854775808"`}, {"INT64", `5`, `"5"`},
	{"FLOAT64", `"1"`, `"1.0"`}, {"FLOAT64", `"3.14"`, `"3.14"`}, {"FLOAT64", `"NaN"`, `"NaN"`}, {"FLOAT64", `"-inf"`, `"-Infinity"`},
	{"FLOAT64", `"Infinity"`, `"Infinity"`}, {"FLOAT64", `"+inf"`, `"Infinity"`}, {"FLOAT64", `"1e20"`, `"1.0E20"`}, {"FLOAT64", `"1e-7"`, `"1.0E-7"`},
	{"FLOAT64", `"0.1"`, `"0.1"`}, {"FLOAT64", `"5e-324"`, `"5.0E-324"`}, {"FLOAT64", `"-0.0"`, `"-0.0"`},
	{"NUMERIC", `"99999999999999999999999999999.999999999"`, `"99999999999999999999999999999.999999999"`}, {"NUMERIC", `"-1.50"`, `"-1.5"`},
	{"NUMERIC", `"1e3"`, `"1000"`}, {"NUMERIC", `".5"`, `"0.5"`}, {"NUMERIC", `"-0"`, `"0"`}, {"NUMERIC", `"0.000000001"`, `"0.000000001"`},
	{"NUMERIC", `"1230e-1"`, `"123"`}, {"NUMERIC", `"1.0000000000"`, `"1"`},
	{"BIGNUMERIC", `"12345678901234567890.123456789012345678"`, `"12345678901234567890.123456789012345678"`},
	{"STRING", `""`, `""`}, {"STRING", `"é\n\"\\ \u0000"`, `"é\n\"\\ \u0000"`}, {"STRING", `"<b>&</b>"`, `"<b>&</b>"`},
	{"BYTES", `"3q2+7w=="`, `"3q2+7w=="`}, {"BYTES", `""`, `""`}, {"BYTES", `"_-8="`, `"/+8="`},
	{"DATE", `"2014-09-27"`, `"2014-09-27"`}, {"DATE", `"2014-9-7"`, `"2014-09-07"`}, {"DATE", `"0001-01-01"`, `"0001-01-01"`}, {"DATE", `"9999-12-31"`, `"9999-12-31"`},
	{"DATETIME", `"2014-09-27T12:30:00.45"`, `"2014-09-27T12:30:00.450000"`}, {"DATETIME", `"2014-09-27"`, `"2014-09-27T00:00:00"`},
	{"DATETIME", `"0001-01-01 00:00:00"`, `"0001-01-01T00:00:00"`}, {"DATETIME", `"9999-12-31 23:59:59.999999"`, `"9999-12-31T23:59:59.999999"`},
	{"TIME", `"12:30:00.45"`, `"12:30:00.450000"`}, {"TIME", `"00:00:00"`, `"00:00:00"`}, {"TIME", `"23:59:59.999999"`, `"23:59:59.999999"`},
	{"TIMESTAMP", `"2014-09-27 12:30:00.45-08"`, `"1411849800450000"`}, {"TIMESTAMP", `"2014-09-27"`, `"1411776000000000"`},
	{"TIMESTAMP", `"2014-09-27 12:30:00 America/Los_Angeles"`, `"1411846200000000"`}, {"TIMESTAMP", `"2014-09-27T12:30:00.45Z"`, `"1411821000450000"`},
	{"TIMESTAMP", `"2014-09-27-08:00"`, `"1411804800000000"`}, {"TIMESTAMP", `"1970-01-01 00:00:00 UTC"`, `"0"`},
	{"TIMESTAMP", `"0001-01-01 00:00:00+00"`, `"-62135596800000000"`}, {"TIMESTAMP", `"9999-12-31 23:59:59.999999+00:00"`, `"253402300799999999"`},
	{"INTERVAL", `"1-2 3 4:5:6.789"`, `"1-2 3 4:5:6.789"`}, {"INTERVAL", `"-1-2 -3 -4:5:6"`, `"-1-2 -3 -4:5:6"`}, {"INTERVAL", `"0-0 0 0:0:0"`, `"0-0 0 0:0:0"`},
	{"INTERVAL", `"10000-0 3660000 87840000:0:0"`, `"10000-0 3660000 87840000:0:0"`},
	{"JSON", `"{\"b\": 1.10, \"a\": [null]}"`, `"{\"b\": 1.10, \"a\": [null]}"`}, {"JSON", `"null"`, `"null"`},
}

// parameterOf gives a parameter's JSON of a type whose value is a scalar's.
func parameterOf(t googlesql.Type, value string) string {
	switch t.Kind {
	case googlesql.Array:
		return `{"arrayValues":[` + parameterOf(*t.Elem, value) + `]}`
	case googlesql.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = fmt.Sprintf("%q:%s", f.Name, parameterOf(f.Type, value))
		}
		return `{"structValues":{` + strings.Join(parts, ",") + `}}`
	}
	return `{"value":` + value + `}`
}

func typeJSON(t googlesql.Type) string {
	switch t.Kind {
	case googlesql.Array:
		return `{"type":"ARRAY","arrayType":` + typeJSON(*t.Elem) + `}`
	case googlesql.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = fmt.Sprintf(`{"name":%q,"type":%s}`, f.Name, typeJSON(f.Type))
		}
		return `{"type":"STRUCT","structTypes":[` + strings.Join(parts, ",") + `]}`
	}
	return `{"type":"` + t.Kind.String() + `"}`
}

func cellOf(t googlesql.Type, value string) string {
	switch t.Kind {
	case googlesql.Array:
		return `{"v":[` + cellOf(*t.Elem, value) + `]}`
	case googlesql.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = cellOf(f.Type, value)
		}
		return `{"v":{"f":[` + strings.Join(parts, ",") + `]}}`
	}
	return `{"v":` + value + `}`
}

func open(t testing.TB) *sql.DB {
	t.Helper()
	installedtest.Need(t)
	c, err := mallard.NewConnector("", mallard.Options{Dialect: mallard.GoogleSQL})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() {
		if err := errors.Join(db.Close(), c.Close()); err != nil {
			t.Error(err)
		}
	})
	return db
}

// ask sends parameters to a database and gives the first row of the answer, in BigQuery's JSON.
func ask(t testing.TB, db *sql.DB, query, mode, parameters string) (columns []googlesql.Field, row string) {
	t.Helper()
	var given []wire.QueryParameter
	if err := json.Unmarshal([]byte(parameters), &given); err != nil {
		t.Fatal(parameters, err)
	}
	args, err := wire.Parameters(mode, given)
	if err != nil {
		t.Fatalf("%s: %v", parameters, err)
	}
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s of %s: %v", query, parameters, err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	if columns, err = wire.ColumnsOf(types); err != nil {
		t.Fatal(err)
	}
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	if err := rows.Scan(into...); err != nil {
		t.Fatal(err)
	}
	e := wire.Encoder{Columns: columns, Timestamps: wire.Int64Micros}
	b, err := e.AppendRow(nil, values)
	if err != nil {
		t.Fatalf("%s of %s: %v", query, parameters, err)
	}
	if !json.Valid(b) {
		t.Fatalf("%s is no JSON", b)
	}
	return columns, string(b)
}

// TestThroughDatabase: parameters of every type, alone, in ARRAY and STRUCT, named and by position, come back as they went in,
// and have their type.
func TestThroughDatabase(t *testing.T) {
	db := open(t)
	for _, v := range values {
		for _, form := range []string{"%s", "ARRAY<%s>", "STRUCT<b %s, a ARRAY<%[1]s>>", "ARRAY<STRUCT<x %s, y STRUCT<z %[1]s>>>"} {
			of := mustType(t, fmt.Sprintf(form, v.of))
			value := v.give
			if v.of == "INTERVAL" && strings.Contains(v.give, "10000-0") && of.Kind != googlesql.Interval {
				continue
			}
			parameter := fmt.Sprintf(`"parameterType":%s,"parameterValue":%s`, typeJSON(of), parameterOf(of, value))
			columns, row := ask(t, db, "SELECT @p AS p", "NAMED", `[{"name":"p",`+parameter+`}]`)
			if want := `{"f":[` + cellOf(of, v.want) + `]}`; row != want || !columns[0].Type.Equal(of) {
				t.Errorf("%s %s: %s of %s, want %s", of, v.give, row, columns[0].Type, want)
			}
			if form == "%s" {
				if _, row := ask(t, db, "SELECT ? AS p", "POSITIONAL", `[{`+parameter+`}]`); row != `{"f":[`+cellOf(of, v.want)+`]}` {
					t.Errorf("%s %s by position: %s", of, v.give, row)
				}
			}
		}
	}
	for _, of := range []string{"BOOL", "INT64", "FLOAT64", "NUMERIC", "BIGNUMERIC", "STRING", "BYTES", "DATE", "DATETIME", "TIME", "TIMESTAMP", "INTERVAL", "JSON",
		"STRUCT<a INT64>"} {
		of := mustType(t, of)
		for _, value := range []string{`null`, `{}`, `{"value":null}`} {
			columns, row := ask(t, db, "SELECT @p", "", `[{"name":"p","parameterType":`+typeJSON(of)+`,"parameterValue":`+value+`}]`)
			if row != `{"f":[{"v":null}]}` || !columns[0].Type.Equal(of) {
				t.Errorf("NULL of %s: %s of %s", of, row, columns[0].Type)
			}
		}
		if of.Kind != googlesql.Struct {
			of = googlesql.ArrayOf(of)
			columns, row := ask(t, db, "SELECT @p", "", `[{"name":"p","parameterType":`+typeJSON(of)+`,"parameterValue":{"arrayValues":[]}}]`)
			if row != `{"f":[{"v":[]}]}` || !columns[0].Type.Equal(of) {
				t.Errorf("empty %s: %s of %s", of, row, columns[0].Type)
			}
		}
	}
	_, row := ask(t, db, "SELECT x, y FROM (SELECT ? AS y, ? AS x)", "POSITIONAL",
		`[{"parameterType":{"type":"DATE"},"parameterValue":{"value":"2020-01-01"}},{"parameterType":{"type":"INT64"},"parameterValue":{}}]`)
	if row != `{"f":[{"v":null},{"v":"2020-01-01"}]}` {
		t.Error(row)
	}
}

// TestRowsOfDuckDB: results whose DuckDB types have no name of their own in GoogleSQL.
func TestRowsOfDuckDB(t *testing.T) {
	c, err := mallard.NewConnector("", mallard.Options{Dialect: mallard.DuckDB})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	db := sql.OpenDB(c)
	defer db.Close()
	for _, tt := range []struct{ give, schema, row string }{
		{"SELECT map {'a': 1, 'b': NULL}", "ARRAY<STRUCT<key STRING, value INT64>>", `{"v":[{"v":{"f":[{"v":"a"},{"v":"1"}]}},{"v":{"f":[{"v":"b"},{"v":null}]}}]}`},
		{"SELECT 170141183460469231731687303715884105727::HUGEINT", "BIGNUMERIC", `{"v":"170141183460469231731687303715884105727"}`},
		{"SELECT '550e8400-e29b-41d4-a716-446655440000'::UUID", "STRING", `{"v":"550e8400-e29b-41d4-a716-446655440000"}`},
		{"SELECT 'x'::ENUM('x', 'y')", "STRING", `{"v":"x"}`}, {"SELECT 0.1::FLOAT", "FLOAT64", `{"v":"0.1"}`},
		{"SELECT [1, 2]::INTEGER[2]", "ARRAY<INT64>", `{"v":[{"v":"1"},{"v":"2"}]}`}, {"SELECT NULL::INTEGER[]", "ARRAY<INT64>", `{"v":[]}`},
		{"SELECT 1.50::DECIMAL(4,2)", "NUMERIC", `{"v":"1.5"}`}, {"SELECT row(1, 'a')", "STRUCT<_field_1 INT64, _field_2 STRING>", `{"v":{"f":[{"v":"1"},{"v":"a"}]}}`},
		{"SELECT NULL", "INT64", `{"v":null}`}, {"SELECT TIMESTAMP_S '2020-01-01 00:00:01'", "DATETIME", `{"v":"2020-01-01T00:00:01"}`},
	} {
		columns, row := ask(t, db, tt.give, "", "[]")
		of := columns[0].Type
		if named := mustType(t, tt.schema); row != `{"f":[`+tt.row+`]}` || wire.Field("x", of).Type != wire.Field("x", named).Type || len(of.Fields) != len(named.Fields) {
			t.Errorf("%s: %s of %s", tt.give, row, of)
		}
	}
	e := wire.Encoder{Columns: []googlesql.Field{{Name: "l", Type: googlesql.ArrayOf(mustType(t, "INT64"))}}}
	if _, err := e.AppendRow(nil, []any{[]any{int64(1), nil}}); err == nil || !strings.Contains(err.Error(), "Array cannot have a null element") {
		t.Errorf("%v", err)
	}
}

// TestTimestamps: a TIMESTAMP in the formats of the API, with all its digits, inside ARRAY and STRUCT as well.
func TestTimestamps(t *testing.T) {
	of := mustType(t, "STRUCT<a ARRAY<TIMESTAMP>>")
	for give, want := range map[string][3]string{
		"2020-01-01 00:00:00+00":        {"1.5778368E9", "1577836800000000", "2020-01-01T00:00:00.000000000000Z"},
		"1970-01-01 00:00:00.000001+00": {"1.0E-6", "1", "1970-01-01T00:00:00.000001000000Z"},
		"1970-01-01 00:00:00+00":        {"0.0", "0", "1970-01-01T00:00:00.000000000000Z"},
		"9999-12-31 23:59:59.999999+00": {"2.53402300799999999E11", "253402300799999999", "9999-12-31T23:59:59.999999000000Z"},
		"0001-01-01 00:00:00+00":        {"-6.21355968E10", "-62135596800000000", "0001-01-01T00:00:00.000000000000Z"},
	} {
		var given []wire.QueryParameter
		parameter := fmt.Sprintf(`[{"name":"p","parameterType":%s,"parameterValue":%s}]`, typeJSON(of), parameterOf(of, `"`+give+`"`))
		if err := json.Unmarshal([]byte(parameter), &given); err != nil {
			t.Fatal(err)
		}
		args, err := wire.Parameters("", given)
		if err != nil {
			t.Fatal(err)
		}
		for i, format := range []wire.TimestampFormat{wire.FloatSeconds, wire.Int64Micros, wire.ISO8601} {
			e := wire.Encoder{Columns: []googlesql.Field{{Name: "p", Type: of}}, Timestamps: format}
			row, err := e.AppendRow(nil, []any{args[0].(sql.NamedArg).Value.(mallard.TypedValue).Value})
			if got := string(row); err != nil || got != `{"f":[`+cellOf(of, `"`+want[i]+`"`)+`]}` {
				t.Errorf("%s: %s, %v", give, got, err)
			}
		}
	}
}

// TestWrongParameters: each is refused, and the error names it.
func TestWrongParameters(t *testing.T) {
	for _, tt := range []struct{ mode, give, want string }{
		{"NAMED", `{"name":"p","parameterType":{"type":"INT64"},"parameterValue":{"value":"1.5"}}`, "Query parameter p: Cannot convert value to integer (bad value): 1.5"},
		{"NAMED", `{"name":"p","parameterType":{"type":"INT64"},"parameterValue":{"value":"9223372036854775808"}}`, "bad value"},
		{"NAMED", `{"name":"p","parameterType":{"type":"INT64"},"parameterValue":{"value":""}}`, "bad value"},
		{"NAMED", `{"name":"p","parameterType":{"type":"FLOAT64"},"parameterValue":{"value":"0x1p3"}}`, "bad value"},
		{"NAMED", `{"name":"p","parameterType":{"type":"FLOAT64"},"parameterValue":{"value":"1e999"}}`, "bad value"},
		{"NAMED", `{"name":"p","parameterType":{"type":"NUMERIC"},"parameterValue":{"value":"1.0000000001"}}`, "Invalid NUMERIC value"},
		{"NAMED", `{"name":"p","parameterType":{"type":"NUMERIC"},"parameterValue":{"value":"1e999999"}}`, "Invalid NUMERIC value"},
		{"NAMED", `{"name":"p","parameterType":{"type":"NUMERIC"},"parameterValue":{"value":"100000000000000000000000000000"}}`, "Invalid NUMERIC value"},
		{"NAMED", `{"name":"p","parameterType":{"type":"BIGNUMERIC"},"parameterValue":{"value":"100000000000000000000"}}`, "Invalid BIGNUMERIC value"},
		{"NAMED", `{"name":"p","parameterType":{"type":"DATE"},"parameterValue":{"value":"2021-02-29"}}`, "Invalid date"},
		{"NAMED", `{"name":"p","parameterType":{"type":"DATE"},"parameterValue":{"value":"2021-02-28 00:00:00"}}`, "Invalid date"},
		{"NAMED", `{"name":"p","parameterType":{"type":"DATE"},"parameterValue":{"value":"0000-01-01"}}`, "Invalid date"},
		{"NAMED", `{"name":"p","parameterType":{"type":"DATETIME"},"parameterValue":{"value":"2021-02-28T00:00:00Z"}}`, "Invalid datetime"},
		{"NAMED", `{"name":"p","parameterType":{"type":"TIMESTAMP"},"parameterValue":{"value":"2021-02-28 00:00:00 Mars/Base"}}`, "Invalid timestamp"},
		{"NAMED", `{"name":"p","parameterType":{"type":"TIMESTAMP"},"parameterValue":{"value":"2021-02-28 00:00:00.0000001"}}`, "Invalid timestamp"},
		{"NAMED", `{"name":"p","parameterType":{"type":"TIMESTAMP"},"parameterValue":{"value":"9999-12-31 23:59:59-08"}}`, "Invalid timestamp"},
		{"NAMED", `{"name":"p","parameterType":{"type":"TIME"},"parameterValue":{"value":"24:00:00"}}`, "Invalid time"},
		{"NAMED", `{"name":"p","parameterType":{"type":"BYTES"},"parameterValue":{"value":"!"}}`, "base64"},
		{"NAMED", `{"name":"p","parameterType":{"type":"JSON"},"parameterValue":{"value":"{"}}`, "Invalid JSON"},
		{"NAMED", `{"name":"p","parameterType":{"type":"INTERVAL"},"parameterValue":{"value":"1 day"}}`, "Invalid INTERVAL"},
		{"NAMED", `{"name":"p","parameterType":{"type":"GEOGRAPHY"},"parameterValue":{"value":"POINT(1 2)"}}`, "The type GEOGRAPHY is not supported here"},
		{"NAMED", `{"name":"p","parameterType":{"type":"RANGE","rangeElementType":{"type":"DATE"}}}`, "The type RANGE is not supported here"},
		{"NAMED", `{"name":"p","parameterType":{"type":"ARRAY"}}`, "has no type"},
		{"NAMED", `{"name":"p","parameterType":{"type":"ARRAY","arrayType":{"type":"ARRAY","arrayType":{"type":"INT64"}}}}`, "ARRAY of ARRAY"},
		{"NAMED", `{"name":"p","parameterType":{"type":"STRUCT","structTypes":[{"name":"a","type":{"type":"INT64"}}]},"parameterValue":{"structValues":{"b":{"value":"1"}}}}`, "lacks"},
		{"NAMED", `{"name":"p"}`, "has no type"}, {"NAMED", `{"parameterType":{"type":"INT64"}}`, "has no name"},
		{"POSITIONAL", `{"name":"p","parameterType":{"type":"INT64"}}`, "by position"},
		{"SOMEHOW", `{"name":"p","parameterType":{"type":"INT64"}}`, "parameterMode"},
		{"NAMED", `{"name":"p","parameterType":{"type":"INT64"}},{"name":"P","parameterType":{"type":"INT64"}}`, "Duplicate query parameter: P"},
	} {
		var given []wire.QueryParameter
		if err := json.Unmarshal([]byte("["+tt.give+"]"), &given); err != nil {
			t.Fatal(tt.give, err)
		}
		if _, err := wire.Parameters(tt.mode, given); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.give, err)
		}
	}
}

func schemaOf(t testing.TB, s string) []*bigquery.TableFieldSchema {
	t.Helper()
	columns, err := googlesql.ParseColumns(s)
	if err != nil {
		t.Fatal(err)
	}
	return wire.Schema(columns).Fields
}

// TestReader: rows of insertAll and of JSON lines; messages and places of what is wrong are those of insertErrors.
func TestReader(t *testing.T) {
	fields := schemaOf(t, "n INT64, s STRING, l ARRAY<INT64>, r STRUCT<a FLOAT64, j JSON>, t TIMESTAMP, b BOOL, d NUMERIC")
	for _, tt := range []struct{ give, want string }{
		{`{}`, `{"f":[{"v":null},{"v":null},{"v":[]},{"v":null},{"v":null},{"v":null},{"v":null}]}`},
		{`{"N":1.0,"s":12,"l":[1,"2"],"r":{"a":"NaN","j":{"b":1.10,"a":"<"}},"t":1577836800.25,"b":"t","d":1e-9}`,
			`{"f":[{"v":"1"},{"v":"12"},{"v":[{"v":"1"},{"v":"2"}]},{"v":{"f":[{"v":"NaN"},{"v":"{\"a\":\"<\",\"b\":1.10}"}]}},` +
				`{"v":"1577836800250000"},{"v":"true"},{"v":"0.000000001"}]}`},
		{`{"t":"2020-01-01T00:00:00Z","b":false,"d":"12345678901234567890.5","n":9007199254740993}`,
			`{"f":[{"v":"9007199254740993"},{"v":null},{"v":[]},{"v":null},{"v":"1577836800000000"},{"v":"false"},{"v":"12345678901234567890.5"}]}`},
		{`{"n":"not-a-number"}`, "! n: Cannot convert value to integer (bad value): not-a-number"},
		{`{"x":1}`, "! x: no such field: x."}, {`{"r":{"x":1}}`, "! r.x: no such field: x."},
		{`{"n":1,"N":2}`, "! n: The field stands twice in the row"},
		{`{"n":[1]}`, "! n: Array specified for non-repeated field: n."}, {`{"l":1}`, "! l: Value for a repeated field is no JSON array"},
		{`{"r":1}`, "! r: This field: r is not a record."}, {`{"s":{}}`, "! s: This field: s is a record, and its type is STRING."},
		{`{"l":[null]}`, "! l: Only optional fields can be set to NULL. Field: l; Value: NULL"},
		{`[]`, "! Parser terminated before end of string: json: cannot unmarshal array into Go value of type map[string]interface {}"},
		{`null`, "! The row is no JSON object"}, {`{"n":1e999999999}`, "! n: Cannot convert value to integer (bad value): 1e999999999"},
		{`{"t":1e99}`, "! t: Timestamp is out of range: 1e99"}, {`{"b":2}`, "! b: Invalid boolean value: 2"},
	} {
		r, err := wire.NewReader(fields, wire.ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		row, err := r.Row(json.RawMessage(tt.give))
		if err != nil {
			got = "! " + err.Error()
		} else {
			columns, _ := wire.Columns(fields)
			e := wire.Encoder{Columns: columns, Timestamps: wire.Int64Micros}
			b, err := e.AppendRow(nil, row)
			if got = string(b); err != nil {
				got = err.Error()
			}
		}
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.give, got, tt.want)
		}
	}
	loose, err := wire.NewReader(fields, wire.ReaderOptions{IgnoreUnknown: true, JSONText: true})
	if err != nil {
		t.Fatal(err)
	}
	row, err := loose.Row(json.RawMessage(`{"x":1,"r":{"y":2,"j":"[1]"}}`))
	if err != nil || !reflect.DeepEqual(row[3], []any{nil, "[1]"}) {
		t.Errorf("%v, %v", row, err)
	}
	required := schemaOf(t, "n INT64")
	required[0].Mode = wire.Required
	strict, err := wire.NewReader(required, wire.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := strict.Row(json.RawMessage(`{}`)); err == nil || err.Error() != "n: Missing required field: n." {
		t.Error(err)
	}
}

// TestRoundTrip: what the encoder writes of random rows, the reader reads as the same values.
func TestRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		of := randomType(rnd, 3)
		text := randomText(rnd, of)
		var given []wire.QueryParameter
		parameter := fmt.Sprintf(`[{"parameterType":%s,"parameterValue":%s}]`, typeJSON(of), text)
		if err := json.Unmarshal([]byte(parameter), &given); err != nil {
			t.Fatal(parameter, err)
		}
		args, err := wire.Parameters("", given)
		if err != nil {
			t.Fatal(parameter, err)
		}
		columns := []googlesql.Field{{Name: "x", Type: of}}
		r, err := wire.NewReader(wire.Schema(columns).Fields, wire.ReaderOptions{JSONText: true})
		if err != nil {
			t.Fatal(err)
		}
		value := args[0].(mallard.TypedValue).Value
		for _, format := range []wire.TimestampFormat{wire.FloatSeconds, wire.ISO8601} {
			e := wire.Encoder{Columns: columns, Timestamps: format}
			row, err := e.AppendRow(nil, []any{value})
			if err != nil {
				t.Fatal(err)
			}
			back, err := r.Row(plainRow(t, row, columns))
			if err != nil || fmt.Sprint(back[0]) != fmt.Sprint(value) {
				t.Fatalf("%s: %v became %s and %v, %v", of, value, row, back, err)
			}
		}
	}
}

// plainRow turns a row of the API into an object, as clients do.
func plainRow(t *testing.T, row []byte, columns []googlesql.Field) json.RawMessage {
	var cells struct {
		F []struct{ V json.RawMessage }
	}
	if err := json.Unmarshal(row, &cells); err != nil || len(cells.F) != len(columns) {
		t.Fatal(string(row), err)
	}
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = fmt.Sprintf("%q:%s", c.Name, plainValue(t, cells.F[i].V, c.Type))
	}
	return json.RawMessage("{" + strings.Join(parts, ",") + "}")
}

func plainValue(t *testing.T, v json.RawMessage, of googlesql.Type) string {
	switch {
	case string(v) == "null":
		return "null"
	case of.Kind == googlesql.Array:
		var cells []struct{ V json.RawMessage }
		if err := json.Unmarshal(v, &cells); err != nil {
			t.Fatal(string(v), err)
		}
		parts := make([]string, len(cells))
		for i, c := range cells {
			parts[i] = plainValue(t, c.V, *of.Elem)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case of.Kind == googlesql.Struct:
		return string(plainRow(t, v, of.Fields))
	}
	return string(v)
}

func randomType(rnd *rand.Rand, depth int) googlesql.Type {
	kinds := []googlesql.Kind{googlesql.Bool, googlesql.Int64, googlesql.Float64, googlesql.Numeric, googlesql.BigNumeric, googlesql.String, googlesql.Bytes,
		googlesql.Date, googlesql.DateTime, googlesql.Time, googlesql.Timestamp, googlesql.Interval, googlesql.JSON}
	switch n := rnd.IntN(len(kinds) + 4); {
	case n < len(kinds) || depth == 0:
		return googlesql.Type{Kind: kinds[n%len(kinds)]}
	case n < len(kinds)+2:
		for {
			if elem := randomType(rnd, depth-1); elem.Kind != googlesql.Array {
				return googlesql.ArrayOf(elem)
			}
		}
	}
	s := googlesql.StructOf()
	for i := range 1 + rnd.IntN(3) {
		s.Fields = append(s.Fields, googlesql.Field{Name: string(rune('z' - i)), Type: randomType(rnd, depth-1)})
	}
	return s
}

// randomText gives the JSON of a parameter's value.
func randomText(rnd *rand.Rand, of googlesql.Type) string {
	quoted := func(format string, args ...any) string {
		b, _ := json.Marshal(fmt.Sprintf(format, args...))
		return `{"value":` + string(b) + `}`
	}
	switch of.Kind {
	case googlesql.Array:
		parts := make([]string, rnd.IntN(4))
		for i := range parts {
			for parts[i] == "" || parts[i] == "null" {
				parts[i] = randomText(rnd, *of.Elem)
			}
		}
		return `{"arrayValues":[` + strings.Join(parts, ",") + `]}`
	case googlesql.Struct:
		parts := make([]string, len(of.Fields))
		for i, f := range of.Fields {
			parts[i] = fmt.Sprintf("%q:%s", f.Name, randomText(rnd, f.Type))
		}
		return `{"structValues":{` + strings.Join(parts, ",") + `}}`
	}
	if rnd.IntN(10) == 0 {
		return "null"
	}
	day := fmt.Sprintf("%04d-%02d-%02d", 1+rnd.IntN(9999), 1+rnd.IntN(12), 1+rnd.IntN(28))
	clock := fmt.Sprintf("%02d:%02d:%02d.%06d", rnd.IntN(24), rnd.IntN(60), rnd.IntN(60), rnd.IntN(1_000_000)*rnd.IntN(2))
	switch of.Kind {
	case googlesql.Bool:
		return quoted("%t", rnd.IntN(2) == 0)
	case googlesql.Int64:
		return quoted("%d", int64(rnd.Uint64()))
	case googlesql.Float64:
		return quoted("%v", (rnd.Float64()-0.5)*float64(uint64(1)<<rnd.IntN(60)))
	case googlesql.Numeric:
		return quoted("-%d.%09d", rnd.Uint64(), rnd.IntN(1_000_000_000))
	case googlesql.BigNumeric:
		return quoted("%d.%018d", rnd.Uint64(), rnd.Int64N(1_000_000_000_000_000_000))
	case googlesql.Bytes:
		return quoted("%s", []string{"", "AA==", "3q2+7w=="}[rnd.IntN(3)])
	case googlesql.Date:
		return quoted("%s", day)
	case googlesql.DateTime, googlesql.Timestamp:
		return quoted("%s %s", day, clock)
	case googlesql.Time:
		return quoted("%s", clock)
	case googlesql.Interval:
		return quoted("%d-%d %d %s", rnd.IntN(9999)-5000, rnd.IntN(12), rnd.IntN(9999)-5000, clock)
	case googlesql.JSON:
		return quoted(`{"%d": [null, 1.10, "é"]}`, rnd.IntN(100))
	}
	return quoted("%c\x00 <\"'\\", rune(rnd.IntN(0xd000)))
}

// FuzzReader: no row makes the reader panic, and what it takes the encoder writes as JSON.
func FuzzReader(f *testing.F) {
	fields := schemaOf(f, "n INT64, f FLOAT64, s STRING, l ARRAY<STRUCT<a DATE, b BYTES>>, j JSON, t TIMESTAMP, i INTERVAL, d BIGNUMERIC, dt DATETIME, ti TIME, b BOOL")
	columns, err := wire.Columns(fields)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`{"n":1,"f":"1e5","s":"x","l":[{"a":"2020-01-01"}],"j":{"a":1},"t":1.5,"i":"1-2 3 4:5:6","d":"1.5","dt":"2020-01-01","ti":"12:00:00","b":true}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := wire.NewReader(fields, wire.ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		row, err := r.Row(json.RawMessage(text))
		if err != nil {
			return
		}
		e := wire.Encoder{Columns: columns}
		if b, err := e.AppendRow(nil, row); err != nil || !json.Valid(b) {
			t.Errorf("%s became %s, %v", text, b, err)
		}
	})
}
