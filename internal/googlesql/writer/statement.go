package writer

import (
	"maps"
	"slices"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/metadata"
)

// Statement writes a statement.
func Statement(s *resolved.AnyResolvedStatementProto, n Names) (out *Written, err error) {
	defer refused(&err)
	w := &writer{
		names: n, with: map[string]withQuery{}, natives: map[string]bool{}, parameters: map[string]bool{},
		decimals: map[int64]fixed{}, integers: map[int64]int{}, unfixed: map[*resolved.AnyResolvedExprProto]bool{},
	}
	out = &Written{}
	w.statement(s, out)
	out.SQL = w.unusedParameters() + out.SQL
	out.Notices, out.Then, out.Changes, out.Reads, out.Writes = w.notices, w.then, w.kept, w.reads, w.writes
	out.Natives = slices.Sorted(maps.Keys(w.natives))
	return out, nil
}

// statement writes the text of a statement, and of a query the columns.
func (w *writer) statement(s *resolved.AnyResolvedStatementProto, out *Written) {
	switch n := s.GetNode().(type) {
	case *resolved.AnyResolvedStatementProto_ResolvedQueryStmtNode:
		q := n.ResolvedQueryStmtNode
		w.keepsDigits = true
		out.SQL, out.Columns = w.query(q.GetQuery(), q.GetOutputColumnList()), outputFields(q.GetOutputColumnList())
		if q.GetIsValueTable() && len(out.Columns) == 1 && out.Columns[0].Type.Kind == googlesql.Struct {
			out.SQL, out.Columns = valueTable(out.SQL, out.Columns[0])
		}
	case *resolved.AnyResolvedStatementProto_ResolvedInsertStmtNode:
		out.SQL = w.insert(n.ResolvedInsertStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedUpdateStmtNode:
		out.SQL = w.update(n.ResolvedUpdateStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedDeleteStmtNode:
		out.SQL = w.delete(n.ResolvedDeleteStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedMergeStmtNode:
		out.SQL = w.merge(n.ResolvedMergeStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedTruncateStmtNode:
		out.SQL = w.truncate(n.ResolvedTruncateStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedCreateStatementNode:
		if e := n.ResolvedCreateStatementNode.GetResolvedCreateTableStmtBaseNode().GetResolvedCreateExternalTableStmtNode(); e != nil {
			out.Load = w.createExternal(e)
			return
		}
		w.keepsDigits = true
		out.SQL = w.createStatement(n.ResolvedCreateStatementNode)
	case *resolved.AnyResolvedStatementProto_ResolvedDropFunctionStmtNode:
		out.SQL = w.dropRoutine(n.ResolvedDropFunctionStmtNode.GetIsIfExists(), n.ResolvedDropFunctionStmtNode.GetNamePath())
	case *resolved.AnyResolvedStatementProto_ResolvedDropTableFunctionStmtNode:
		out.SQL = w.dropRoutine(n.ResolvedDropTableFunctionStmtNode.GetIsIfExists(), n.ResolvedDropTableFunctionStmtNode.GetNamePath())
	case *resolved.AnyResolvedStatementProto_ResolvedDropStmtNode:
		out.SQL = w.dropStatement(n.ResolvedDropStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedDropMaterializedViewStmtNode:
		d := n.ResolvedDropMaterializedViewStmtNode
		w.change(Change{Action: Forget, Kind: metadata.View, Path: d.GetNamePath()})
		out.SQL = w.drop("VIEW", d.GetIsIfExists(), d.GetNamePath())
	case *resolved.AnyResolvedStatementProto_ResolvedDropSnapshotTableStmtNode:
		d := n.ResolvedDropSnapshotTableStmtNode
		w.change(Change{Action: Forget, Kind: metadata.Table, Path: d.GetNamePath()})
		out.SQL = w.drop("TABLE", d.GetIsIfExists(), d.GetNamePath())
	case *resolved.AnyResolvedStatementProto_ResolvedUndropStmtNode:
		d := n.ResolvedUndropStmtNode
		refuse(location(d.GetParent().GetParent()), "UNDROP %s (nothing of what was dropped is kept)", strings.ToUpper(d.GetSchemaObjectKind()))
	case *resolved.AnyResolvedStatementProto_ResolvedAlterTableSetOptionsStmtNode:
		a := n.ResolvedAlterTableSetOptionsStmtNode
		w.change(Change{Action: Alter, Kind: metadata.Table, Path: a.GetNamePath(), IfExists: a.GetIsIfExists(),
			Options: w.options(a.GetOptionList())})
	case *resolved.AnyResolvedStatementProto_ResolvedAlterObjectStmtNode:
		out.SQL = w.alterStatement(n.ResolvedAlterObjectStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedExportDataStmtNode:
		w.keepsDigits = true
		out.SQL = w.exportData(n.ResolvedExportDataStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedAuxLoadDataStmtNode:
		out.Load = w.loadData(n.ResolvedAuxLoadDataStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedAssertStmtNode:
		out.SQL = w.assert(n.ResolvedAssertStmtNode)
	case *resolved.AnyResolvedStatementProto_ResolvedCallStmtNode:
		w.callStatement(n.ResolvedCallStmtNode, out)
	case *resolved.AnyResolvedStatementProto_ResolvedExplainStmtNode:
		w.statement(n.ResolvedExplainStmtNode.GetStatement(), out)
		out.SQL, out.Columns = "EXPLAIN "+out.SQL, nil
	case *resolved.AnyResolvedStatementProto_ResolvedBeginStmtNode:
		out.SQL = "BEGIN TRANSACTION"
	case *resolved.AnyResolvedStatementProto_ResolvedCommitStmtNode:
		out.SQL = "COMMIT"
	case *resolved.AnyResolvedStatementProto_ResolvedRollbackStmtNode:
		out.SQL = "ROLLBACK"
	default:
		refuse(nil, "the statement %s", w.firstWords())
	}
}

// assert writes ASSERT as a statement without rows.
func (w *writer) assert(s *resolved.ResolvedAssertStmtProto) string {
	message := "Assertion failed"
	if d := s.GetDescription(); d != "" {
		message += ": " + d
	}
	return "SET VARIABLE mallard_assertion = (SELECT CASE WHEN " + w.expr(s.GetExpression()) + " THEN true ELSE " + fail(message, "BOOLEAN") +
		" END)"
}
