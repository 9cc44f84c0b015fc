package planner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/quote"
)

// translate writes a GoogleSQL query for DuckDB.
func (ex *expander) translate(ctx context.Context, src string, q *dialect.Query) (*dialect.Text, error) {
	if ex.GoogleSQL == nil {
		return nil, dialect.At(q.Span, errors.New("GoogleSQL is not read here"))
	}
	t, err := ex.GoogleSQL()
	if err != nil {
		return nil, dialect.At(q.Span, err)
	}
	constructs, err := ex.constructs(ctx, src, q)
	if err != nil {
		return nil, err
	}
	text := src[q.Pos:q.End]
	given := dialect.Parameters(text, q.Lang)
	byPosition := len(given) > 0 && text[given[0].Pos] == '?'
	names := make([]string, len(given))
	for i, g := range given {
		if names[i] = strings.Trim(text[g.Pos+1:g.End], "`"); byPosition {
			names[i] = strconv.Itoa(i + 1)
		}
	}
	p := parameters(ctx, byPosition)
	p.Names = names
	s, err := t.Translate(ctx, text, constructs, described{ex}, p)
	var unsupported *writer.Error
	var wrong *analyzer.Error
	if errors.As(err, &wrong) && len(p.Named)+len(p.Positional) > 0 { // a text where a DATE is wanted, and the like
		s, err = t.Translate(ctx, text, constructs, described{ex}, analyzer.Parameters{Undeclared: true, ByPosition: byPosition, Names: names})
	}
	if errors.As(err, &unsupported) && unsupported.Misfolded {
		constructs = withDates(constructs, text)
		s, err = t.Translate(ctx, text, constructs, described{ex}, p)
	}
	if err != nil {
		return nil, placed(src, q.Span, err)
	}
	if ex.plan != nil {
		ex.plan.source = q.Span
	}
	ex.columns = s.Columns
	for _, name := range s.Natives {
		if err := ex.Models.NativeFunction(ctx, name); err != nil {
			return nil, err
		}
	}
	if err := ex.checkReads(ctx, s.Reads, q.Pos); err != nil {
		return nil, err
	}
	if err := ex.planned(ctx, s.Written); err != nil {
		return nil, err
	}
	ex.tellLeftOut(text)
	if s.Load != nil {
		sql, then, err := described{ex}.load(ctx, s.Load)
		if err != nil {
			return nil, dialect.At(dialect.Span{Pos: q.Pos + s.Load.Pos, End: q.Pos + s.Load.End}, err)
		}
		if ex.plan != nil {
			ex.plan.Then = then
		}
		return dialect.Assemble([]dialect.Part{{Pos: q.Pos, SQL: sql}}, q.End), nil
	}
	if s.SQL == "" {
		return dialect.Assemble([]dialect.Part{{Pos: q.Pos, SQL: nothing}}, q.End), nil
	}
	parts := make([]dialect.Part, len(s.Pieces))
	for i, p := range s.Pieces {
		parts[i] = dialect.Part{Pos: q.Pos, SQL: p.SQL}
		if p.Construct >= 0 {
			parts[i].Pos += constructs[p.Construct].Pos
		}
	}
	return dialect.Assemble(parts, q.End), nil
}

// placed gives an error of a translation its place: an error of the database's about a name has that of the name.
func placed(src string, at dialect.Span, err error) error {
	var unsupported *writer.Error
	var wrong *analyzer.Error
	var project *catalog.UnknownProject
	switch {
	case errors.As(err, &unsupported) && unsupported.End > 0:
		return dialect.At(dialect.Span{Pos: at.Pos + unsupported.Pos, End: at.Pos + unsupported.End}, err)
	case errors.As(err, &unsupported):
		return dialect.At(dialect.Opening(src, at), err)
	case errors.As(err, &wrong) && wrong.Line > 0:
		pos := at.Pos + wrong.Pos
		wrong.Line = 0 // the statement's own place says it
		return dialect.At(dialect.Span{Pos: pos, End: pos}, wrong)
	case errors.As(err, &project):
		first := project.Path[0]
		if i := strings.Index(src[at.Pos:at.End], first); i >= 0 {
			return dialect.At(dialect.Span{Pos: at.Pos + i, End: at.Pos + i + len(first)}, err)
		}
	}
	if subject, ok := dialect.Subject(src, at); ok {
		return dialect.At(subject, err)
	}
	return dialect.At(dialect.Opening(src, at), err)
}

// withDates adds the constants DATE '…' of a text as calls, which the analyzer does not compute.
func withDates(constructs []translator.Construct, text string) []translator.Construct {
	all := slices.Clone(constructs)
	for _, d := range dialect.Dates(text) {
		value := text[d.Pos+len("DATE") : d.End]
		all = append(all, translator.Construct{Span: translator.Span{Pos: d.Pos, End: d.End}, Text: "CAST(CONCAT(" + value + ") AS DATE)"})
	}
	slices.SortStableFunc(all, func(a, b translator.Construct) int { return cmp.Compare(a.Pos, b.Pos) })
	return all
}

// planned puts what a statement does beside its text into the plan.
func (ex *expander) planned(ctx context.Context, s *writer.Written) (err error) {
	if ex.plan == nil {
		return nil
	}
	ex.plan.Notice = strings.Join(s.Notices, " ")
	ex.plan.Then = s.Then
	ex.plan.Passing = len(s.Reads) > 0
	if len(s.Changes) > 0 {
		ex.keep(ex.plan, s.Changes, s.SQL == "" && s.Load == nil)
	}
	touched, err := ex.touched(ctx, s)
	ex.plan.Touches = append([]string{}, touched...)
	return err
}

// constructs gives the calls of ours in a query to the translator, with places in the text of the query.
func (ex *expander) constructs(ctx context.Context, src string, q *dialect.Query) ([]translator.Construct, error) {
	ex.fused = fuse(q.Functions)
	var all []translator.Construct
	var add func(calls []*dialect.Call) error
	add = func(calls []*dialect.Call) error {
		for _, c := range calls {
			k, err := ex.callConstruct(ctx, src, c, q.InView)
			if err != nil {
				return err
			}
			all = append(all, k...)
			if err := add(c.Inner); err != nil {
				return err
			}
		}
		return nil
	}
	if err := add(q.Calls); err != nil {
		return nil, err
	}
	plain := *q
	plain.Data = nil // the analyzer knows the pseudo-column
	for _, f := range q.Functions {
		k, err := ex.functionConstruct(ctx, f, &plain)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	for _, f := range q.TableFunctions {
		k, err := ex.tableFunctionConstruct(ctx, f)
		if err != nil {
			return nil, err
		}
		if len(k.Relations) == 0 { // it says what it takes
			if _, err := ex.tableFunction(ctx, f, make([]string, len(f.Args))); err != nil {
				return nil, err
			}
		}
		all = append(all, k)
	}
	calls, err := ex.tableCalls(ctx, src, q.Span)
	if err != nil {
		return nil, err
	}
	all = append(all, calls...)
	for i := range all {
		all[i].Shift(-q.Pos)
	}
	slices.SortStableFunc(all, func(a, b translator.Construct) int { return cmp.Compare(a.Pos, b.Pos) })
	return all, checkNesting(all, q.Pos)
}

// maxNesting bounds the calls of ours inside each other.
const maxNesting = 400

func checkNesting(sorted []translator.Construct, base int) error {
	var ends []int // of the calls that hold the current one
	for _, c := range sorted {
		for len(ends) > 0 && ends[len(ends)-1] <= c.Pos {
			ends = ends[:len(ends)-1]
		}
		if ends = append(ends, c.End); len(ends) > maxNesting {
			at := dialect.Span{Pos: base + c.Pos, End: base + c.End}
			return dialect.At(at, fmt.Errorf("this statement nests more than %d levels deep", maxNesting))
		}
	}
	return nil
}

// callConstruct makes a call of a model, and casts of the bare parameters in its input, whose types the model tells.
func (ex *expander) callConstruct(ctx context.Context, src string, c *dialect.Call, quoted bool) ([]translator.Construct, error) {
	query, inputs, err := ex.outputs(ctx, src, c)
	if err != nil {
		return nil, err
	}
	input := translator.Relation{Span: translator.Span(c.Input)}
	if c.InputIsTable {
		input.Table = c.Table.Parts
	}
	k := translator.Construct{Span: translator.Span(c.Span), Relations: []translator.Relation{input}, Query: query}
	k.Write = func(relations, _ []string) (string, error) {
		x, err := ex.expansion(ctx, src, c, quoted)
		switch {
		case err != nil:
			return "", err
		case x.Whole != nil:
			return x.Whole(relations[0]), nil
		}
		return x.Open + relations[0] + x.Close, nil
	}
	all := []translator.Construct{k}
	for _, p := range c.Params {
		for _, in := range inputs {
			if t := in.googleSQL(); strings.EqualFold(in.name, p.Name) && t != "" {
				all = append(all, translator.Construct{Span: translator.Span(p.Span), Text: "CAST(" + src[p.Pos:p.End] + " AS " + t + ")"})
			}
		}
	}
	return all, nil
}

// outputs gives a query over input0 with the columns of a call: what the model gives, then those of the input. inputs are the
// columns that the call reads.
func (ex *expander) outputs(ctx context.Context, src string, c *dialect.Call) (query string, inputs []inputColumn, err error) {
	apart := &expander{Planner: ex.Planner, lang: ex.lang, plan: &Plan{}}
	x, err := apart.expansion(ctx, src, c, false)
	if err != nil {
		return "", nil, err
	}
	inputs = apart.plan.Models[0].inputs
	values := make([]string, len(inputs))
	for i, in := range inputs {
		values[i] = "NULL"
		if in.sqlType != "" {
			values[i] += "::" + in.sqlType
		}
		values[i] += " AS " + quote.Name(in.name)
	}
	columns, err := ex.Columns(ctx, "SELECT * FROM "+x.Open+"SELECT "+strings.Join(values, ", ")+x.Close)
	if err != nil {
		return "", nil, dialect.At(c.Model.Span, fmt.Errorf("the columns of %s cannot be told: %w", c.Func, err))
	}
	if len(columns) < len(inputs) {
		return "", nil, dialect.At(c.Model.Span, fmt.Errorf("the columns of %s cannot be told", c.Func))
	}
	var items []string
	for _, o := range columns[:len(columns)-len(inputs)] {
		t, err := o.Type.GoogleSQL()
		if err != nil {
			return "", nil, dialect.At(c.Model.Span, fmt.Errorf("column `%s` of %s: %w", o.Name, c.Func, err))
		}
		items = append(items, "CAST(NULL AS "+t.String()+") AS "+googlesql.QuoteName(o.Name))
	}
	return "SELECT " + strings.Join(append(items, "*"), ", ") + " FROM input0", inputs, nil
}

// functionConstruct makes a call of a scalar function.
func (ex *expander) functionConstruct(ctx context.Context, f *dialect.Function, q *dialect.Query) (translator.Construct, error) {
	k := translator.Construct{Span: translator.Span(f.Span)}
	s, err := ex.function(ctx, f, q)
	if err != nil {
		return k, err
	}
	for _, i := range s.Keep {
		k.Args = append(k.Args, translator.Span(f.Args[i].Span))
	}
	k.Result, err = resultOf(f)
	k.Write = func(_, args []string) (string, error) {
		text := s.Text[0]
		for i, a := range args {
			text += a + s.Text[i+1]
		}
		return text, nil
	}
	return k, err
}

// resultOf is the type of a scalar function's result: the columns of output_schema take the place of a STRUCT's field result.
func resultOf(f *dialect.Function) (googlesql.Type, error) {
	known, _ := functiontable.Named(f.Name)
	t, err := googlesql.ParseType(known.Result)
	if err != nil {
		return t, dialect.At(f.Span, fmt.Errorf("the type of %s cannot be told", f.Name))
	}
	for _, a := range f.Args {
		if a.Name == "output_schema" && a.Const != nil && a.Const.Kind == dialect.String {
			fields, err := googlesql.ParseColumns(a.Const.Str)
			if err != nil {
				return t, dialect.At(a.Span, err)
			}
			t.Fields = append(fields, t.Fields[1:]...)
		}
	}
	return t, nil
}

// tableFunctionConstruct makes a call of a table function of ours.
func (ex *expander) tableFunctionConstruct(ctx context.Context, f *dialect.TableFunction) (translator.Construct, error) {
	k := translator.Construct{Span: translator.Span(f.Span)}
	for _, a := range f.Args {
		span := translator.Span(a.Span)
		switch {
		case isRelation(a):
			r := translator.Relation{Span: span}
			if a.Table != nil {
				r.Table = a.Table.Parts
			}
			k.Relations = append(k.Relations, r)
		case a.Name == "query_value" && a.Query:
			k.Args = append(k.Args, translator.Span{Pos: span.Pos - 1, End: span.End + 1}) // with its brackets it is an expression
		case a.Name == "query_value":
			k.Args = append(k.Args, span)
		}
	}
	switch {
	case f.Name == "EXTERNAL_OBJECT_TRANSFORM":
		k.Query = "SELECT *, CAST(NULL AS STRING) AS signed_url FROM input0"
	case f.Name == "RANGE_SESSIONIZE":
		s, err := readSessions(f)
		if err != nil {
			return k, dialect.At(f.Span, err)
		}
		k.Query = "SELECT *, " + googlesql.QuoteName(s.column) + " AS session_range FROM input0"
		k.Fails = fmt.Sprintf("RANGE_SESSIONIZE: `%s` is no column of the table", s.column)
	case len(k.Relations) == 1:
		k.Query = "SELECT input0 AS base, CAST(NULL AS FLOAT64) AS distance FROM input0"
	default:
		k.Query = "SELECT input1 AS query, input0 AS base, CAST(NULL AS FLOAT64) AS distance FROM input1, input0"
	}
	k.Write = func(relations, args []string) (string, error) {
		texts := make([]string, len(f.Args))
		for i, a := range f.Args {
			switch {
			case isRelation(a):
				texts[i], relations = relations[0], relations[1:]
			case a.Name == "query_value" && a.Query:
				texts[i] = "SELECT " + args[0]
			case a.Name == "query_value":
				texts[i] = args[0]
			}
		}
		return ex.tableFunction(ctx, f, texts)
	}
	return k, nil
}

// Table implements [translator.Database].
func (d described) Table(ctx context.Context, path []string) (translator.Table, error) {
	if t, ok := d.tableCall(path); ok {
		return t, nil
	}
	if t, ok, err := d.special(ctx, splitPath(path)); ok {
		return t, err
	}
	parts, err := d.parts(ctx, path)
	if err != nil {
		return translator.Table{}, err
	}
	t := translator.Table{From: quote.Path(parts...)}
	l, err := d.limitOf(ctx, parts)
	if err != nil {
		return t, err
	}
	t.Snapshot = l.snapshot
	columns := d.Describe(ctx, "SELECT * FROM "+t.From)
	if columns == nil || l.expired() {
		return t, translator.ErrNotFound
	}
	for _, name := range leftOut(columns) {
		d.left = append(d.left, strings.Join(path, ".")+"."+name)
	}
	t.Columns = withPartitionColumns(d.columns(columns))
	if parts[0] == "temp" {
		return t, nil
	}
	_, objects, err := d.objectTable(ctx, parts)
	if objects {
		t.Columns = append(t.Columns, translator.Column{
			Name: PseudoColumn, Type: googlesql.Type{Kind: googlesql.Bytes}, Pseudo: true,
			Expr: bytesOf(dialect.TableRef{Path: dialect.Path{Parts: parts}}),
		})
	}
	return t, err
}
