package dialect

import (
	"strings"

	"github.com/mallardml/mallard/internal/functiontable"
)

// pivots and describers are the words of DuckDB's that make a query of a table's name behind them.
var (
	pivots     = wordSet("PIVOT UNPIVOT PIVOT_WIDER PIVOT_LONGER TABLE")
	describers = wordSet("DESCRIBE DESC SHOW SUMMARIZE")
	// beforeQuery are the words behind which a bracket holds a query, and no function's arguments.
	beforeQuery = wordSet("FROM JOIN AS IN EXISTS LATERAL UNION ALL EXCEPT INTERSECT DISTINCT ANY SOME MATERIALIZED COPY SELECT WHERE AND " +
		"OR NOT ON BY HAVING EXPLAIN ANALYZE")
)

// bracketed lists what queries without a FROM clause name, PIVOT m in brackets or behind AS, and what stands in the texts of query and
// query_table.
func (p *parser) bracketed(nested int) (all []Relation) {
	ctes := p.withNames()
	for i := range p.toks {
		w := p.toksWord(i)
		before := p.toksWord(i - 1)
		switch {
		case !pivots[w] && !describers[w]:
			if p.punctAt(i+1, '(') && (w == "QUERY" || w == "QUERY_TABLE" || isPlainForm(w)) {
				all = append(all, p.inTexts(i, w, nested)...)
			}
			continue
		case p.punctAt(i-1, '('):
			if b := p.toksWord(i - 2); i > 1 && p.toks[i-2].kind != kindPunct && !beforeQuery[b] {
				continue // arguments
			}
		case before == "AS" && (p.toksWord(0) == "CREATE" || p.toksWord(0) == "PREPARE"):
		default:
			continue
		}
		p.i = i + 1
		if describers[w] {
			p.accept("TABLE")
		}
		path, err := p.path()
		p.i = 0
		if err != nil || len(path.Parts) == 1 && ctes[strings.ToLower(path.Parts[0])] {
			continue
		}
		role := Reads
		if describers[w] {
			role = Describes
		}
		all = append(all, Relation{path, role})
	}
	return all
}

func (p *parser) punctAt(i int, c byte) bool { return p.isPunct(i-p.i, c) }

// withNames are the names in front of AS ( … ), lower-case, as WITH makes them.
func (p *parser) withNames() map[string]bool {
	names := map[string]bool{}
	for i, t := range p.toks {
		if p.toksWord(i) != "AS" || i == 0 {
			continue
		}
		next := i + 1
		for w := p.toksWord(next); w == "NOT" || w == "MATERIALIZED"; w = p.toksWord(next) {
			next++
		}
		if t = p.toks[i-1]; p.punctAt(next, '(') && (t.kind == kindWord || t.kind == kindQuoted) {
			names[strings.ToLower(strings.Trim(p.text(t), "`\""))] = true
		}
	}
	return names
}

// isPlainForm reports whether a name is that of a function over a query's text: ML_PREDICT('m', 'FROM t').
func isPlainForm(name string) bool {
	f, ok := functiontable.Named(name)
	return ok && f.Kind == functiontable.Model && strings.EqualFold(f.Plain, name)
}

// inTexts reads the literals of query('FROM m') and query_table('m'), which are DuckDB's own, and of functions of ours like them.
func (p *parser) inTexts(i int, fn string, nested int) (all []Relation) {
	const most = 20 // texts within each other
	if p.sql != DuckDB || nested == most {
		return nil
	}
	for j := i + 2; j < p.closing(i+1); j++ {
		l := textLiteral(p.src, p.toks[j])
		if l.End == 0 || !p.alone(j) {
			continue
		}
		var inner []Relation
		if fn != "QUERY_TABLE" {
			for _, st := range Split(l.Value, DuckDB) {
				inner = append(inner, relations(l.Value, st, nested+1)...)
			}
		} else {
			q := newParser(l.Value, Statement{Span: Span{0, len(l.Value)}, Lang: DuckDB})
			if path, err := q.path(); err == nil && q.done() {
				inner = []Relation{{path, Reads}}
			}
		}
		for _, r := range inner {
			r.Span = Span{l.Place(p.src, r.Pos), l.Place(p.src, r.End)}
			all = append(all, r)
		}
	}
	return all
}

// alone reports whether a literal is an argument, or an element of a list, as it is.
func (p *parser) alone(i int) bool {
	return (p.punctAt(i-1, '(') || p.punctAt(i-1, '[') || p.punctAt(i-1, ',')) &&
		(p.punctAt(i+1, ')') || p.punctAt(i+1, ']') || p.punctAt(i+1, ','))
}
