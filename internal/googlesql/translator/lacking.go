package translator

import (
	"regexp"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/writer"
)

// lackingNames are functions of BigQuery's that neither Google's analyzer nor Mallard has, or has not behind the pipe's CALL
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/functions-all). A name that ends in a dot is that of all
// functions that begin so.
var lackingNames = strings.Fields(`
	SEARCH BAG_OF_WORDS TEXT_ANALYZE TF_IDF COLLATE
	DLP_DETERMINISTIC_ENCRYPT DLP_DETERMINISTIC_DECRYPT DLP_KEY_CHAIN
	GAP_FILL RANGE_SESSIONIZE VECTOR_SEARCH EXTERNAL_OBJECT_TRANSFORM APPENDS CHANGES EXTERNAL_QUERY GRAPH_EXPAND HYBRID_SEARCH SESSIONIZE
	S2_CELLIDFROMPOINT S2_COVERINGCELLIDS ST_GEOGFROMTEXT ST_CLUSTERDBSCAN ST_REGIONSTATS ST_BOUNDINGBOX ST_EXTENT ST_HAUSDORFFDISTANCE
	ST_HAUSDORFFDWITHIN ST_INTERSECTSBOX ST_ISRING ST_LINEINTERPOLATEPOINT ST_LINELOCATEPOINT ST_LINESUBSTRING ST_BUFFER
	ST_BUFFERWITHTOLERANCE ST_GEOGPOINTFROMGEOHASH ST_MAKEPOLYGONORIENTED ST_UNION_AGG ST_CENTROID_AGG
	ML. AI. OBJ. HLL_COUNT. KLL_QUANTILES. KEYS. AEAD.`)

var notFound = regexp.MustCompile("^(Table-valued f|F)unction not found: ([\\w.`]+)")

// lacking is the refusal of a function that BigQuery has; nil for another error.
func lacking(sql string, wrong *analyzer.Error) error {
	m := notFound.FindStringSubmatch(wrong.Message)
	if m == nil {
		return nil
	}
	name := strings.ToUpper(strings.ReplaceAll(m[2], "`", ""))
	if !slices.ContainsFunc(lackingNames, func(l string) bool { return name == l || l[len(l)-1] == '.' && strings.HasPrefix(name, l) }) {
		return nil
	}
	at := 0
	if wrong.Line > 0 {
		at = offset(sql, wrong.Line, wrong.Col)
	}
	return &writer.Error{What: "the " + strings.ToLower(m[1]) + "unction " + name, Pos: at, End: min(at+len(m[2]), len(sql))}
}
