package googlesql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mallardml/mallard/googlesql"
)

func ExampleParseType() {
	t, err := googlesql.ParseType("array<struct<name string, score numeric(10, 2)>>")
	fmt.Println(t, err)
	fmt.Println(t.DuckDB())
	// Output:
	// ARRAY<STRUCT<name STRING, score NUMERIC>> <nil>
	// STRUCT("name" VARCHAR, "score" DECIMAL(38,9))[]
}

func ExampleFromDuckDB() {
	fmt.Println(googlesql.FromDuckDB("TIMESTAMP WITH TIME ZONE"))
	_, err := googlesql.FromDuckDB("BIT")
	fmt.Println(err)
	// Output:
	// TIMESTAMP <nil>
	// GoogleSQL has no type for DuckDB's BIT: cast it to VARCHAR
}

func TestParseType(t *testing.T) {
	for give, want := range map[string]string{
		"INT64":                           "INT64",
		" bigint ":                        "INT64",
		"BIGDECIMAL(76, 38)":              "BIGNUMERIC",
		"STRING(MAX)":                     "STRING",
		"BYTES(10)":                       "BYTES",
		"DATETIME":                        "DATETIME",
		"RANGE<DATE>":                     "RANGE<DATE>",
		"GEOGRAPHY":                       "GEOGRAPHY",
		"ARRAY < STRUCT < `a b` JSON > >": "ARRAY<STRUCT<`a b` JSON>>",
		"STRUCT<`select` INT64>":          "STRUCT<`select` INT64>",
		"STRUCT<`a\\`b\\x41` INT64>":      "STRUCT<`a\\`bA` INT64>",
		"STRUCT<`a\\q` INT64>":            "!wrong name",
		"STRUCT<`plain` INT64>":           "STRUCT<plain INT64>",
		"ARRAY<ARRAY<INT64>>":             "!ARRAY of ARRAY",
		"ARRAY":                           "!without its element type",
		"STRUCT<a INT64, A STRING>":       "!twice",
		"INT64 x":                         "!should end",
		"INT64(":                          "!parameters",
		"FLOAT32":                         "!FLOAT32",
		"":                                "!ends too early",
		strings.Repeat("ARRAY<STRUCT<a ", 20) + "INT64": "!more than",
	} {
		got, err := googlesql.ParseType(give)
		if fail, ok := strings.CutPrefix(want, "!"); ok {
			if err == nil || !strings.Contains(err.Error(), fail) {
				t.Errorf("%s: %v, want an error with %q", give, err, fail)
			}
			continue
		}
		if err != nil || got.String() != want {
			t.Errorf("%s: %s, %v", give, got, err)
		}
		if again, err := googlesql.ParseType(got.String()); err != nil || !again.Equal(got) {
			t.Errorf("%s: read again: %s, %v", give, again, err)
		}
	}
}

// TestDuckDB: the counterparts are DuckDB's names of types, or none.
func TestDuckDB(t *testing.T) {
	for give, want := range map[string]string{
		"BYTES": "BLOB", "DATETIME": "TIMESTAMP", "TIMESTAMP": "TIMESTAMP WITH TIME ZONE", "BIGNUMERIC": "DECIMAL(38,18)", "JSON": "JSON",
		"ARRAY<TIME>": "TIME[]", "GEOGRAPHY": "", "ARRAY<GEOGRAPHY>": "", "STRUCT<r GEOGRAPHY>": "",
		"RANGE<DATETIME>":     `STRUCT("_range_start" TIMESTAMP, "_range_end" TIMESTAMP)`,
		"STRUCT<`a\"b` BOOL>": `STRUCT("a""b" BOOLEAN)`,
	} {
		typ, err := googlesql.ParseType(give)
		if err != nil || typ.DuckDB() != want {
			t.Errorf("%s: %q, %v", give, typ.DuckDB(), err)
		}
	}
	if googlesql.DecimalKind(38, 9) != googlesql.Numeric || googlesql.DecimalKind(38, 8) != googlesql.BigNumeric {
		t.Error("a NUMERIC has 29 digits before the point")
	}
}

func FuzzParseType(f *testing.F) {
	for _, s := range []string{"ARRAY<STRUCT<a INT64>>", "STRUCT<`x` NUMERIC(10,2)>", "RANGE<DATE>", "ARRAY<", "STRUCT<`\xb2` NUMERIC>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		typ, err := googlesql.ParseType(s)
		if err != nil {
			return
		}
		_ = typ.DuckDB()
		if again, err := googlesql.ParseType(typ.String()); err != nil || !again.Equal(typ) {
			t.Errorf("%q is %s, which reads back as %v, %v", s, typ, again, err)
		}
	})
}
