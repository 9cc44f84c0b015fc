package objecttable

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/udf"
)

// VectorSearch is a call of VECTOR_SEARCH
// (https://cloud.google.com/bigquery/docs/reference/standard-sql/search_functions#vector_search). Search is exact.
type VectorSearch struct {
	// Base is the query or table that is searched, as what may stand in brackets: SELECT … or FROM t.
	Base string
	// Column is the column of Base to search.
	Column string
	// BaseName and QueryName name the tables in errors; a query has no name.
	BaseName, QueryName string
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
		return "", errors.New("VECTOR_SEARCH needs a table to search and the name of its column: " +
			"VECTOR_SEARCH(TABLE base, 'column', TABLE query)")
	}
	if (v.Query == "") == (v.QueryValue == "") {
		return "", errors.New("VECTOR_SEARCH needs a query table, third, or query_value => one vector, and not both")
	}
	kind := strings.ToUpper(v.DistanceType)
	switch kind {
	case "":
		kind = "EUCLIDEAN"
	case "EUCLIDEAN", "COSINE", "DOT_PRODUCT":
	default:
		return "", &SearchError{Argument: "distance_type",
			msg: fmt.Sprintf("distance_type '%s' is not known: use EUCLIDEAN, COSINE or DOT_PRODUCT", v.DistanceType)}
	}
	if v.Options != "" {
		var o struct {
			Fraction *float64 `json:"fraction_lists_to_search"`
			Brute    *bool    `json:"use_brute_force"`
		}
		dec := json.NewDecoder(strings.NewReader(v.Options))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&o); err != nil {
			return "", &SearchError{"options", fmt.Sprintf(`options '%s': %v; it knows `+
				`{"use_brute_force": true} and {"fraction_lists_to_search": 0.1}`, v.Options, err), err}
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
	base := "SELECT row_number() OVER () AS n, __r AS r, __r." + quote.Name(v.Column) + "::DOUBLE[] AS v FROM (" + v.Base + "\n) AS __r"
	pairs := "SELECT __q.n AS q, __b.n AS b, system.main.vector_search_distance(__q.v, __q.n, __b.v, __b.n, " + quote.Text(v.search(kind)) +
		") AS d FROM __q, __b WHERE __q.v IS NOT NULL AND __b.v IS NOT NULL"
	near := "SELECT __p.q AS q, unnest(min_by({'b': __p.b, 'd': __p.d}, __p.d, " + fmt.Sprint(top) + ")) AS t FROM (" + pairs +
		") AS __p GROUP BY __p.q"
	if top < 0 {
		near = "SELECT __p.q AS q, {'b': __p.b, 'd': __p.d} AS t FROM (" + pairs + ") AS __p"
	}
	return "(WITH __b AS MATERIALIZED (" + base + "), __q AS MATERIALIZED (" + query + "), __n AS (" + near + ")\n" +
		"SELECT " + shown + "__b.r AS base, __n.t.d AS distance FROM __n JOIN __q ON __q.n = __n.q JOIN __b ON __b.n = __n.t.b)", nil
}

// search describes the call to vector_search_distance.
func (v VectorSearch) search(kind string) string {
	of := func(side, table, column string) string {
		if table != "" {
			side += " `" + table + "`"
		}
		return "of the " + side + ", column `" + column + "`"
	}
	s := search{Kind: kind, Base: of("base table", v.BaseName, v.Column)}
	if v.Query != "" {
		s.Query = of("query table", v.QueryName, v.LookFor())
	}
	b, err := json.Marshal(s)
	if err != nil {
		return "" // texts always marshal
	}
	return string(b)
}

// search is what vector_search_distance knows of a call: the kind of distance, and where the vectors come from, for errors.
type search struct {
	Kind  string `json:"kind"`
	Query string `json:"query,omitempty"` // empty for query_value
	Base  string `json:"base"`
}

// searchDistance is vector_search_distance(query, its row, base, its row, search): the distance of a pair of vectors, which
// must not be NULL.
func searchDistance() *scalar {
	f := func(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
		var s search
		if call := udf.Read(in[4]); call.Null(0) {
			return errors.New("what is searched is NULL")
		} else if err := json.Unmarshal(call.Bytes(0), &s); err != nil {
			return err
		}
		of := metricNamed(s.Kind)
		if of == nil {
			return fmt.Errorf("distance %q is not known", s.Kind)
		}
		look, base := newVectors(in[0], vectorType), newVectors(in[2], vectorType)
		rows := [2]udf.Column{udf.Read(in[1]), udf.Read(in[3])}
		data := mapping.VectorGetData(out)
		for i := range n {
			if i%256 == 0 && q.Context.Err() != nil {
				return q.Context.Err()
			}
			if look.list.Null(i) || base.list.Null(i) {
				udf.SetNull(out, i)
				continue
			}
			x, ok1 := look.read(i)
			y, ok2 := base.read(i)
			d, err := s.distance(of, x, y, ok1, ok2, *udf.At[int64](rows[0].Data, i), *udf.At[int64](rows[1].Data, i))
			if err != nil {
				return err
			}
			*udf.At[float64](data, i) = d
		}
		return nil
	}
	return &scalar{name: "vector_search_distance", says: "VECTOR_SEARCH", params: []udf.Type{vectorType, bigint, vectorType, bigint, varchar},
		result: double, f: f}
}

// distance is of a pair; a vector that is not ok holds NULL.
func (s *search) distance(of metric, x, y []float64, ok1, ok2 bool, row1, row2 int64) (float64, error) {
	err := error(nil)
	if ok1 && ok2 && len(x) == len(y) {
		var d float64
		if d, err = of(x, y); err == nil {
			return d, nil
		}
	}
	query, base := "query_value", fmt.Sprintf("row %d %s", row2, s.Base)
	if s.Query != "" {
		query = fmt.Sprintf("row %d %s", row1, s.Query)
	}
	switch {
	case !ok1:
		return 0, fmt.Errorf("%s: the vector holds NULL: leave such rows out", query)
	case !ok2:
		return 0, fmt.Errorf("%s: the vector holds NULL: leave such rows out", base)
	case err == nil:
		return 0, fmt.Errorf("the vector of %s has %s and that of %s has %d: they must come from one model",
			query, amount.Of(len(x), "number"), base, len(y))
	case errors.Is(err, errZero) && magnitude(x) == 0:
		return 0, fmt.Errorf("%s: %w", query, err)
	case errors.Is(err, errZero):
		return 0, fmt.Errorf("%s: %w", base, err)
	}
	return 0, fmt.Errorf("%s and %s: %w", query, base, err)
}
