package writer

import (
	"strings"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/metadata"
)

func (w *writer) createStatement(s *resolved.AnyResolvedCreateStatementProto) string {
	switch n := s.GetNode().(type) {
	case *resolved.AnyResolvedCreateStatementProto_ResolvedCreateFunctionStmtNode:
		return w.createFunction(n.ResolvedCreateFunctionStmtNode)
	case *resolved.AnyResolvedCreateStatementProto_ResolvedCreateTableFunctionStmtNode:
		return w.createTableFunction(n.ResolvedCreateTableFunctionStmtNode)
	case *resolved.AnyResolvedCreateStatementProto_ResolvedCreateProcedureStmtNode:
		return w.createProcedure(n.ResolvedCreateProcedureStmtNode)
	case *resolved.AnyResolvedCreateStatementProto_ResolvedCreateSchemaStmtBaseNode:
		if c := n.ResolvedCreateSchemaStmtBaseNode.GetResolvedCreateSchemaStmtNode(); c != nil {
			w.make(c.GetParent().GetParent(), metadata.Dataset, c.GetParent().GetOptionList())
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
	case *resolved.AnyResolvedCreateStatementProto_ResolvedCreateSnapshotTableStmtNode:
		return w.createSnapshot(n.ResolvedCreateSnapshotTableStmtNode)
	case *resolved.AnyResolvedCreateStatementProto_ResolvedCreateViewBaseNode:
		if c := n.ResolvedCreateViewBaseNode.GetResolvedCreateViewStmtNode(); c != nil {
			text, _ := w.createView(c.GetParent())
			return text
		}
		if c := n.ResolvedCreateViewBaseNode.GetResolvedCreateMaterializedViewStmtNode(); c != nil {
			w.notice("A materialized view is a view here: its query runs when it is read.")
			text, kept := w.createView(c.GetParent())
			kept.Value.Materialized = true
			kept.Value.Partitioning, kept.Value.Clustering = w.partitioning(c.GetPartitionByList()), w.clustering(c.GetClusterByList())
			return text
		}
	}
	refuse(nil, "the statement %s", w.firstWords())
	return ""
}

func (w *writer) createTable(s *resolved.ResolvedCreateTableStmtProto) string {
	base := s.GetParent()
	at := location(base.GetParent().GetParent().GetParent())
	if base.GetIsValueTable() || base.GetConnection() != nil {
		refuse(at, "a value table, or one WITH CONNECTION,")
	}
	kept := w.make(base.GetParent(), metadata.Table, base.GetOptionList())
	kept.Value.Partitioning, kept.Value.Clustering = w.partitioning(s.GetPartitionByList()), w.clustering(s.GetClusterByList())
	w.makeColumns(kept, base.GetColumnDefinitionList())
	head, name := w.create(base.GetParent(), "TABLE", base.GetParent().GetNamePath())
	head += " " + name
	for _, from := range []*resolved.AnyResolvedScanProto{s.GetCloneFrom(), s.GetCopyFrom()} {
		if from != nil {
			return w.defined(base.GetParent(), head, w.copied(at, from, kept), true)
		}
	}
	if base.GetLikeTable().GetName() != "" {
		like := w.names.Tables[base.GetLikeTable().GetSerializationId()]
		kept.Action, kept.From = Copy, like.Path
		return w.defined(base.GetParent(), head, like, false)
	}
	var columns []string
	for _, c := range base.GetColumnDefinitionList() {
		columns = append(columns, w.columnDefinition(at, c))
	}
	if kept.Value.Partitioning != nil && kept.Value.Partitioning.Column == "" {
		columns = append(columns, ingestion(kept.Value.Partitioning))
	}
	return head + " (" + strings.Join(columns, ", ") + ")"
}

func (w *writer) createTableAs(s *resolved.ResolvedCreateTableAsSelectStmtProto) string {
	base := s.GetParent()
	at := location(base.GetParent().GetParent().GetParent())
	if base.GetIsValueTable() || base.GetConnection() != nil {
		refuse(at, "a value table, or one WITH CONNECTION,")
	}
	kept := w.make(base.GetParent(), metadata.Table, base.GetOptionList())
	kept.Value.Partitioning, kept.Value.Clustering = w.partitioning(s.GetPartitionByList()), w.clustering(s.GetClusterByList())
	if kept.Value.Partitioning != nil && kept.Value.Partitioning.Column == "" {
		w.wrong(at, "PARTITION BY _PARTITIONDATE or _PARTITIONTIME cannot stand in CREATE TABLE AS SELECT")
	}
	w.makeColumns(kept, base.GetColumnDefinitionList())
	head, name := w.create(base.GetParent(), "TABLE", base.GetParent().GetNamePath())
	definition, constrained := "", false
	var columns []string
	for _, c := range base.GetColumnDefinitionList() {
		a := c.GetAnnotations()
		constrained = constrained || a.GetNotNull() || c.GetDefaultValue() != nil || a.GetTypeParameters() != nil || len(a.GetChildList()) > 0
		columns = append(columns, w.columnDefinition(at, c))
	}
	if constrained {
		definition = "(" + strings.Join(columns, ", ") + ")"
	}
	if base.GetLikeTable().GetName() != "" {
		like := w.names.Tables[base.GetLikeTable().GetSerializationId()]
		kept.Action, kept.From = Copy, like.Path
		definition = w.definition(like.Path)
	}
	query := w.query(s.GetQuery(), s.GetOutputColumnList())
	if definition == "" {
		return head + " " + name + " AS " + query
	}
	return w.filled(base.GetParent(), head+" "+name, definition, query)
}

// createView writes CREATE VIEW, and gives what is kept of it.
func (w *writer) createView(s *resolved.ResolvedCreateViewBaseProto) (string, *Change) {
	if s.GetIsValueTable() {
		refuse(location(s.GetParent().GetParent().GetParent()), "a view of values")
	}
	kept := w.make(s.GetParent(), metadata.View, s.GetOptionList())
	kept.Value.Query = s.GetSql()
	w.makeColumns(kept, s.GetColumnDefinitionList())
	head, name := w.create(s.GetParent(), "VIEW", s.GetParent().GetNamePath())
	return head + " " + name + " AS " + w.query(s.GetQuery(), s.GetOutputColumnList()), kept
}

// copied is the table that a statement copies, whose metadata it takes over.
func (w *writer) copied(at *resolved.ParseLocationRangeProto, from *resolved.AnyResolvedScanProto, kept *Change) Table {
	t := from.GetResolvedTableScanNode()
	if t == nil {
		refuse(at, "CLONE or COPY of other than a table")
	}
	w.asOf(t)
	kept.Action, kept.From = Copy, w.tableOf(t).Path
	return w.tableOf(t)
}

// createSnapshot writes CREATE SNAPSHOT TABLE as a copy, which statements of GoogleSQL do not change.
func (w *writer) createSnapshot(s *resolved.ResolvedCreateSnapshotTableStmtProto) string {
	at := location(s.GetParent().GetParent().GetParent())
	kept := w.make(s.GetParent(), metadata.Table, s.GetOptionList())
	from := w.copied(at, s.GetCloneFrom(), kept)
	kept.Value.SnapshotOf = strings.Join(from.Path, ".")
	head, name := w.create(s.GetParent(), "TABLE", s.GetParent().GetNamePath())
	return w.defined(s.GetParent(), head+" "+name, from, true)
}

// defined writes a table with the columns of another one: AS SELECT would leave out what may not be NULL, defaults and checks.
func (w *writer) defined(s *resolved.ResolvedCreateStatementProto, head string, from Table, rows bool) string {
	definition := w.definition(from.Path)
	switch {
	case definition == "" && rows:
		return head + " AS FROM " + from.From
	case definition == "":
		return head + " AS FROM " + from.From + " LIMIT 0"
	case !rows:
		return head + " " + definition
	}
	return w.filled(s, head, definition, "SELECT * FROM "+from.From)
}

// held is the table in which rows wait for the table that replaces the one that they may come from.
const held = `"mallard made"`

// filled writes a table with a definition and the rows of a query, in several statements.
func (w *writer) filled(s *resolved.ResolvedCreateStatementProto, head, definition, query string) string {
	temporary := s.GetCreateScope() == resolved.ResolvedCreateStatementEnums_CREATE_TEMP
	cautious := s.GetCreateMode() == resolved.ResolvedCreateStatementEnums_CREATE_IF_NOT_EXISTS
	if cautious && (temporary || len(w.parameters) > 0) { // nothing must follow where the table is there, which is known of what is kept
		refuse(location(s.GetParent().GetParent()), "IF NOT EXISTS with constraints and rows, for a temporary table or with parameters,")
	}
	_, name := w.create(s, "TABLE", s.GetNamePath())
	if temporary {
		name = "temp.main." + name
	}
	if !temporary && len(w.parameters) == 0 && s.GetCreateMode() != resolved.ResolvedCreateStatementEnums_CREATE_OR_REPLACE {
		for _, p := range Pieces(query)[1:] { // the marks of constructs are of use in the statement itself only
			query = strings.Replace(query, mark(p.Construct), "", 1)
		}
		w.then = append(w.then, "INSERT INTO "+name+" "+query)
		return head + " " + definition
	}
	w.then = append(w.then, head+" "+definition, "INSERT INTO "+name+" FROM temp.main."+held, "DROP TABLE temp.main."+held)
	return "CREATE OR REPLACE TEMP TABLE " + held + " AS " + query
}

func (w *writer) definition(path []string) string {
	if w.names.Definition == nil {
		return ""
	}
	text, err := w.names.Definition(path)
	if err != nil {
		panic(failed{err})
	}
	return text
}
