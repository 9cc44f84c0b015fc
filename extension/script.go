package extension

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/planner"
	"github.com/mallardml/mallard/internal/quote"
)

// script is what the procedural language knows of a connection: the variables that are declared, whose values are variables of
// DuckDB's. They live as long as the *sql.Conn, or a call of the *sql.DB
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language).
type script struct {
	variables []translator.Variable
	hidden    int     // values between statements that have names now
	errs      []error // those that the open handlers handle, the innermost last
	depth     int     // calls of procedures that run now
	blocks    int     // lists of statements that run now

	changed *int64            // @@row_count
	began   time.Time         // when the text began whose statements run
	ran     int               // its statements so far
	set     map[string]string // the @@variables that were set and do nothing here
}

// place is the name of a variable in DuckDB: those of a procedure are apart from those of its callers.
func (c *script) place(name string) string {
	if c.depth > 0 {
		return fmt.Sprintf("mallard %d %s", c.depth, strings.ToLower(name))
	}
	return "mallard " + strings.ToLower(name)
}

// variable is one that is declared.
func (c *script) variable(name string, t googlesql.Type) translator.Variable {
	return translator.Variable{Name: name, Type: t, Expr: valueOf(c.place(name), t)}
}

func valueOf(place string, t googlesql.Type) string {
	return "CAST(getvariable(" + quote.Text(place) + ") AS " + t.DuckDB() + ")"
}

// The ways in which a statement ends what is around it.
type jump struct {
	kind  dialect.ScriptKind // Leave, Iterate or Return
	label string
}

func (j *jump) Error() string {
	switch j.kind {
	case dialect.Leave:
		return "BREAK stands in no loop"
	case dialect.Iterate:
		return "CONTINUE stands in no loop"
	}
	return "RETURN"
}

// control gives the statement of the procedural language that a text is, or nil. SET is DuckDB's where no variable has the name, and
// one of DuckDB's settings has.
func (s *session) control(ctx context.Context, src string, st dialect.Statement) *dialect.ScriptStatement {
	if s.lang != dialect.GoogleSQL && st.Lang != dialect.GoogleSQL {
		return nil
	}
	n := dialect.Control(src, st)
	if n != nil || st.Lang == dialect.GoogleSQL && !dialect.Assigns(src, st) {
		return n
	}
	if n = dialect.Assignment(src, st); n == nil || len(n.Names) > 1 || strings.HasPrefix(n.Names[0], "@@") ||
		s.script.find(n.Names[0]) != nil {
		return n
	}
	if st.Lang != dialect.GoogleSQL && s.own(ctx, n.Names[0]) {
		return nil
	}
	return n
}

func (c *script) find(name string) *translator.Variable {
	for i := range c.variables {
		if strings.EqualFold(c.variables[i].Name, name) {
			return &c.variables[i]
		}
	}
	return nil
}

// errReturned says that RETURN has ended a script.
var errReturned = errors.New("the script has returned")

// procedural runs a statement of the procedural language that is in no other.
func (s *session) procedural(ctx context.Context, src string, n *dialect.ScriptStatement, exec func(*execution) error) error {
	err := s.procedure(ctx, src, n, exec)
	var j *jump
	switch {
	case !errors.As(err, &j):
		return err
	case j.kind == dialect.Return:
		return errReturned
	}
	return s.scriptFault(ctx, src, n.Span, err)
}

// procedure runs a statement of the procedural language. exec runs a query among those inside it.
func (s *session) procedure(ctx context.Context, src string, n *dialect.ScriptStatement, exec func(*execution) error) error {
	hidden := s.script.hidden
	err := s.statement(ctx, src, n, exec)
	s.script.hidden = hidden
	return failedIn(err, src, n)
}

// failedIn gives an error of a statement the statement's place, unless it has a better one.
func failedIn(err error, src string, n *dialect.ScriptStatement) error {
	var e *Error
	if !errors.As(err, &e) || e.statement != "" || e.Source != src {
		return err
	}
	at := *e
	at.statement = src[n.Pos:n.End]
	if at.Pos < 0 {
		at.Pos, at.End = n.Pos, n.End
		at.Line, at.Col = dialect.LineCol(src, n.Pos)
	}
	return &at
}

func (s *session) statement(ctx context.Context, src string, n *dialect.ScriptStatement, exec func(*execution) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch n.Kind {
	case dialect.Plain:
		st := dialect.Statement{Span: n.Expr, Lang: dialect.GoogleSQL, Stop: n.Expr.End}
		return s.run(ctx, src, st, exec)
	case dialect.Declare:
		return s.declare(ctx, src, n)
	case dialect.Set:
		return s.set(ctx, src, n)
	case dialect.If:
		for _, c := range n.Clauses {
			yes, err := s.condition(ctx, "SELECT ", src, c.Expr)
			if err != nil {
				return err
			}
			if yes {
				return s.list(ctx, src, c.Body, exec)
			}
		}
		return s.list(ctx, src, n.Else, exec)
	case dialect.Case:
		return s.caseStatement(ctx, src, n, exec)
	case dialect.Begin:
		return s.handled(ctx, src, n, exec)
	case dialect.Loop, dialect.While, dialect.Repeat:
		return s.loop(ctx, src, n, exec)
	case dialect.For:
		return s.forLoop(ctx, src, n, exec)
	case dialect.Leave, dialect.Iterate, dialect.Return:
		j := &jump{kind: n.Kind}
		if len(n.Names) > 0 {
			j.label = n.Names[0]
		}
		return j
	case dialect.Raise:
		return s.raise(ctx, src, n)
	case dialect.ExecuteImmediate:
		return s.immediate(ctx, src, n, exec)
	case dialect.Invoke:
		return s.invoke(ctx, src, n, exec)
	}
	return s.scriptFault(ctx, src, n.Span, fmt.Errorf("this statement of a script is not supported"))
}

func (s *session) scriptFault(ctx context.Context, src string, at dialect.Span, err error) error {
	return (&execution{s: s, ctx: ctx, src: src}).fault(dialect.At(at, err))
}

// list runs statements; the variables that they declare end with it.
func (s *session) list(ctx context.Context, src string, list []*dialect.ScriptStatement, exec func(*execution) error) error {
	before := len(s.script.variables)
	s.script.blocks++
	defer func() {
		s.script.variables = s.script.variables[:min(before, len(s.script.variables))]
		s.script.blocks = max(s.script.blocks-1, 0)
	}()
	for _, n := range list {
		if err := s.procedure(ctx, src, n, exec); err != nil {
			return err
		}
	}
	return nil
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

func (s *session) declare(ctx context.Context, src string, n *dialect.ScriptStatement) error {
	var t googlesql.Type
	value := ""
	if n.Expr.End > n.Expr.Pos {
		sql, columns, err := s.expression(ctx, "SELECT ", src, n.Expr)
		if err != nil {
			return err
		}
		t, value = columns[0].Type, sql
	}
	if n.Type != "" {
		declared, err := googlesql.ParseType(n.Type)
		if err != nil {
			return s.scriptFault(ctx, src, n.Span, err)
		}
		if value != "" {
			if value, err = coerced(value, t, declared, s.written(ctx, src, n.Expr)); err != nil {
				return s.scriptFault(ctx, src, n.Expr, err)
			}
		}
		t = declared
	}
	if value == "" {
		value = "SELECT NULL::" + t.DuckDB()
	}
	for _, name := range n.Names {
		old := s.script.find(name)
		if old != nil && s.script.blocks > 0 {
			return s.scriptFault(ctx, src, n.Span, fmt.Errorf("Variable '%s' redeclaration is not allowed", name))
		}
		if err := s.evaluate(ctx, src, n.Expr, s.script.place(name), value); err != nil {
			return err
		}
		v := s.script.variable(name, t)
		if old != nil {
			*old = v
		} else {
			s.script.variables = append(s.script.variables, v)
		}
	}
	return nil
}

var oneString = regexp.MustCompile(`^[rR]?('[^']*'|"[^"]*")$`)

// coerced gives a query for a value of another type, where GoogleSQL converts by itself: among numbers, from DATE to DATETIME and
// TIMESTAMP, and constants.
func coerced(sql string, from, to googlesql.Type, written string) (string, error) {
	rank := map[googlesql.Kind]int{googlesql.Int64: 1, googlesql.Numeric: 2, googlesql.BigNumeric: 3, googlesql.Float64: 4}
	constant := strings.TrimSpace(written)
	switch {
	case from.Equal(to):
		return sql, nil
	case rank[from.Kind] > 0 && rank[from.Kind] < rank[to.Kind],
		from.Kind == googlesql.Date && (to.Kind == googlesql.DateTime || to.Kind == googlesql.Timestamp),
		strings.EqualFold(constant, "NULL"),
		from.Kind == googlesql.String && oneString.MatchString(constant),
		from.Kind == googlesql.Float64 && rank[to.Kind] > 1 && strings.Trim(constant, "-0123456789.eE") == "",
		from.Kind == googlesql.Array && to.Kind == googlesql.Array,
		from.Kind == googlesql.Struct && to.Kind == googlesql.Struct && len(from.Fields) == len(to.Fields):
		return "SELECT CAST((" + sql + ") AS " + to.DuckDB() + ")", nil
	}
	return "", fmt.Errorf("cannot coerce expression of type %s to type %s", from, to)
}

func (s *session) set(ctx context.Context, src string, n *dialect.ScriptStatement) error {
	if len(n.Names) == 1 && strings.HasPrefix(n.Names[0], "@@") {
		return s.setSystem(ctx, src, n)
	}
	for _, name := range n.Names {
		if s.script.find(name) == nil {
			return s.scriptFault(ctx, src, n.Span, fmt.Errorf("Undeclared variable: %s", name))
		}
	}
	sql, columns, err := s.expression(ctx, "SELECT ", src, n.Expr)
	if err != nil {
		return err
	}
	from := columns[0].Type
	if len(n.Names) == 1 {
		v := s.script.find(n.Names[0])
		if sql, err = coerced(sql, from, v.Type, s.written(ctx, src, n.Expr)); err != nil {
			return s.scriptFault(ctx, src, n.Expr, err)
		}
		return s.evaluate(ctx, src, n.Expr, s.script.place(v.Name), sql)
	}
	if from.Kind != googlesql.Struct || len(from.Fields) != len(n.Names) {
		return s.scriptFault(ctx, src, n.Expr, fmt.Errorf("%d variables need a STRUCT of as many fields, not %s", len(n.Names), from))
	}
	return s.spread(ctx, src, n.Expr, sql, from.Fields, n.Names)
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

// handled runs a block with its handler.
func (s *session) handled(ctx context.Context, src string, n *dialect.ScriptStatement, exec func(*execution) error) error {
	err := s.list(ctx, src, n.Body, exec)
	var j *jump
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case errors.As(err, &j):
		if j.kind == dialect.Leave && n.Label != "" && strings.EqualFold(j.label, n.Label) {
			return nil
		}
		return err
	case !n.Handles:
		return err
	}
	s.script.errs = append(s.script.errs, err)
	defer func() { s.script.errs = s.script.errs[:len(s.script.errs)-1] }()
	return s.list(ctx, src, n.Handler, exec)
}

func (s *session) raise(ctx context.Context, src string, n *dialect.ScriptStatement) error {
	if n.Expr.End == n.Expr.Pos {
		if last := len(s.script.errs); last > 0 {
			return s.script.errs[last-1]
		}
		return s.scriptFault(ctx, src, n.Span, errors.New("RAISE without a message stands in a handler only"))
	}
	message, err := s.text(ctx, src, n.Expr, "the message of RAISE")
	if err != nil {
		return err
	}
	return s.scriptFault(ctx, src, n.Span, errors.New(message))
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

// noRows is the result of a script without a query.
type noRows struct{}

func (noRows) Columns() []string         { return nil }
func (noRows) Close() error              { return nil }
func (noRows) Next([]driver.Value) error { return io.EOF }
