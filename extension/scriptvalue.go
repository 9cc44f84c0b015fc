package extension

import (
	"context"
	"database/sql/driver"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/planner"
	"github.com/mallardml/mallard/internal/quote"
)

func (s *session) scriptFault(ctx context.Context, src string, at dialect.Span, err error) error {
	return (&execution{s: s, ctx: ctx, src: src}).fault(dialect.At(at, err))
}

// evaluate sets a variable of DuckDB's to the only value that a query gives. at is the expression, where it is the user's.
func (s *session) evaluate(ctx context.Context, src string, at dialect.Span, place, sql string) error {
	t, _ := ctx.Value(stepsKey{}).(*steps)
	if t != nil && t.each != nil && queries(src[at.Pos:at.End]) {
		return t.value(ctx, s, src, at, place, func() error { return s.assign(ctx, src, place, sql) })
	}
	return s.assign(ctx, src, place, sql)
}

func (s *session) assign(ctx context.Context, src, place, sql string) error {
	x := s.execute(ctx, src)
	defer x.done()
	if p := s.script.limits[place]; p != nil {
		sql = p.checked(sql)
	}
	return x.retry(&dialect.Statement{}, func(int) error {
		x.plan = &planner.Plan{SQL: "SET VARIABLE " + quote.Name(place) + " = (" + sql + ")", Pos: -1, Verb: "SET VARIABLE",
			Lang: dialect.GoogleSQL}
		_, err := x.exec(nil)
		return err
	})
}

// hide evaluates a query into a variable that no statement can name.
func (s *session) hide(ctx context.Context, src string, at dialect.Span, sql string) (place string, err error) {
	s.script.hidden++
	place = "mallard_value " + strconv.Itoa(s.script.hidden)
	return place, s.evaluate(ctx, src, at, place, sql)
}

// read gives the value of a variable of DuckDB's.
func (s *session) read(ctx context.Context, expr string) (driver.Value, error) {
	rows, err := s.rows(ctx, "SELECT "+expr)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0][0], nil
}

func (s *session) expression(ctx context.Context, before, src string, at dialect.Span) (sql string, columns []googlesql.Field, err error) {
	src, at = s.withParameters(ctx, src, at)
	if err := s.afterEnd(ctx, src, dialect.Statement{Span: at, Lang: dialect.GoogleSQL, Stop: at.End}); err != nil {
		return "", nil, err
	}
	sql, columns, err = s.planner(ctx).Expression(ctx, before, src, at)
	if err != nil {
		err = (&execution{s: s, ctx: ctx, src: src}).fault(err)
	}
	return sql, columns, err
}

func (s *session) condition(ctx context.Context, before, src string, at dialect.Span) (bool, error) {
	sql, columns, err := s.expression(ctx, before, src, at)
	if err != nil {
		return false, err
	}
	if strings.EqualFold(strings.TrimSpace(s.written(ctx, src, at)), "NULL") {
		return false, nil
	}
	if t := columns[0].Type; t.Kind != googlesql.Bool {
		return false, s.scriptFault(ctx, src, at, fmt.Errorf("the condition must be BOOL, and is %s", t))
	}
	name, err := s.hide(ctx, src, at, sql)
	if err != nil {
		return false, err
	}
	v, err := s.read(ctx, "getvariable("+quote.Text(name)+")")
	return v == true, err
}

// written is the text of an expression with what stands for its parameters.
func (s *session) written(ctx context.Context, src string, at dialect.Span) string {
	src, at = s.withParameters(ctx, src, at)
	return src[at.Pos:at.End]
}

// withParameters writes variables for the parameters of an expression, where bindVariables has made them.
func (s *session) withParameters(ctx context.Context, src string, at dialect.Span) (string, dialect.Span) {
	t, _ := ctx.Value(stepsKey{}).(*steps)
	if t == nil || len(t.args) == 0 {
		return src, at
	}
	text := src[at.Pos:at.End]
	var b strings.Builder
	b.WriteString(src[:at.Pos])
	pos := 0
	for _, p := range dialect.Parameters(text, dialect.GoogleSQL) {
		name := strings.ToLower(strings.Trim(text[p.Pos+1:p.End], "`"))
		given := slices.IndexFunc(t.args, func(a driver.NamedValue) bool { return a.Name != "" && strings.EqualFold(a.Name, name) })
		if text[p.Pos] == '?' {
			n, ok := t.positional(src, at.Pos+p.Pos)
			if given = n; !ok {
				given = -1
			}
			name = strconv.Itoa(n + 1)
		}
		written := googlesql.NameIfNeeded(parameterVariable + name)
		switch {
		case given < 0:
			continue // the analyzer says what is wrong
		case t.args[given].Value == nil:
			written = "NULL"
		case s.script.find(parameterVariable+name) == nil:
			continue
		}
		b.WriteString(text[pos:p.Pos] + written)
		pos = p.End
	}
	b.WriteString(text[pos:])
	end := b.Len()
	return b.String() + src[at.End:], dialect.Span{Pos: at.Pos, End: end}
}

// spread gives the fields of the only STRUCT of a query to variables.
func (s *session) spread(ctx context.Context, src string, at dialect.Span, sql string, fields []googlesql.Field, names []string) error {
	whole, err := s.hide(ctx, src, at, sql)
	if err != nil {
		return err
	}
	for i, name := range names {
		v := s.script.find(name)
		if v == nil {
			return s.scriptFault(ctx, src, at, fmt.Errorf("Undeclared variable: %s", name))
		}
		one := fmt.Sprintf("SELECT struct_extract_at(getvariable(%s), %d)", quote.Text(whole), i+1)
		if one, err = coerced(one, fields[i].Type, v.Type, ""); err != nil {
			return s.scriptFault(ctx, src, at, err)
		}
		if err := s.assign(ctx, src, s.script.place(name), one); err != nil {
			return err
		}
	}
	return nil
}

// text evaluates a STRING that is not NULL.
func (s *session) text(ctx context.Context, src string, at dialect.Span, what string) (string, error) {
	sql, columns, err := s.expression(ctx, "SELECT ", src, at)
	if err != nil {
		return "", err
	}
	if t := columns[0].Type; t.Kind != googlesql.String {
		return "", s.scriptFault(ctx, src, at, fmt.Errorf("%s must be a STRING, and is %s", what, t))
	}
	name, err := s.hide(ctx, src, at, sql)
	if err != nil {
		return "", err
	}
	v, err := s.read(ctx, "getvariable("+quote.Text(name)+")")
	text, ok := v.(string)
	if err == nil && !ok {
		err = s.scriptFault(ctx, src, at, fmt.Errorf("%s is NULL", what))
	}
	return text, err
}

var oneString = regexp.MustCompile(`^[rR]?('[^']*'|"[^"]*")$`)

// coerced gives a query for a value of another type, where GoogleSQL converts by itself: among numbers, from DATE to DATETIME and
// TIMESTAMP, and constants.
func coerced(sql string, from, to googlesql.Type, written string) (string, error) {
	rank := map[googlesql.Kind]int{googlesql.Int64: 1, googlesql.Numeric: 2, googlesql.BigNumeric: 3, googlesql.Float64: 4}
	constant := strings.TrimSpace(written)
	switch {
	case from.Kind == googlesql.String && !from.Equal(to) && oneString.MatchString(constant):
		if !slices.Contains([]googlesql.Kind{googlesql.Date, googlesql.DateTime, googlesql.Time, googlesql.Timestamp}, to.Kind) {
			break
		}
		wrong := fmt.Sprintf("Could not cast literal \"%s\" to type %s", strings.Trim(strings.TrimLeft(constant, "rR"), `'"`), to)
		return fmt.Sprintf("SELECT CASE WHEN TRY_CAST(x AS %[2]s) IS NULL THEN error(%[3]s) ELSE CAST(x AS %[2]s) END FROM (%[1]s) AS t(x)",
			sql, to.DuckDB(), quote.Text(wrong)), nil
	case from.Equal(to):
		return sql, nil
	case rank[from.Kind] > 0 && rank[from.Kind] < rank[to.Kind],
		from.Kind == googlesql.Date && (to.Kind == googlesql.DateTime || to.Kind == googlesql.Timestamp),
		strings.EqualFold(constant, "NULL"),
		from.Kind == googlesql.Float64 && rank[to.Kind] > 1 && strings.Trim(constant, "-0123456789.eE") == "",
		from.Kind == googlesql.Array && to.Kind == googlesql.Array,
		from.Kind == googlesql.Struct && to.Kind == googlesql.Struct && len(from.Fields) == len(to.Fields):
		return "SELECT CAST((" + sql + ") AS " + to.DuckDB() + ")", nil
	}
	return "", fmt.Errorf("cannot coerce expression of type %s to type %s", from, to)
}

// parameterVariable is the variable in which statements of the procedural language find a parameter.
const parameterVariable = "mallard_parameter_"
