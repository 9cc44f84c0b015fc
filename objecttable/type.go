package objecttable

import (
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// The types that columns, parameters and results have.
var (
	varchar      = udf.Of(mapping.TypeVarchar)
	blob         = udf.Of(mapping.TypeBlob)
	bigint       = udf.Of(mapping.TypeBigInt)
	double       = udf.Of(mapping.TypeDouble)
	boolean      = udf.Of(mapping.TypeBoolean)
	timestamp    = udf.Of(mapping.TypeTimestampTZ)
	intervalType = udf.Of(mapping.TypeInterval)
	jsonType     = udf.JSON()
)
