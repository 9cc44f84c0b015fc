package udf

import (
	"database/sql/driver"
	"testing"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/duckapi"
)

// TestGoogleSQLTypes reads types off DuckDB itself.
func TestGoogleSQLTypes(t *testing.T) {
	c, err := duckdb.NewConnector("", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	conn, err := c.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for give, want := range map[string]string{
		"1::TINYINT":                             "INT64",
		"1::UBIGINT":                             "NUMERIC",
		"1::HUGEINT":                             "BIGNUMERIC",
		"1::FLOAT":                               "FLOAT64",
		"1.5":                                    "NUMERIC",
		"1::DECIMAL(38, 9)":                      "NUMERIC",
		"1::DECIMAL(38, 10)":                     "BIGNUMERIC",
		"1::DECIMAL(38, 0)":                      "BIGNUMERIC",
		"'a'":                                    "STRING",
		"'a'::BLOB":                              "BYTES",
		"'{}'::JSON":                             "JSON",
		"uuid()":                                 "STRING",
		"'a'::ENUM('a', 'b')":                    "STRING",
		"DATE '2020-01-01'":                      "DATE",
		"TIMESTAMP '2020-01-01'":                 "DATETIME",
		"TIMESTAMPTZ '2020-01-01'":               "TIMESTAMP",
		"TIME '01:00:00'":                        "TIME",
		"INTERVAL 1 DAY":                         "INTERVAL",
		"NULL":                                   "INT64",
		"[1.5::DOUBLE]":                          "ARRAY<FLOAT64>",
		"[1, 2]::FLOAT[2]":                       "ARRAY<FLOAT64>",
		"{'a': 1, 'B b': [{'c': 'x'}]}":          "STRUCT<a INT64, `B b` ARRAY<STRUCT<c STRING>>>",
		"MAP {'a': 1}":                           "ARRAY<STRUCT<key STRING, value INT64>>",
		"[[1]]":                                  "!GoogleSQL has no ARRAY of ARRAY, which INTEGER[][] is; put a STRUCT between",
		"'1'::BIT":                               "!GoogleSQL has no type for DuckDB's BIT: cast it to VARCHAR",
		"union_value(a := 1)":                    "!GoogleSQL has no type for DuckDB's UNION: take out the member that is wanted",
		"TIMESTAMP_NS '2020-01-01'":              "!GoogleSQL has no type for DuckDB's TIMESTAMP_NS: a DATETIME has microseconds; cast it to TIMESTAMP",
		"'01:00:00+01'::TIMETZ":                  "!GoogleSQL has no type for DuckDB's TIME WITH TIME ZONE: a TIME has no zone; cast it to TIME",
		"{'a': 'x'::BIT}":                        "!GoogleSQL has no type for DuckDB's BIT: cast it to VARCHAR",
		"123456789012345678901234567890::BIGNUM": "!GoogleSQL has no type for DuckDB's BIGNUM: its numbers may be longer than BIGNUMERIC's",
	} {
		st, err := conn.(driver.ConnPrepareContext).PrepareContext(t.Context(), "SELECT "+give)
		if err != nil {
			t.Errorf("%s: %v", give, err)
			continue
		}
		p, err := duckapi.Prepared(st.(*duckdb.Stmt))
		if err != nil {
			t.Fatal(err)
		}
		logical := mapping.PreparedStatementColumnLogicalType(p, 0)
		got, err := TypeOf(logical).GoogleSQL()
		mapping.DestroyLogicalType(&logical)
		st.Close()
		text := got.String()
		if err != nil {
			text = "!" + err.Error()
		}
		if text != want {
			t.Errorf("%s: %s, want %s", give, text, want)
		}
	}
}

// TestTotal: every type that DuckDB has is GoogleSQL's, or refused with a reason.
func TestTotal(t *testing.T) {
	for kind, name := range kindNames {
		switch kind {
		case mapping.TypeDecimal, mapping.TypeStruct, mapping.TypeMap:
			continue // by their parts
		}
		if _, err := googlesql.FromDuckDB(name); err != nil && err.Error() == "GoogleSQL has no type for DuckDB's "+name {
			t.Errorf("%s is in neither table", name)
		}
	}
	for kind := mapping.TypeBoolean; kind <= mapping.TypeVariant; kind++ {
		if _, ok := kindNames[kind]; !ok && kind != mapping.TypeList && kind != mapping.TypeArray && kind != mapping.TypeStringLiteral && kind != mapping.TypeIntegerLiteral {
			t.Errorf("type %d of DuckDB has no name here", kind)
		}
	}
}
