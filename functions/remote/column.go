package remote

import (
	"fmt"
	"unicode/utf8"

	"github.com/mallardml/mallard/googlesql"
)

// Type is a GoogleSQL type, here always one that JSON can carry.
type Type = googlesql.Type

// Column is a named value: a declared input or output, a field of a schema, a result.
type Column = googlesql.Field

// The kinds of [Type] that JSON can carry.
const (
	Bool       = googlesql.Bool
	Int64      = googlesql.Int64
	Float64    = googlesql.Float64
	Numeric    = googlesql.Numeric
	BigNumeric = googlesql.BigNumeric
	String     = googlesql.String
	JSON       = googlesql.JSON
	Array      = googlesql.Array
	Struct     = googlesql.Struct
)

func scalar(k googlesql.Kind) Type { return Type{Kind: k} }

func arrayOf(t Type) Type { return googlesql.ArrayOf(t) }

// ParseType reads a GoogleSQL type such as ARRAY<FLOAT64>.
func ParseType(s string) (Type, error) {
	t, err := googlesql.ParseType(s)
	if err != nil {
		return t, err
	}
	return t, jsonCan(t)
}

// ParseColumns reads an output_schema: "title STRING, year INT64, tags ARRAY<STRING>".
func ParseColumns(s string) ([]Column, error) {
	columns, err := googlesql.ParseColumns(s)
	for _, c := range columns {
		if err == nil {
			err = jsonCan(c.Type)
		}
	}
	return columns, err
}

// jsonCan refuses what JSON cannot carry.
func jsonCan(t Type) error {
	switch t.Kind {
	case Bool, Int64, Float64, Numeric, BigNumeric, String, JSON:
		return nil
	case Array:
		return jsonCan(*t.Elem)
	case Struct:
		for _, f := range t.Fields {
			if err := jsonCan(f.Type); err != nil {
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
