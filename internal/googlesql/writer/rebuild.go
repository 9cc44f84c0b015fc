package writer

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

// DuckDB adds no CHECK to a table, and changes no column that has one. So where lengths come or go, the table is made anew and takes the
// rows of the old one, in the statement's transaction. The old one is renamed first, which DuckDB refuses where an index or another table
// depends on it: nothing of that is lost.

// old is the name of the table while it waits.
const old = `"mallard old"`

// definition is what stands in the brackets of CREATE TABLE: columns, then constraints.
type definition []string

// parseDefinition takes what DuckDB writes apart, at the commas that stand in no brackets and no quotes.
func parseDefinition(text string) definition {
	text = strings.TrimSuffix(strings.TrimPrefix(text, "("), ")")
	var parts definition
	depth, from := 0, 0
	var in byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case in != 0:
			if c == in {
				in = 0
			}
		case c == '\'' || c == '"':
			in = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(text[from:i]))
			from = i + 1
		}
	}
	return append(parts, strings.TrimSpace(text[from:]))
}

func (d definition) String() string { return "(" + strings.Join(d, ", ") + ")" }

// lengthCheck matches a CHECK of a length, as columnWriter writes it and DuckDB gives it back.
var lengthCheck = regexp.MustCompile(`(?:octet_)?length\((.+?)\) <= (\d+)\)*$`)

// lengthOf is what a CHECK says: the value, in DuckDB without quotes around names, and its greatest length.
func lengthOf(check string) (value string, n int, ok bool) {
	m := lengthCheck.FindStringSubmatch(check)
	if m == nil {
		return "", 0, false
	}
	n, err := strconv.Atoi(m[2])
	return strings.ReplaceAll(strings.ToLower(m[1]), `"`, ""), n, err == nil
}

// lengths are those of the checks of a column.
func (d definition) lengths(column string) map[string]int {
	all := map[string]int{}
	name := strings.ToLower(column)
	for _, part := range d {
		if value, n, ok := lengthOf(part); ok && (value == name || strings.Contains(value, "("+name+",")) {
			all[value] = n
		}
	}
	return all
}

// rebuilt writes the statements that give a table another definition.
func (a *alteration) rebuilt(d definition) []string {
	place := a.place(a.base.Path)
	dot := strings.LastIndex(place, quote.Name(lastPart(a.base.Path)))
	return []string{
		"ALTER TABLE " + place + " RENAME TO " + old,
		"CREATE TABLE " + place + " " + d.String(),
		"INSERT INTO " + place + " BY NAME FROM " + place[:max(dot, 0)] + old,
		"DROP TABLE " + place[:max(dot, 0)] + old,
	}
}

func lastPart(path []string) string {
	name := path[len(path)-1]
	return name[strings.LastIndexByte(name, '.')+1:]
}

// needsRebuild reports whether an action brings lengths, or meets them.
func (a *alteration) needsRebuild(action *resolved.AnyResolvedAlterActionProto) bool {
	if c := action.GetResolvedAddColumnActionNode(); c != nil {
		_, checks := a.uncheckedColumn(a.at, c.GetColumnDefinition())
		return len(checks) > 0
	}
	set := setType(action)
	return set != nil && len(parseDefinition(a.definition(a.base.Path)).lengths(set.GetParent().GetColumn())) > 0
}

func setType(action *resolved.AnyResolvedAlterActionProto) *resolved.ResolvedAlterColumnSetDataTypeActionProto {
	return action.GetResolvedAlterColumnActionNode().GetResolvedAlterColumnSetDataTypeActionNode()
}

// rebuild applies actions to the definition of the table. Those that change metadata alone are none of it.
func (a *alteration) rebuild(actions []*resolved.AnyResolvedAlterActionProto) []string {
	d := parseDefinition(a.definition(a.base.Path))
	for _, action := range actions {
		switch c, set := action.GetResolvedAddColumnActionNode(), setType(action); {
		case c != nil:
			a.keepColumn(c)
			name := quote.Name(c.GetColumnDefinition().GetName())
			there := slices.ContainsFunc(d, func(part string) bool { return strings.EqualFold(columnOf(part), unquote(name)) })
			if there && c.GetIsIfNotExists() {
				continue
			}
			d = append(d, a.columnDefinition(a.at, c.GetColumnDefinition()))
		case set != nil:
			d = a.retyped(d, set)
		case action.GetResolvedSetOptionsActionNode() != nil,
			action.GetResolvedAlterColumnActionNode().GetResolvedAlterColumnOptionsActionNode() != nil:
			a.action(action)
		default:
			refuse(a.at, "another change in one statement with the type of a column that has a length")
		}
	}
	return a.rebuilt(d)
}

func unquote(name string) string { return strings.ReplaceAll(strings.Trim(name, `"`), `""`, `"`) }

// columnOf is the name of the column that a part of a definition defines.
func columnOf(part string) string {
	if strings.HasPrefix(part, `"`) {
		if end := strings.Index(part[1:], `" `); end >= 0 {
			return unquote(part[:end+2])
		}
	}
	name, _, _ := strings.Cut(part, " ")
	return name
}

// retyped gives a column of a definition its new type, which no length of the old one may exceed.
func (a *alteration) retyped(d definition, set *resolved.ResolvedAlterColumnSetDataTypeActionProto) definition {
	column := set.GetParent().GetColumn()
	t := analyzer.TypeOf(set.GetUpdatedType())
	w := columnWriter{at: a.at, column: quote.Name(column)}
	annotations := set.GetUpdatedAnnotations()
	if annotations == nil {
		annotations = &resolved.ResolvedColumnAnnotationsProto{TypeParameters: set.GetUpdatedTypeParameters()}
	}
	duck := w.typeOf(t, annotations)
	w.check(field{sql: w.column, json: "$"}, t, annotations)
	before := d.lengths(column)
	a.assignable(set, before, w.checks)
	a.retype(set, t)
	var after definition
	for _, part := range d {
		switch value, _, ok := lengthOf(part); {
		case ok && before[value] > 0: // goes, or comes anew
		case strings.EqualFold(columnOf(part), column):
			after = append(after, w.column+" "+duck+constraintsOf(part))
		default:
			after = append(after, part)
		}
	}
	for _, check := range w.checks {
		after = append(after, "CHECK ("+check+")")
	}
	return after
}

// constraintsOf is what follows the type in the definition of a column.
func constraintsOf(part string) string {
	if i := strings.Index(part, " DEFAULT("); i >= 0 {
		return part[i:]
	}
	if strings.HasSuffix(part, " NOT NULL") {
		return " NOT NULL"
	}
	return ""
}

// assignable refuses a type that takes less than the column's, as BigQuery does.
func (a *alteration) assignable(set *resolved.ResolvedAlterColumnSetDataTypeActionProto, before map[string]int, checks []string) {
	wrong := func() {
		a.wrong(a.at, "ALTER TABLE ALTER COLUMN SET DATA TYPE requires that the existing type of column "+set.GetParent().GetColumn()+
			" is assignable to the new type, which takes less")
	}
	for _, check := range checks {
		if value, n, ok := lengthOf(check); ok && (before[value] == 0 || before[value] > n) {
			wrong()
		}
	}
	p := set.GetUpdatedTypeParameters().GetNumericTypeParameters()
	if p == nil || p.GetIsMaxPrecision() {
		return
	}
	table := slices.IndexFunc(a.names.Tables, func(t Table) bool { return slices.Equal(t.Path, a.base.Path) })
	if table < 0 {
		return
	}
	t := a.names.Tables[table]
	for i, name := range t.Names {
		if !strings.EqualFold(name, set.GetParent().GetColumn()) || i >= len(t.Digits) || t.Types[i].Kind == googlesql.Int64 {
			continue
		}
		if has := t.Digits[i]; has.Scale > int(p.GetScale()) || has.Width-has.Scale > int(p.GetPrecision()-p.GetScale()) {
			wrong()
		}
	}
}
