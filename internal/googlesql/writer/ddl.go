package writer

import "github.com/mallardml/mallard/internal/googlesql/resolved"

func (w *writer) createStatement(s *resolved.AnyResolvedCreateStatementProto) string {
	switch n := s.GetNode().(type) {
	case *resolved.AnyResolvedCreateStatementProto_ResolvedCreateFunctionStmtNode:
		return w.createFunction(n.ResolvedCreateFunctionStmtNode)
	case *resolved.AnyResolvedCreateStatementProto_ResolvedCreateTableFunctionStmtNode:
		return w.createTableFunction(n.ResolvedCreateTableFunctionStmtNode)
	}
	refuse(nil, "the statement %s", nodeName(s))
	return ""
}
