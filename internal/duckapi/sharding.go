package duckapi

import (
	"encoding/json"
	"slices"
	"strings"
)

// Barrier is an operator of a plan that looks at several rows of a relation at once.
type Barrier struct {
	Operator string   // as DuckDB names it: HASH_GROUP_BY, WINDOW, …
	Type     string   // of a join: LEFT, RIGHT, …
	Over     []string // the relations whose rows it takes together
	Last     bool     // nothing but projections comes behind it
}

// reach is what a part of a plan reads: every relation, and those of them that may be cut into parts.
type reach struct{ scans, cuts []string }

// sharding walks a plan and remembers what its common table expressions reach.
type sharding struct {
	ctes     map[string]reach
	barriers []Barrier
}

// Sharding tells by DuckDB's plan, in the form of EXPLAIN (FORMAT JSON), over which relations a query may be run in parts: what it gives
// for the parts of such a relation, with all others whole, is together what it gives for the whole. barriers are the operators
// that stand against that.
func Sharding(plan string) (over []string, barriers []Barrier) {
	var roots []operator
	if json.Unmarshal([]byte(plan), &roots) != nil || len(roots) != 1 {
		return nil, nil
	}
	w := sharding{ctes: map[string]reach{}}
	r := w.walk(roots[0], true)
	return r.cuts, w.barriers
}

// info is what of EXPLAIN's extra_info counts here.
func (o operator) info() (i struct {
	Table, Function, Projections string
	Join                         string `json:"Join Type"`
	TableIndex                   string `json:"Table Index"`
	CTEIndex                     string `json:"CTE Index"`
}) {
	var all map[string]any // a value is a text, or a list of texts
	_ = json.Unmarshal(o.Info, &all)
	text := func(key string) string { s, _ := all[key].(string); return s }
	i.Table, i.Function, i.Projections, i.Join = text("Table"), text("Function"), text("Projections"), text("Join Type")
	i.TableIndex, i.CTEIndex = text("Table Index"), text("CTE Index")
	return i
}

// walk goes down from an operator; last says that nothing but projections comes behind it.
func (w *sharding) walk(o operator, last bool) reach {
	name, info := strings.TrimSpace(o.Name), o.info()
	switch {
	case name == "CTE" && len(o.Children) == 2:
		w.ctes[info.TableIndex] = w.walk(o.Children[0], false)
		return w.walk(o.Children[1], last)
	case name == "CTE_SCAN":
		return w.ctes[info.CTEIndex]
	case name == "STREAMING_WINDOW" && info.Projections == "delim_index" && len(o.Children) == 1:
		return w.walk(o.Children[0], false) // DuckDB's own number of a row that a correlated query looks at
	}
	parts := make([]reach, len(o.Children))
	all := reach{}
	for i, c := range o.Children {
		parts[i] = w.walk(c, last && name == "PROJECTION")
		all.scans = append(all.scans, parts[i].scans...)
	}
	switch {
	case len(parts) == 0:
		return leaf(name, info.Table, info.Function)
	case rowWiseOperators[name] && len(parts) == 1:
		return parts[0]
	case name == "LEFT_DELIM_JOIN" || name == "RIGHT_DELIM_JOIN":
		// A correlated query: what is looked up for a row depends on its values and on relations that are whole.
		all.cuts = without(parts[0].cuts, scansOf(parts[1:]))
	case name == "CROSS_PRODUCT" && len(parts) == 2:
		all.cuts = append(without(parts[0].cuts, parts[1].scans), without(parts[1].cuts, parts[0].scans)...)
	case strings.HasSuffix(name, "_JOIN") && len(parts) == 2:
		left, right := keeps(info.Join)
		if left {
			all.cuts = without(parts[0].cuts, parts[1].scans)
		}
		if right {
			all.cuts = append(all.cuts, without(parts[1].cuts, parts[0].scans)...)
		}
	case name == "UNION":
		for _, r := range parts[0].cuts {
			if !slices.ContainsFunc(parts, func(p reach) bool { return !slices.Contains(p.cuts, r) }) {
				all.cuts = append(all.cuts, r)
			}
		}
	}
	var cut []string // what could be cut below, and cannot here
	for _, p := range parts {
		cut = append(cut, without(p.cuts, all.cuts)...)
	}
	if slices.Sort(cut); len(cut) > 0 {
		w.barriers = append(w.barriers, Barrier{name, info.Join, slices.Compact(cut), last})
	}
	return all
}

// leaf is what an operator without children reads.
func leaf(name, table, function string) reach {
	switch {
	case name == "DELIM_SCAN" || name == "COLUMN_DATA_SCAN" || name == "DUMMY_SCAN" || name == "EMPTY_RESULT" || name == "HASH_GROUP_BY":
		return reach{} // constants, and the rows of a correlated query
	case table != "":
		function = table
	case function != "":
		function = strings.ToLower(strings.TrimSpace(function))
	default:
		function = strings.ToLower(name)
	}
	r := reach{scans: []string{function}}
	if rowWiseOperators[name] {
		r.cuts = r.scans
	}
	return r
}

// keeps tells for a type of join whether each row of it comes from one row of the left side, and of the right side: the rows of one
// side that find no partner are given where the other is whole.
func keeps(join string) (left, right bool) {
	switch strings.ToUpper(join) {
	case "INNER":
		return true, true
	case "LEFT", "SEMI", "ANTI", "MARK", "SINGLE":
		return true, false
	case "RIGHT", "RIGHT_SEMI", "RIGHT_ANTI":
		return false, true
	}
	return false, false
}

func scansOf(parts []reach) (all []string) {
	for _, p := range parts {
		all = append(all, p.scans...)
	}
	return all
}

func without(list, drop []string) (rest []string) {
	for _, s := range list {
		if !slices.Contains(drop, s) {
			rest = append(rest, s)
		}
	}
	return rest
}
