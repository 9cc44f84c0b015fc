package writer

import (
	"fmt"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

func (w *writer) createStatement(s *resolved.AnyResolvedCreateStatementProto) string {
	switch n := s.GetNode().(type) {
	case *resolved.AnyResolvedCreateStatementProto_ResolvedCreateFunctionStmtNode:
		return w.createFunction(n.ResolvedCreateFunctionStmtNode)
	case *resolved.AnyResolvedCreateStatementProto_ResolvedCreateTableFunctionStmtNode:
		return w.createTableFunction(n.ResolvedCreateTableFunctionStmtNode)
	case *resolved.AnyResolvedCreateStatementProto_ResolvedCreateSchemaStmtBaseNode:
		if c := n.ResolvedCreateSchemaStmtBaseNode.GetResolvedCreateSchemaStmtNode(); c != nil {
			w.describing(c.GetParent().GetOptionList())
			head, name := w.create(c.GetParent().GetParent(), "SCHEMA", c.GetParent().GetParent().GetNamePath())
			return head + " " + name
		}
	case *resolved.AnyResolvedCreateStatementProto_ResolvedCreateTableStmtBaseNode:
		if c := n.ResolvedCreateTableStmtBaseNode.GetResolvedCreateTableStmtNode(); c != nil {
			return w.createTable(c)
		}
		if c := n.ResolvedCreateTableStmtBaseNode.GetResolvedCreateTableAsSelectStmtNode(); c != nil {
			return w.createTableAs(c)
		}
	case *resolved.AnyResolvedCreateStatementProto_ResolvedCreateViewBaseNode:
		if c := n.ResolvedCreateViewBaseNode.GetResolvedCreateViewStmtNode(); c != nil {
			return w.createView(c.GetParent())
		}
		if c := n.ResolvedCreateViewBaseNode.GetResolvedCreateMaterializedViewStmtNode(); c != nil {
			w.notice("A materialized view is a view here: its query runs when it is read.")
			w.stored(len(c.GetPartitionByList()), len(c.GetClusterByList()))
			return w.createView(c.GetParent())
		}
	}
	refuse(nil, "the statement %s", nodeName(s))
	return ""
}

func (w *writer) notice(text string) { w.notices = append(w.notices, text) }

// stored notes clauses about the storage of a table, which change no result.
func (w *writer) stored(partition, cluster int) {
	if partition > 0 {
		w.notice("PARTITION BY has no effect here.")
	}
	if cluster > 0 {
		w.notice("CLUSTER BY has no effect here.")
	}
}

// describingOptions change no result.
var describingOptions = map[string]bool{
	"description": true, "friendly_name": true, "labels": true, "tags": true, "location": true, "kms_key_name": true, "default_kms_key_name": true,
	"default_table_expiration_days": true, "default_partition_expiration_days": true, "max_time_travel_hours": true, "storage_billing_model": true,
	"enable_refresh": true, "refresh_interval_minutes": true, "max_staleness": true, "allow_non_incremental_definition": true, "privacy_policy": true,
	"is_case_insensitive": false, "default_rounding_mode": false, "expiration_timestamp": true, "partition_expiration_days": true,
	"require_partition_filter": true, "rounding_mode": false, "is_primary_replica": true, "primary_replica": true,
}

// describing refuses options that would change a result.
func (w *writer) describing(list []*resolved.ResolvedOptionProto) {
	for _, o := range list {
		if !describingOptions[strings.ToLower(o.GetName())] {
			refuse(location(o.GetParent().GetParent()), "the option %s", o.GetName())
		}
		switch name := strings.ToLower(o.GetName()); name {
		case "expiration_timestamp", "partition_expiration_days", "default_table_expiration_days", "default_partition_expiration_days", "require_partition_filter":
			w.notice("The option " + name + " has no effect here.")
		}
	}
}

func (w *writer) createTable(s *resolved.ResolvedCreateTableStmtProto) string {
	base := s.GetParent()
	at := location(base.GetParent().GetParent().GetParent())
	if base.GetIsValueTable() || base.GetConnection() != nil {
		refuse(at, "a value table, or one WITH CONNECTION,")
	}
	w.describing(base.GetOptionList())
	w.stored(len(s.GetPartitionByList()), len(s.GetClusterByList()))
	head, name := w.create(base.GetParent(), "TABLE", base.GetParent().GetNamePath())
	head += " " + name
	for _, from := range []*resolved.AnyResolvedScanProto{s.GetCloneFrom(), s.GetCopyFrom()} {
		if from == nil {
			continue
		}
		t := from.GetResolvedTableScanNode()
		if t == nil || t.GetForSystemTimeExpr() != nil {
			refuse(at, "CLONE or COPY of other than a table as it is")
		}
		return head + " AS FROM " + w.tableOf(t).From
	}
	if base.GetLikeTable().GetName() != "" {
		return head + " AS FROM " + w.names.Tables[base.GetLikeTable().GetSerializationId()].From + " LIMIT 0"
	}
	var columns []string
	for _, c := range base.GetColumnDefinitionList() {
		columns = append(columns, w.columnDefinition(at, c))
	}
	return head + " (" + strings.Join(columns, ", ") + ")"
}

func (w *writer) columnDefinition(at *resolved.ParseLocationRangeProto, c *resolved.ResolvedColumnDefinitionProto) string {
	if c.GetGeneratedColumnInfo() != nil {
		refuse(at, "a generated column")
	}
	t := analyzer.TypeOf(c.GetType())
	text := quote.Name(c.GetName()) + " " + parameterized(at, t, c.GetAnnotations().GetTypeParameters())
	if c.GetAnnotations().GetNotNull() {
		text += " NOT NULL"
	}
	if d := c.GetDefaultValue(); d != nil {
		text += " DEFAULT (" + w.expr(d.GetExpression()) + ")"
	}
	w.describing(c.GetAnnotations().GetOptionList())
	if n := c.GetAnnotations().GetTypeParameters().GetStringTypeParameters(); n != nil && !n.GetIsMaxLength() {
		length := "length"
		if t.Kind == googlesql.Bytes {
			length = "octet_length"
		}
		text += fmt.Sprintf(" CHECK (%s(%s) <= %d)", length, quote.Name(c.GetName()), n.GetMaxLength())
	}
	return text
}

// parameterized is the DuckDB type of a column whose type may have parameters.
func parameterized(at *resolved.ParseLocationRangeProto, t googlesql.Type, p *resolved.TypeParametersProto) string {
	if n := p.GetNumericTypeParameters(); n != nil && !n.GetIsMaxPrecision() {
		if n.GetPrecision() > 38 {
			refuse(at, "a number of %d digits", n.GetPrecision())
		}
		return fmt.Sprintf("DECIMAL(%d,%d)", n.GetPrecision(), n.GetScale())
	}
	for _, c := range p.GetChildList() {
		if c.GetNumericTypeParameters() != nil || c.GetStringTypeParameters() != nil || len(c.GetChildList()) > 0 {
			refuse(at, "a type with parameters inside ARRAY or STRUCT")
		}
	}
	return duckType(at, t)
}

func (w *writer) createTableAs(s *resolved.ResolvedCreateTableAsSelectStmtProto) string {
	base := s.GetParent()
	at := location(base.GetParent().GetParent().GetParent())
	if base.GetIsValueTable() || base.GetConnection() != nil {
		refuse(at, "a value table, or one WITH CONNECTION,")
	}
	w.describing(base.GetOptionList())
	w.stored(len(s.GetPartitionByList()), len(s.GetClusterByList()))
	head, name := w.create(base.GetParent(), "TABLE", base.GetParent().GetNamePath())
	for _, c := range base.GetColumnDefinitionList() {
		if c.GetAnnotations().GetNotNull() || c.GetDefaultValue() != nil || c.GetAnnotations().GetTypeParameters() != nil {
			refuse(at, "a constraint, a default or the parameters of a type before AS SELECT")
		}
		w.describing(c.GetAnnotations().GetOptionList())
	}
	return head + " " + name + " AS " + w.query(s.GetQuery(), s.GetOutputColumnList())
}

func (w *writer) createView(s *resolved.ResolvedCreateViewBaseProto) string {
	if s.GetIsValueTable() {
		refuse(location(s.GetParent().GetParent().GetParent()), "a view of values")
	}
	w.describing(s.GetOptionList())
	for _, c := range s.GetColumnDefinitionList() {
		w.describing(c.GetAnnotations().GetOptionList())
	}
	head, name := w.create(s.GetParent(), "VIEW", s.GetParent().GetNamePath())
	return head + " " + name + " AS " + w.query(s.GetQuery(), s.GetOutputColumnList())
}

func (w *writer) dropStatement(s *resolved.ResolvedDropStmtProto) string {
	kind := strings.ToUpper(s.GetObjectType())
	switch kind {
	case "TABLE", "VIEW", "SCHEMA":
	default:
		refuse(location(s.GetParent().GetParent()), "DROP %s", kind)
	}
	text := w.drop(kind, s.GetIsIfExists(), s.GetNamePath())
	if s.GetDropMode() == resolved.ResolvedDropStmtEnums_CASCADE {
		text += " CASCADE"
	}
	return text
}

func (w *writer) alterStatement(s *resolved.AnyResolvedAlterObjectStmtProto) string {
	switch n := s.GetNode().(type) {
	case *resolved.AnyResolvedAlterObjectStmtProto_ResolvedAlterTableStmtNode:
		return w.alterTable(n.ResolvedAlterTableStmtNode.GetParent(), "TABLE")
	case *resolved.AnyResolvedAlterObjectStmtProto_ResolvedAlterViewStmtNode:
		return w.alterTable(n.ResolvedAlterViewStmtNode.GetParent(), "VIEW")
	}
	refuse(nil, "the statement %s", nodeName(s))
	return ""
}

// alterTable writes ALTER TABLE with one change: DuckDB takes no more in a statement.
func (w *writer) alterTable(s *resolved.ResolvedAlterObjectStmtProto, kind string) string {
	at := location(s.GetParent().GetParent())
	head := "ALTER " + kind + " "
	if s.GetIsIfExists() {
		head += "IF EXISTS "
	}
	head += w.place(s.GetNamePath()) + " "
	if len(s.GetAlterActionList()) != 1 {
		refuse(at, "ALTER %s with more than one change", kind)
	}
	a := s.GetAlterActionList()[0]
	switch n := a.GetNode().(type) {
	case *resolved.AnyResolvedAlterActionProto_ResolvedAddColumnActionNode:
		c := n.ResolvedAddColumnActionNode
		if c.GetColumnDefinition().GetAnnotations().GetNotNull() {
			refuse(at, "ADD COLUMN … NOT NULL")
		}
		ifNot := ""
		if c.GetIsIfNotExists() {
			ifNot = "IF NOT EXISTS "
		}
		return head + "ADD COLUMN " + ifNot + w.columnDefinition(at, c.GetColumnDefinition())
	case *resolved.AnyResolvedAlterActionProto_ResolvedDropColumnActionNode:
		if n.ResolvedDropColumnActionNode.GetIsIfExists() {
			head += "DROP COLUMN IF EXISTS "
		} else {
			head += "DROP COLUMN "
		}
		return head + quote.Name(n.ResolvedDropColumnActionNode.GetName())
	case *resolved.AnyResolvedAlterActionProto_ResolvedRenameToActionNode:
		path := n.ResolvedRenameToActionNode.GetNewPath()
		return head + "RENAME TO " + quote.Name(path[len(path)-1])
	case *resolved.AnyResolvedAlterActionProto_ResolvedRenameColumnActionNode:
		return head + "RENAME COLUMN " + quote.Name(n.ResolvedRenameColumnActionNode.GetName()) + " TO " + quote.Name(n.ResolvedRenameColumnActionNode.GetNewName())
	case *resolved.AnyResolvedAlterActionProto_ResolvedAlterColumnActionNode:
		return head + w.alterColumn(at, n.ResolvedAlterColumnActionNode)
	}
	refuse(at, "%s in ALTER %s", nodeName(a), kind)
	return ""
}

func (w *writer) alterColumn(at *resolved.ParseLocationRangeProto, a *resolved.AnyResolvedAlterColumnActionProto) string {
	alter := func(p *resolved.ResolvedAlterColumnActionProto) string {
		return "ALTER COLUMN " + quote.Name(p.GetColumn()) + " "
	}
	switch n := a.GetNode().(type) {
	case *resolved.AnyResolvedAlterColumnActionProto_ResolvedAlterColumnDropNotNullActionNode:
		return alter(n.ResolvedAlterColumnDropNotNullActionNode.GetParent()) + "DROP NOT NULL"
	case *resolved.AnyResolvedAlterColumnActionProto_ResolvedAlterColumnDropDefaultActionNode:
		return alter(n.ResolvedAlterColumnDropDefaultActionNode.GetParent()) + "DROP DEFAULT"
	case *resolved.AnyResolvedAlterColumnActionProto_ResolvedAlterColumnSetDefaultActionNode:
		d := n.ResolvedAlterColumnSetDefaultActionNode
		return alter(d.GetParent()) + "SET DEFAULT (" + w.expr(d.GetDefaultValue().GetExpression()) + ")"
	case *resolved.AnyResolvedAlterColumnActionProto_ResolvedAlterColumnSetDataTypeActionNode:
		d := n.ResolvedAlterColumnSetDataTypeActionNode
		return alter(d.GetParent()) + "SET DATA TYPE " + parameterized(at, analyzer.TypeOf(d.GetUpdatedType()), d.GetUpdatedTypeParameters())
	}
	refuse(at, "%s", nodeName(a))
	return ""
}
