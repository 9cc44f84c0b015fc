package sqllogic

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/duckfmt"
)

func (s *session) statement(ctx context.Context, r *record) error {
	s.count++
	query, err := s.expand(r.sql)
	if err != nil {
		return s.fail(r, "", err.Error(), "")
	}
	want, err := s.expand(strings.Join(r.want, "\n"))
	if err != nil {
		return s.fail(r, "", err.Error(), "")
	}
	c, err := s.conn(ctx, r.conn)
	if err != nil {
		return s.fail(r, "", err.Error(), "")
	}
	_, err = c.ExecContext(ctx, query)
	switch {
	case ctx.Err() != nil:
		return s.fail(r, query, "stopped: "+ctx.Err().Error(), "")
	case r.outcome == "maybe" && (err == nil || want == "" || equalError(want, err.Error())):
		return nil
	case r.outcome == "ok" && err == nil:
		return nil
	case r.outcome == "ok":
		return s.fail(r, query, "the statement failed", indent(err.Error()))
	case err == nil:
		return s.fail(r, query, "the statement succeeded, an error was wanted", "  wanted\n"+indent(want))
	case equalError(want, err.Error()):
		return nil
	case s.o.Update && s.loops == 0:
		first, _, _ := strings.Cut(withoutBlankLines(err.Error()), "\n")
		s.edits = append(s.edits, edit{r.wantLine, r.wantEnd, []string{s.unexpand(first)}})
		return nil
	}
	return s.fail(r, query, "the statement failed with another error", "  wanted\n"+indent(want)+"\n\n  got\n"+indent(err.Error()))
}

func (s *session) query(ctx context.Context, r *record) error {
	s.count++
	query, err := s.expand(r.sql)
	if err != nil {
		return s.fail(r, "", err.Error(), "")
	}
	lines := make([]string, len(r.want))
	for i, l := range r.want {
		if lines[i], err = s.expand(l); err != nil {
			return s.fail(r, "", err.Error(), "")
		}
	}
	c, err := s.conn(ctx, r.conn)
	if err != nil {
		return s.fail(r, "", err.Error(), "")
	}
	cols, got, err := read(ctx, c, query)
	if err != nil {
		return s.fail(r, query, "the query failed", indent(err.Error()))
	}
	if err := s.compareColumns(r, query, cols); err != nil {
		return err
	}
	if len(cols) != len(r.types) {
		return s.fail(r, query, fmt.Sprintf("columns: wanted %d (%s), got %d", len(r.types), r.types, len(cols)),
			"  got\n"+indent(columnList(cols)))
	}
	if r.label != "" {
		sorted := got.sorted(r.sort)
		if first, ok := s.labels[r.label]; !ok {
			s.labels[r.label] = labelled{r.line, sorted}
		} else {
			msg := fmt.Sprintf("the result differs from that of label %s in line %d", r.label, first.line)
			if err := s.compare(r, query, first.rows, sorted, msg); err != nil {
				return err
			}
		}
	}
	if !r.hasWant {
		return nil
	}
	err = s.compareWant(r, query, lines, got)
	if err != nil && s.o.Update && s.loops == 0 {
		s.update(r, got.sorted(r.sort))
		return nil
	}
	return err
}

// compareWant compares a result with what stands below ----.
func (s *session) compareWant(r *record, query string, lines []string, got table) error {
	if len(lines) == 1 && isHash(lines[0]) {
		if h := got.hash(r.sort); h != lines[0] {
			return s.fail(r, query, "the result has another hash", "  wanted "+lines[0]+"\n  got    "+h)
		}
		return nil
	}
	want, err := wantTable(lines, len(r.types))
	if err != nil {
		return s.fail(r, query, err.Error(), "")
	}
	return s.compare(r, query, want.sorted(r.sort), got.sorted(r.sort), "the result differs")
}

func (s *session) update(r *record, got table) {
	var lines []string
	if len(r.want) == 1 && isHash(r.want[0]) {
		lines = []string{got.hash(r.sort)}
	} else {
		for _, row := range got {
			lines = append(lines, s.unexpand(joined(row, "\t")))
		}
	}
	s.edits = append(s.edits, edit{r.wantLine, r.wantEnd, lines})
}

func (s *session) compare(r *record, query string, want, got table, msg string) error {
	c := comparison{types: r.types, sort: r.sort, tolerance: s.tol}
	if r.tolerance != nil {
		c.tolerance = *r.tolerance
	}
	got = c.aligned(want, got)
	row, col := c.difference(want, got)
	if row < 0 {
		return nil
	}
	switch {
	case len(want) != len(got):
		msg += fmt.Sprintf(": wanted %s, got %d", amount.Of(len(want), "row"), len(got))
	case len(got[row]) > 1:
		msg += fmt.Sprintf(" in row %d, column %d", row+1, col+1)
	default:
		msg += fmt.Sprintf(" in row %d", row+1)
	}
	detail := sideBySide(want, got, func(i int) bool {
		return i >= len(want) || i >= len(got) || c.differentColumn(want[i], got[i]) >= 0
	})
	if len(want) == len(got) && c.letter(col) != 'R' && c.equal(want[row][col].text, got[row][col], 'R') {
		detail += "\n\n  The floats are equal within the tolerance. A column of floats that a model made has the letter R."
	}
	return s.fail(r, query, msg, detail)
}

func (s *session) compareColumns(r *record, query string, got []column) error {
	if r.columns == nil {
		return nil
	}
	w, g := columnList(r.columns), columnList(got)
	if w == g {
		return nil
	}
	if s.o.Update && s.loops == 0 {
		s.edits = append(s.edits, edit{r.colLine, r.colLine + 1, []string{"columns " + strings.ReplaceAll(g, "\n", ", ")}})
		return nil
	}
	f := &Failure{File: s.file.name, Line: r.colLine, Msg: "the columns differ", SQL: query}
	want, have := rowsOf(r.columns), rowsOf(got)
	f.Detail = sideBySide(want, have, func(i int) bool {
		return i >= len(want) || i >= len(have) || want[i][0].text != have[i][0].text
	})
	return f
}

func columnList(cols []column) string {
	lines := make([]string, len(cols))
	for i, c := range cols {
		lines[i] = c.String()
	}
	return strings.Join(lines, "\n")
}

func rowsOf(cols []column) table {
	t := make(table, len(cols))
	for i, c := range cols {
		t[i] = texts([]string{c.String()})
	}
	return t
}

// read runs a query and gives its columns and its rows as text.
func read(ctx context.Context, c *sql.Conn, query string) ([]column, table, error) {
	rows, err := c.QueryContext(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, nil, err
	}
	cols := make([]column, len(types))
	for i, t := range types {
		typ, err := duckfmt.ParseType(t.DatabaseTypeName())
		if err != nil {
			return nil, nil, err
		}
		cols[i] = column{t.Name(), typ}
	}
	values, dest := make([]any, len(cols)), make([]any, len(cols))
	for i := range values {
		dest[i] = &values[i]
	}
	var t table
	var p printer
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return nil, nil, err
		}
		row := make([]value, len(cols))
		for i, v := range values {
			row[i] = p.value(v, cols[i].typ)
		}
		t = append(t, row)
	}
	if err := rows.Err(); err != nil {
		return nil, nil, err
	}
	return cols, t, nil
}
