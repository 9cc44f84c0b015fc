// Package conformance compares Mallard's GoogleSQL with Google's reference evaluator: the values, the types and the errors of
// queries without tables. BigQuery's documentation stands above the evaluator where they differ.
package conformance

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/googlesql/writer"
)

// Verdict says how a query fared.
type Verdict string

// The verdicts.
const (
	Same         Verdict = "same"          // the same rows, or an error of both
	Refused      Verdict = "refused"       // Mallard names what it lacks
	Different    Verdict = "different"     // other rows
	FalseError   Verdict = "false error"   // an error where the evaluator has rows
	MissingError Verdict = "missing error" // rows where the evaluator has an error
	OtherError   Verdict = "other error"   // an error of both, in other words
	Unjudged     Verdict = "unjudged"      // the evaluator's answer has no counterpart
)

// Judgement is a verdict with what was compared.
type Judgement struct {
	Verdict   Verdict
	Want, Got string
}

// Judge compares queries. It uses one connection.
type Judge struct {
	Analyzer *analyzer.Analyzer
	DB       *sql.DB // of the dialect bigquery
	Plain    *sql.DB // DuckDB itself, which reads the evaluator's values
}

// Query judges one query.
func (j *Judge) Query(ctx context.Context, query string) Judgement {
	want, wantErr := j.evaluate(ctx, query)
	if u, ok := wantErr.(*writer.Error); ok {
		return Judgement{Unjudged, u.Error(), ""}
	}
	got, gotErr := read(ctx, j.DB, query)
	switch {
	case gotErr != nil && strings.Contains(gotErr.Error(), "is not translated from GoogleSQL to DuckDB"):
		return Judgement{Refused, "", gotErr.Error()}
	case wantErr != nil && gotErr != nil:
		w, g := wantErr.Error(), gotErr.Error()
		if strings.Contains(g, message(w)) {
			return Judgement{Same, w, g}
		}
		return Judgement{OtherError, w, g}
	case wantErr != nil:
		return Judgement{MissingError, wantErr.Error(), fmt.Sprint(got)}
	case gotErr != nil:
		return Judgement{FalseError, fmt.Sprint(want), gotErr.Error()}
	case !equal(reflect.ValueOf(want), reflect.ValueOf(got)):
		return Judgement{Different, fmt.Sprintf("%#v", want), fmt.Sprintf("%#v", got)}
	}
	return Judgement{Same, fmt.Sprint(want), fmt.Sprint(got)}
}

// message is an error without its place.
func message(s string) string {
	s, _, _ = strings.Cut(s, " [at ")
	return s
}

// evaluate gives the evaluator's rows as DuckDB reads them.
func (j *Judge) evaluate(ctx context.Context, query string) ([][]any, error) {
	statement, err := j.Analyzer.Analyze(ctx, query, &analyzer.Catalog{}, analyzer.Parameters{})
	if err != nil {
		return nil, err
	}
	rows, err := j.Analyzer.Evaluate(ctx, query)
	if err != nil {
		return nil, err
	}
	var types []googlesql.Type
	for _, c := range statement.GetResolvedQueryStmtNode().GetOutputColumnList() {
		types = append(types, analyzer.TypeOf(c.GetColumn().GetType()))
	}
	all := [][]any{}
	for _, r := range rows {
		text, err := literals(r, types)
		if err != nil {
			return nil, err
		}
		one, err := read(ctx, j.Plain, "SELECT "+text)
		if err != nil {
			return nil, &writer.Error{What: err.Error()}
		}
		all = append(all, one...)
	}
	return all, nil
}

func literals(row []*resolved.ValueProto, types []googlesql.Type) (string, error) {
	parts := make([]string, len(row))
	for i, v := range row {
		s, err := writer.Literal(v, types[i])
		if err != nil {
			return "", err
		}
		parts[i] = s
	}
	return strings.Join(parts, ", "), nil
}

func read(ctx context.Context, db *sql.DB, query string) ([][]any, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	all := [][]any{}
	for rows.Next() {
		row, at := make([]any, len(types)), make([]any, len(types))
		for i := range row {
			at[i] = &row[i]
		}
		if err := rows.Scan(at...); err != nil {
			return nil, err
		}
		for i, t := range types { // the types are part of what is compared
			if b, ok := row[i].([]byte); ok && t.DatabaseTypeName() == "JSON" { // as DuckDB's own driver gives it
				if err := json.Unmarshal(b, &row[i]); err != nil {
					return nil, err
				}
			}
			row[i] = [2]any{t.DatabaseTypeName(), row[i]}
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// equal compares values: NaN equals itself, and two floats may differ in the last digits.
func equal(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() {
		return false
	}
	if !a.IsValid() {
		return true
	}
	if a.Kind() == reflect.Interface {
		a = a.Elem()
	}
	if b.Kind() == reflect.Interface {
		b = b.Elem()
	}
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Float64:
		x, y := a.Float(), b.Float()
		return x == y && math.Signbit(x) == math.Signbit(y) || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= 1e-12*math.Abs(x)
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !equal(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.Len() != b.Len() {
			return false
		}
		for _, k := range a.MapKeys() {
			if !b.MapIndex(k).IsValid() || !equal(a.MapIndex(k), b.MapIndex(k)) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// New makes a judge over Mallard's connections.
func New(ctx context.Context, s analyzer.Service, db *sql.DB) (*Judge, error) {
	a, err := analyzer.New(ctx, s)
	if err != nil {
		return nil, err
	}
	plain, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, err
	}
	return &Judge{Analyzer: a, DB: db, Plain: sql.OpenDB(plain)}, nil
}
