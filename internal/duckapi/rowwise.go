package duckapi

import (
	"encoding/json"
	"strings"
)

// rowWiseOperators are those of DuckDB's plans that give for each row what depends on that row alone. One that is not in the
// list may be anything. UNNEST gives several rows for one; a CTE is one of ours around a slow model's input, or one that is
// read once.
var rowWiseOperators = map[string]bool{
	"PROJECTION": true, "FILTER": true, "UNNEST": true, "INOUT_FUNCTION": true, "CTE": true, "CTE_SCAN": true,
	"SEQ_SCAN": true, "TABLE_SCAN": true, "READ_PARQUET": true, "READ_CSV": true, "READ_CSV_AUTO": true, "READ_JSON": true,
	"READ_JSON_AUTO": true, "READ_TEXT": true, "READ_BLOB": true,
}

// operator is a node of EXPLAIN (FORMAT JSON).
type operator struct {
	Name     string          `json:"name"`
	Children []operator      `json:"children"`
	Info     json.RawMessage `json:"extra_info"`
}

// rowWise goes through a plan and collects what it scans.
func (o operator) rowWise(scanned *[]string) bool {
	name := strings.TrimSpace(o.Name)
	if !rowWiseOperators[name] {
		return false
	}
	if len(o.Children) == 0 && name != "CTE_SCAN" {
		var info struct{ Table, Function string }
		_ = json.Unmarshal(o.Info, &info) // without, the operator's name stands for it
		switch {
		case info.Table != "":
			*scanned = append(*scanned, info.Table)
		case info.Function != "":
			*scanned = append(*scanned, strings.ToLower(strings.TrimSpace(info.Function)))
		default:
			*scanned = append(*scanned, strings.ToLower(name))
		}
	}
	for _, c := range o.Children {
		if !c.rowWise(scanned) {
			return false
		}
	}
	return true
}

// RowWise tells by DuckDB's plan, in the form of EXPLAIN (FORMAT JSON), whether a statement is row-wise over one relation, and which.
func RowWise(plan string) (bool, string) {
	var roots []operator
	if json.Unmarshal([]byte(plan), &roots) != nil || len(roots) != 1 {
		return false, ""
	}
	var scanned []string
	if !roots[0].rowWise(&scanned) || len(scanned) != 1 {
		return false, ""
	}
	return true, scanned[0]
}
