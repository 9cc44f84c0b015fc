package writer

import (
	"regexp"
	"slices"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

func (w *writer) dropStatement(s *resolved.ResolvedDropStmtProto) string {
	kind := strings.ToUpper(s.GetObjectType())
	switch kind {
	case "TABLE", "VIEW", "SCHEMA":
	case "PROCEDURE":
		return w.dropRoutine(s.GetIsIfExists(), s.GetNamePath())
	default:
		refuse(location(s.GetParent().GetParent()), "DROP %s", kind)
	}
	w.change(Change{Action: Forget, Kind: map[string]metadata.Kind{"TABLE": metadata.Table, "VIEW": metadata.View,
		"SCHEMA": metadata.Dataset}[kind], Path: s.GetNamePath()})
	text := w.drop(kind, s.GetIsIfExists(), s.GetNamePath())
	if s.GetDropMode() == resolved.ResolvedDropStmtEnums_CASCADE {
		text += " CASCADE"
	}
	return text
}

func (w *writer) alterStatement(s *resolved.AnyResolvedAlterObjectStmtProto) string {
	switch n := s.GetNode().(type) {
	case *resolved.AnyResolvedAlterObjectStmtProto_ResolvedAlterTableStmtNode:
		return w.alter(n.ResolvedAlterTableStmtNode.GetParent(), "TABLE", metadata.Table)
	case *resolved.AnyResolvedAlterObjectStmtProto_ResolvedAlterViewStmtNode:
		return w.alter(n.ResolvedAlterViewStmtNode.GetParent(), "VIEW", metadata.View)
	case *resolved.AnyResolvedAlterObjectStmtProto_ResolvedAlterMaterializedViewStmtNode:
		return w.alter(n.ResolvedAlterMaterializedViewStmtNode.GetParent(), "VIEW", metadata.View)
	case *resolved.AnyResolvedAlterObjectStmtProto_ResolvedAlterSchemaStmtNode:
		return w.alter(n.ResolvedAlterSchemaStmtNode.GetParent(), "SCHEMA", metadata.Dataset)
	}
	refuse(nil, "the statement %s", w.firstWords())
	return ""
}

// alter writes ALTER. DuckDB takes one change in a statement, so the others follow in statements of their own; what is kept besides
// its catalog takes none.
func (w *writer) alter(s *resolved.ResolvedAlterObjectStmtProto, kind string, of metadata.Kind) string {
	a := alteration{writer: w, at: location(s.GetParent().GetParent()), kind: kind}
	a.base = Change{Action: Alter, Kind: of, Path: s.GetNamePath(), IfExists: s.GetIsIfExists()}
	a.head = "ALTER " + kind + " "
	if s.GetIsIfExists() {
		a.head += "IF EXISTS "
	}
	a.head += w.place(s.GetNamePath()) + " "
	var all []string
	actions := s.GetAlterActionList()
	if kind == "TABLE" && slices.ContainsFunc(actions, a.needsRebuild) && a.definition(s.GetNamePath()) != "" {
		all = a.rebuild(actions)
		actions = nil
	}
	for _, action := range actions {
		if text := a.action(action); text != "" {
			all = append(all, a.head+text)
		}
	}
	if len(all) == 0 {
		return ""
	}
	w.then = append(w.then, all[1:]...)
	return all[0]
}

// alteration is an ALTER statement that is being written.
type alteration struct {
	*writer
	at   *resolved.ParseLocationRangeProto
	kind string
	head string
	base Change // without what changes
}

// action writes one change; "" is for one that DuckDB need not know.
func (a *alteration) action(action *resolved.AnyResolvedAlterActionProto) string {
	kept := a.base
	if set := action.GetResolvedSetOptionsActionNode(); set != nil {
		kept.Options = a.options(set.GetOptionList())
		a.change(kept)
		return ""
	}
	if a.kind == "SCHEMA" {
		refuse(a.at, "%s in ALTER SCHEMA", nodeName(action))
	}
	switch n := action.GetNode().(type) {
	case *resolved.AnyResolvedAlterActionProto_ResolvedAddColumnActionNode:
		return a.addColumn(n.ResolvedAddColumnActionNode)
	case *resolved.AnyResolvedAlterActionProto_ResolvedDropColumnActionNode:
		d := n.ResolvedDropColumnActionNode
		kept.Action, kept.Kind, kept.Column = Forget, metadata.Column, d.GetName()
		a.change(kept)
		if d.GetIsIfExists() {
			return "DROP COLUMN IF EXISTS " + quote.Name(d.GetName())
		}
		return "DROP COLUMN " + quote.Name(d.GetName())
	case *resolved.AnyResolvedAlterActionProto_ResolvedRenameToActionNode:
		path := n.ResolvedRenameToActionNode.GetNewPath()
		kept.Action, kept.To = Rename, path[len(path)-1]
		a.change(kept)
		return "RENAME TO " + quote.Name(path[len(path)-1])
	case *resolved.AnyResolvedAlterActionProto_ResolvedRenameColumnActionNode:
		r := n.ResolvedRenameColumnActionNode
		kept.Action, kept.Kind, kept.Column, kept.ToColumn = Rename, metadata.Column, r.GetName(), r.GetNewName()
		a.change(kept)
		return "RENAME COLUMN " + quote.Name(r.GetName()) + " TO " + quote.Name(r.GetNewName())
	case *resolved.AnyResolvedAlterActionProto_ResolvedAlterColumnActionNode:
		return a.alterColumn(n.ResolvedAlterColumnActionNode)
	}
	if keys.MatchString(a.names.Text) {
		a.notice("Keys are not enforced, and are not kept here.")
		return ""
	}
	refuse(a.at, "%s in ALTER %s", nodeName(action), a.kind)
	return ""
}

// keys matches changes of keys, which BigQuery keeps and does not enforce.
var keys = regexp.MustCompile(`(?i)\b(?:ADD\s+(?:CONSTRAINT\s+\S+\s+)?(?:PRIMARY|FOREIGN)|DROP\s+(?:PRIMARY|FOREIGN|CONSTRAINT))\b`)

// retype notes the new type of a column, and of the fields in it.
func (a *alteration) retype(set *resolved.ResolvedAlterColumnSetDataTypeActionProto, t googlesql.Type) {
	var walk func(path string, t googlesql.Type, p *resolved.TypeParametersProto)
	walk = func(path string, t googlesql.Type, p *resolved.TypeParametersProto) {
		kept := a.base
		kept.Kind, kept.Column, kept.Retype = metadata.Column, path, true
		kept.Value.Type = declared(t, p)
		a.change(kept)
		for t.Kind == googlesql.Array {
			t, p = *t.Elem, child(p, 0)
		}
		for i, f := range t.Fields {
			walk(path+"."+f.Name, f.Type, child(p, i))
		}
	}
	walk(set.GetParent().GetColumn(), t, set.GetUpdatedTypeParameters())
}

// child is the parameters of a part of a type; nil where there are none.
func child(p *resolved.TypeParametersProto, i int) *resolved.TypeParametersProto {
	if list := p.GetChildList(); i < len(list) {
		return list[i]
	}
	return nil
}

func (a *alteration) addColumn(c *resolved.ResolvedAddColumnActionProto) string {
	d := c.GetColumnDefinition()
	a.keepColumn(c)
	text, _ := a.uncheckedColumn(a.at, d)
	ifNot := ""
	if c.GetIsIfNotExists() {
		ifNot = "IF NOT EXISTS "
	}
	return "ADD COLUMN " + ifNot + text
}

// keepColumn notes what is kept of a column that is added.
func (a *alteration) keepColumn(c *resolved.ResolvedAddColumnActionProto) {
	d := c.GetColumnDefinition()
	if d.GetAnnotations().GetNotNull() {
		refuse(a.at, "ADD COLUMN … NOT NULL")
	}
	for _, kept := range a.columnChanges(d) {
		kept.Action, kept.Kind, kept.Path, kept.IfExists = Alter, metadata.Column, a.base.Path, a.base.IfExists
		kept.IfMissing = c.GetIsIfNotExists()
		a.change(kept)
	}
}

func (a *alteration) alterColumn(action *resolved.AnyResolvedAlterColumnActionProto) string {
	kept := a.base
	kept.Kind = metadata.Column
	alter := func(p *resolved.ResolvedAlterColumnActionProto) string {
		return "ALTER COLUMN " + quote.Name(p.GetColumn()) + " "
	}
	switch n := action.GetNode().(type) {
	case *resolved.AnyResolvedAlterColumnActionProto_ResolvedAlterColumnOptionsActionNode:
		o := n.ResolvedAlterColumnOptionsActionNode
		kept.Column, kept.Options = o.GetParent().GetColumn(), a.options(o.GetOptionList())
		a.change(kept)
		return ""
	case *resolved.AnyResolvedAlterColumnActionProto_ResolvedAlterColumnDropNotNullActionNode:
		return alter(n.ResolvedAlterColumnDropNotNullActionNode.GetParent()) + "DROP NOT NULL"
	case *resolved.AnyResolvedAlterColumnActionProto_ResolvedAlterColumnDropDefaultActionNode:
		of := n.ResolvedAlterColumnDropDefaultActionNode.GetParent()
		kept.Column, kept.Redefault = of.GetColumn(), true
		a.change(kept)
		return alter(of) + "DROP DEFAULT"
	case *resolved.AnyResolvedAlterColumnActionProto_ResolvedAlterColumnSetDefaultActionNode:
		d := n.ResolvedAlterColumnSetDefaultActionNode
		kept.Column, kept.Redefault = d.GetParent().GetColumn(), true
		kept.Value.Default = d.GetDefaultValue().GetSql()
		a.change(kept)
		return alter(d.GetParent()) + "SET DEFAULT (" + a.expr(d.GetDefaultValue().GetExpression()) + ")"
	case *resolved.AnyResolvedAlterColumnActionProto_ResolvedAlterColumnSetDataTypeActionNode:
		d := n.ResolvedAlterColumnSetDataTypeActionNode
		t := analyzer.TypeOf(d.GetUpdatedType())
		w := columnWriter{at: a.at, column: quote.Name(d.GetParent().GetColumn())}
		w.check(field{sql: w.column, json: "$"}, t, d.GetUpdatedAnnotations())
		a.assignable(d, nil, w.checks)
		a.retype(d, t)
		return alter(d.GetParent()) + "SET DATA TYPE " + parameterized(a.at, t, d.GetUpdatedTypeParameters())
	}
	refuse(a.at, "%s", nodeName(action))
	return ""
}
