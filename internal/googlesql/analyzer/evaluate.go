package analyzer

import (
	"context"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"google.golang.org/protobuf/proto"
)

// Evaluate runs a query without tables in Google's reference evaluator.
func (a *Analyzer) Evaluate(ctx context.Context, sql string) ([][]*resolved.ValueProto, error) {
	answer := &resolved.EvaluateQueryResponse{}
	err := call(ctx, a.service, "EvaluateQuery", &resolved.EvaluateQueryRequest{
		Sql: proto.String(sql), Options: a.options(Parameters{}),
		Catalog: &resolved.EvaluateQueryRequest_SimpleCatalog{SimpleCatalog: (&Catalog{}).message(a.language)},
	}, answer)
	if err != nil {
		return nil, err
	}
	var rows [][]*resolved.ValueProto
	for _, r := range answer.GetContent().GetTableData().GetRow() {
		rows = append(rows, r.GetCell())
	}
	return rows, nil
}
