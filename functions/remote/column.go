package remote

import (
	"fmt"
	"unicode/utf8"

	"github.com/mallardml/mallard/googlesql"
)

func scalar(k googlesql.Kind) googlesql.Type { return googlesql.Type{Kind: k} }

// ParseType reads a GoogleSQL type such as ARRAY<FLOAT64>.
func ParseType(s string) (googlesql.Type, error) {
	t, err := googlesql.ParseType(s)
	if err != nil {
		return t, err
	}
	return t, Carries(t)
}

// ParseColumns reads an output_schema: "title STRING, year INT64, tags ARRAY<STRING>".
func ParseColumns(s string) ([]googlesql.Field, error) {
	columns, err := googlesql.ParseColumns(s)
	for _, c := range columns {
		if err == nil {
			err = Carries(c.Type)
		}
	}
	return columns, err
}

// Carries returns an error for a type whose values JSON cannot carry to a model or back. The error follows the type's name.
func Carries(t googlesql.Type) error {
	switch t.Kind {
	case googlesql.Bool, googlesql.Int64, googlesql.Float64, googlesql.Numeric, googlesql.BigNumeric, googlesql.String, googlesql.JSON:
		return nil
	case googlesql.Array:
		return Carries(*t.Elem)
	case googlesql.Struct:
		for _, f := range t.Fields {
			if err := Carries(f.Type); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("has the type %s; it may be BOOL, INT64, FLOAT64, NUMERIC, STRING, ARRAY<…> or STRUCT<…>", t.Kind)
}

// clip shortens a text for a message, between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
