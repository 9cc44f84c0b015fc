package analyzer

import (
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"google.golang.org/protobuf/proto"
)

// missing are the functions of BigQuery's that the service does not know.
func missing() []*resolved.FunctionProto {
	kind := func(k resolved.SignatureArgumentKind) *resolved.FunctionArgumentTypeProto {
		return &resolved.FunctionArgumentTypeProto{Kind: &k, NumOccurrences: proto.Int32(-1)}
	}
	var all []*resolved.FunctionProto
	for _, name := range []string{"max_by", "min_by"} {
		all = append(all, &resolved.FunctionProto{
			NamePath: []string{name}, Group: proto.String("ZetaSQL"), Mode: resolved.FunctionEnums_AGGREGATE.Enum(),
			Signature: []*resolved.FunctionSignatureProto{{
				ReturnType: kind(resolved.SignatureArgumentKind_ARG_TYPE_ANY_1),
				Argument: []*resolved.FunctionArgumentTypeProto{
					kind(resolved.SignatureArgumentKind_ARG_TYPE_ANY_1), kind(resolved.SignatureArgumentKind_ARG_TYPE_ANY_2),
				},
			}},
		})
	}
	return all
}
