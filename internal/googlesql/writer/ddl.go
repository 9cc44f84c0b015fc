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
	refuse(nil, "the statement %s", nodeName(s))
	return ""
}

func (w *writer) notice(text string) { w.notices = append(w.notices, text) }

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
			return head + " AS FROM " + w.copied(at, from, kept).From
		}
	}
	if base.GetLikeTable().GetName() != "" {
		like := w.names.Tables[base.GetLikeTable().GetSerializationId()]
		kept.Action, kept.From = Copy, like.Path
		return head + " AS FROM " + like.From + " LIMIT 0"
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
	for _, c := range base.GetColumnDefinitionList() {
		if c.GetAnnotations().GetNotNull() || c.GetDefaultValue() != nil || c.GetAnnotations().GetTypeParameters() != nil {
			refuse(at, "a constraint, a default or the parameters of a type before AS SELECT")
		}
	}
	return head + " " + name + " AS " + w.query(s.GetQuery(), s.GetOutputColumnList())
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
	return head + " " + name + " AS FROM " + from.From
}
