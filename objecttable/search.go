package objecttable

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/quote"
)

// VectorSearch is a call of VECTOR_SEARCH
// (https://cloud.google.com/bigquery/docs/reference/standard-sql/search_functions#vector_search). Search is exact.
type VectorSearch struct {
	// Base is the query or table that is searched, as what may stand in brackets: SELECT … or FROM t.
	Base string
	// Column is the column of Base to search.
	Column string
	// Query is the query or table to look for, like Base. Empty with QueryValue.
	Query string
	// QueryColumn is the column of Query to look for. When it is empty it is the one of QueryColumns that is named like
	// Column, else the first, and without QueryColumns the one named like Column.
	QueryColumn  string
	QueryColumns []string
	// QueryValue is one vector to look for, an SQL expression: the result then has no column query.
	QueryValue string
	// TopK is how many of the nearest are wanted; default 10, negative is all.
	TopK int64
	// DistanceType is EUCLIDEAN (the default), COSINE or DOT_PRODUCT. The distance of DOT_PRODUCT is the negated product,
	// so that near is small.
	DistanceType string
	// Options is the JSON of options =>; it says how to use an index and so changes nothing here.
	Options string
}

// maxNearest is DuckDB's limit for min_by with a count.
const maxNearest = 999_999

// SearchError is a wrong value of a named argument.
type SearchError struct {
	Argument string // distance_type, options or top_k
	msg      string
	cause    error
}

// Error gives subject, cause and what to do.
func (e *SearchError) Error() string { return "VECTOR_SEARCH: " + e.msg }

// Unwrap gives the cause, or nil.
func (e *SearchError) Unwrap() error { return e.cause }

// LookFor is the column of Query to look for.
func (v VectorSearch) LookFor() string {
	switch {
	case v.QueryColumn != "":
		return v.QueryColumn
	case len(v.QueryColumns) > 0 && !slices.ContainsFunc(v.QueryColumns, func(c string) bool { return strings.EqualFold(c, v.Column) }):
		return v.QueryColumns[0]
	}
	return v.Column
}

// SQL expands the call to DuckDB's SQL, to stand in FROM in place of it: its columns are query (a struct), base (a
// struct) and distance. Base and query are read once. The nearest are kept in a heap per query vector, so memory grows
// with queries × TopK and not with the base, and all threads work.
func (v VectorSearch) SQL() (string, error) {
	if v.Base == "" || v.Column == "" {
		return "", errors.New("VECTOR_SEARCH needs a table to search and the name of its column: VECTOR_SEARCH(TABLE base, 'column', TABLE query)")
	}
	if (v.Query == "") == (v.QueryValue == "") {
		return "", errors.New("VECTOR_SEARCH needs a query table, third, or query_value => one vector, and not both")
	}
	var d string
	switch strings.ToUpper(v.DistanceType) {
	case "", "EUCLIDEAN":
		d = "list_distance"
	case "COSINE":
		d = "list_cosine_distance"
	case "DOT_PRODUCT":
		d = "list_negative_inner_product"
	default:
		return "", &SearchError{Argument: "distance_type", msg: fmt.Sprintf("distance_type '%s' is not known: use EUCLIDEAN, COSINE or DOT_PRODUCT", v.DistanceType)}
	}
	if v.Options != "" {
		var o struct {
			Fraction *float64 `json:"fraction_lists_to_search"`
			Brute    *bool    `json:"use_brute_force"`
		}
		dec := json.NewDecoder(strings.NewReader(v.Options))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&o); err != nil {
			return "", &SearchError{"options", fmt.Sprintf(`options '%s': %v; it knows {"use_brute_force": true} and {"fraction_lists_to_search": 0.1}`, v.Options, err), err}
		}
	}
	top := v.TopK
	if top == 0 {
		top = 10
	}
	if top > maxNearest {
		return "", &SearchError{Argument: "top_k", msg: fmt.Sprintf("top_k is %d, the most is %d; a negative one takes all", top, maxNearest)}
	}
	// The names are qualified everywhere: a name of the user's cannot be captured.
	query := "SELECT 1 AS n, NULL AS r, (" + v.QueryValue + "\n)::DOUBLE[] AS v"
	shown := ""
	if v.Query != "" {
		query = "SELECT row_number() OVER () AS n, __r AS r, __r." + quote.Name(v.LookFor()) + "::DOUBLE[] AS v FROM (" + v.Query + "\n) AS __r"
		shown = "__q.r AS query, "
	}
	if d == "list_cosine_distance" { // DuckDB has a distance for them all the same
		query = cosine(query)
	}
	base := "SELECT row_number() OVER () AS n, __r AS r, __r." + quote.Name(v.Column) + "::DOUBLE[] AS v FROM (" + v.Base + "\n) AS __r"
	if d == "list_cosine_distance" {
		base = cosine(base)
	}
	pairs := "SELECT __q.n AS q, __b.n AS b, " + d + "(__q.v, __b.v) AS d FROM __q, __b WHERE __q.v IS NOT NULL AND __b.v IS NOT NULL"
	near := "SELECT __p.q AS q, unnest(min_by({'b': __p.b, 'd': __p.d}, __p.d, " + fmt.Sprint(top) + ")) AS t FROM (" + pairs + ") AS __p GROUP BY __p.q"
	if top < 0 {
		near = "SELECT __p.q AS q, {'b': __p.b, 'd': __p.d} AS t FROM (" + pairs + ") AS __p"
	}
	return "(WITH __b AS MATERIALIZED (" + base + "), __q AS MATERIALIZED (" + query + "), __n AS (" + near + ")\n" +
		"SELECT " + shown + "__b.r AS base, __n.t.d AS distance FROM __n JOIN __q ON __q.n = __n.q JOIN __b ON __b.n = __n.t.b)", nil
}

// cosine refuses zero vectors among those of a query, as ML.DISTANCE does.
func cosine(query string) string {
	return "SELECT __z.n, __z.r, CASE WHEN list_inner_product(__z.v, __z.v) = 0 THEN error('VECTOR_SEARCH: the cosine distance of a zero vector is not defined: leave such rows out') ELSE __z.v END AS v FROM (" + query + ") AS __z"
}
