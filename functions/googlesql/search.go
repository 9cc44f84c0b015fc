package googlesql

import (
	"database/sql"
	"errors"
	"strings"
)

// searches has CONTAINS_SUBSTR
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#contains_substr).
var searches = map[string]definition{
	"contains_substr": anyValues(func() func([]value) (sql.Null[bool], error) {
		return func(all []value) (sql.Null[bool], error) {
			find, ok := all[1].data.(string)
			if !ok {
				return sql.Null[bool]{}, errors.New("CONTAINS_SUBSTR: the search value must not be NULL")
			}
			find, err := normalizeAndCasefold(find, "NFKC")
			if err != nil {
				return sql.Null[bool]{}, err
			}
			found, null := all[0].holds(find)
			return sql.Null[bool]{V: found, Valid: found || !null}, nil
		}
	}),
}

// holds reports whether the text of a value, or of one within it, has a normalised text in it, and whether one is NULL.
func (v value) holds(find string) (found, null bool) {
	in := func(s string) bool {
		s, err := normalizeAndCasefold(s, "NFKC")
		return err == nil && strings.Contains(s, find)
	}
	switch x := v.data.(type) {
	case nil:
		return false, true
	case []value:
		for _, e := range x {
			f, n := e.holds(find)
			found, null = found || f, null || n
		}
		return found, null
	case jsonText:
		j, err := valueOf(x)
		return err == nil && holdsJSON(j, in), false
	case string:
		return in(x), false
	case float64:
		return in(floatString(x)), false
	case []byte:
		return false, false
	}
	return in(v.scalar()), false
}

// holdsJSON looks at the scalars of a JSON, not at its names.
func holdsJSON(v any, in func(string) bool) bool {
	switch x := v.(type) {
	case object:
		for _, e := range x {
			if holdsJSON(e, in) {
				return true
			}
		}
		return false
	case *array:
		for _, e := range x.elements {
			if holdsJSON(e, in) {
				return true
			}
		}
		return false
	}
	s := scalarText(v)
	return s.Valid && in(s.V)
}
