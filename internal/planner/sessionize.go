package planner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/spelling"
)

// sessions are the arguments of RANGE_SESSIONIZE(TABLE table, 'range_column', ['partition_column', …] [, 'MEETS'|'OVERLAPS'])
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/range-functions#range_sessionize).
type sessions struct {
	column     string
	partitions []string
	overlaps   bool // ranges that only meet are not of one session
}

func readSessions(f *dialect.TableFunction) (*sessions, error) {
	form := errors.New("RANGE_SESSIONIZE is written RANGE_SESSIONIZE(TABLE table, 'range_column', ['partition_column', …], 'MEETS'); " +
		"the last may be left out, or be 'OVERLAPS'")
	a := f.Args
	if len(a) < 3 || len(a) > 4 || !isRelation(a[0]) || a[1].Const == nil || a[1].Const.Kind != dialect.String || a[2].Const == nil ||
		a[2].Const.Kind != dialect.Array {
		return nil, form
	}
	s := &sessions{column: a[1].Const.Str}
	for _, p := range a[2].Const.List {
		if p.Kind != dialect.String {
			return nil, form
		}
		s.partitions = append(s.partitions, p.Str)
	}
	if len(a) == 4 {
		if a[3].Const == nil || a[3].Const.Kind != dialect.String {
			return nil, form
		}
		switch mode := a[3].Const.Str; strings.ToUpper(mode) {
		case "MEETS":
		case "OVERLAPS":
			s.overlaps = true
		default:
			return nil, dialect.At(a[3].Span, fmt.Errorf("Could not cast literal %q to type RANGE_SESSIONIZE_MODE", mode))
		}
	}
	return s, nil
}

// rangeSessionize writes the rows of a table with the session of each one's range: from the first to the last of the ranges that
// overlap or meet. A range that is NULL has none, and joins the others of its partition as one without bounds would.
func (ex *expander) rangeSessionize(ctx context.Context, f *dialect.TableFunction, args []string) (string, error) {
	s, err := readSessions(f)
	if err != nil {
		return "", err
	}
	if err := s.check(f, ex.Describe(ctx, args[0])); err != nil {
		return "", err
	}
	r := "__r." + quote.Name(s.column)
	var by []string
	for _, p := range s.partitions {
		by = append(by, "__r."+quote.Name(p))
	}
	over := func(partition []string, rest string) string {
		if len(partition) > 0 {
			rest = "PARTITION BY " + strings.Join(partition, ", ") + rest
		}
		return " OVER (" + rest + ")"
	}
	start, end := r+"."+googlesql.RangeStart, r+"."+googlesql.RangeEnd
	reaches := "<="
	if s.overlaps {
		reaches = "<"
	}
	first := " ORDER BY (" + r + " IS NULL) DESC, " + start + ", " + end
	before := over(by, first+" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING")
	joins := "coalesce(" + start + " " + reaches + " max(" + end + ")" + before + " OR bool_or(" + r + " IS NULL)" + before + ", false)"
	number := "count(*) FILTER (NOT __joins)" + over(by, first+" ROWS UNBOUNDED PRECEDING")
	same := over(append(slices.Clip(by), "__r.__session"), "")
	session := "struct_pack(" + googlesql.RangeStart + " := min(" + start + ")" + same + ", " + googlesql.RangeEnd +
		" := max(" + end + ")" + same + ")"
	return "(SELECT __r.* EXCLUDE (__session), CASE WHEN " + r + " IS NOT NULL THEN " + session + " END AS session_range " +
		"FROM (SELECT __r.* EXCLUDE (__joins), " + number + " AS __session " +
		"FROM (SELECT *, " + joins + " AS __joins FROM (" + args[0] + "\n) AS __r) AS __r) AS __r)", nil
}

// check looks for the columns in the table, if its columns are known.
func (s *sessions) check(f *dialect.TableFunction, columns []Column) error {
	if columns == nil {
		return nil
	}
	find := func(at dialect.Span, name string) (Column, error) {
		c, ok := named(columns, name)
		if !ok {
			names := nameList(columns)
			err := fmt.Errorf("RANGE_SESSIONIZE: `%s` is no column of the table, which has %s", name, strings.Join(names, ", "))
			return c, dialect.At(at, spelling.Meant(err, name, names))
		}
		return c, nil
	}
	c, err := find(f.Args[1].Span, s.column)
	if err != nil {
		return err
	}
	if t, err := c.Type.GoogleSQL(); err != nil || t.Kind != googlesql.Range {
		return dialect.At(f.Args[1].Span, fmt.Errorf("RANGE_SESSIONIZE: column `%s` must be a RANGE", c.Name))
	}
	for _, p := range s.partitions {
		c, err := find(f.Args[2].Span, p)
		if err != nil {
			return err
		}
		switch c.Type.Kind {
		case mapping.TypeStruct, mapping.TypeList, mapping.TypeArray, mapping.TypeFloat, mapping.TypeDouble:
			return dialect.At(f.Args[2].Span, fmt.Errorf("RANGE_SESSIONIZE: column `%s` has a type by which rows cannot be partitioned", c.Name))
		}
	}
	return nil
}

func isRelation(a dialect.Argument) bool { return a.Name == "" && (a.Query || a.Table != nil) }
