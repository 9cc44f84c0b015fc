package dialect

import "strings"

// joinStart are the words that a JOIN may start with; LEFT(…) and RIGHT(…) are functions.
var joinStart = wordSet("JOIN INNER LEFT RIGHT FULL OUTER CROSS NATURAL ASOF POSITIONAL SEMI ANTI")

// noAlias are words that are no alias of a table unless AS stands before them, besides reserved ones.
var noAlias = wordSet("ASOF POSITIONAL SEMI ANTI OFFSET RETURNING TABLESAMPLE PIVOT UNPIVOT VALUES")

// with reads the names and queries behind WITH.
func (f *dataFinder) with(i, to int, outer *selectScope) int {
	recursive := f.isWord(i, "RECURSIVE")
	if recursive {
		i++
	}
	for i < to {
		name, ok := f.nameAt(i)
		if !ok {
			return i
		}
		// name [(columns)] [USING KEY (…)] AS [[NOT] MATERIALIZED] ( query )
		for i++; i < to && !f.isWord(i, "AS"); i = f.step(i) {
			if clauseStart[f.word(i)] {
				return i
			}
		}
		for i++; f.isWord(i, "NOT") || f.isWord(i, "MATERIALIZED"); {
			i++
		}
		if i >= to || !f.isPunct(i, '(') {
			return min(i, to)
		}
		if recursive {
			f.ctes = append(f.ctes, strings.ToLower(name))
		}
		i = f.bracket(i, outer, false)
		if !recursive {
			f.ctes = append(f.ctes, strings.ToLower(name))
		}
		if !f.isPunct(i, ',') {
			return i
		}
		i++
	}
	return i
}

func (f *dataFinder) nameAt(i int) (string, bool) {
	t := f.at(i)
	switch {
	case t.bad != "":
	case t.kind == kindWord:
		return f.text(t), true
	case t.kind == kindQuoted, t.kind == kindString:
		s, err := decodeString(f.src, t, f.sql)
		return s, err == nil
	}
	return "", false
}

// from reads the tables of a FROM clause, up to the word of the next clause.
func (f *dataFinder) from(i, to int, s *selectScope) int {
	defer func() { f.depth-- }()
	if f.depth++; f.depth > maxDepth {
		return to
	}
	i = f.table(i, to, s)
	for i < to {
		w := f.word(i)
		switch {
		case f.isPunct(i, ','), w == "JOIN":
			i = f.table(i+1, to, s)
		case w == "ON":
			i = f.condition(i+1, to, s)
		case w == "WITH" && f.isWord(i+1, "OFFSET"):
			i += 2
		case clauseStart[w]:
			return i
		default:
			i = f.step(i)
		}
	}
	return i
}

// condition reads what follows ON.
func (f *dataFinder) condition(i, to int, s *selectScope) int {
	for i < to {
		switch w := f.word(i); {
		case f.isPunct(i, ','), joinStart[w] && !f.isPunct(i+1, '('), clauseStart[w] && !(w == "FROM" && f.distinctFrom(i)):
			return i
		}
		i = f.part(i, s, true)
	}
	return i
}

// table reads one table of a FROM clause with its alias.
func (f *dataFinder) table(i, to int, s *selectScope) int {
	if f.isWord(i, "LATERAL") {
		i++
	}
	if i >= to || clauseStart[f.word(i)] {
		return i
	}
	// DuckDB has an alias before a table too: name: table.
	alias, ok := "", false
	if f.isPunct(i+1, ':') && !f.isPunct(i+2, ':') {
		if alias, ok = f.nameAt(i); ok {
			i += 2
		}
	}
	var r TableRef
	switch t := f.at(i); {
	case f.isPunct(i, '('):
		end := f.closing(i)
		if end < 0 {
			return i + 1
		}
		n := len(s.tables)
		join := !f.isQuery(i+1, end)
		if join {
			f.from(i+1, end, s)
		} else {
			f.query(i+1, end, s)
		}
		if !ok {
			alias, i = f.alias(end+1, to)
		}
		if join && alias == "" {
			return i
		}
		s.tables = append(s.tables[:n], TableRef{Alias: alias})
		return i
	case t.kind == kindString:
		i++
	case t.kind == kindWord, t.kind == kindQuoted:
		f.i = i
		path, err := f.path()
		next := f.i
		f.i = 0
		switch {
		case err != nil:
			return i + 1
		case f.isPunct(next, '('):
			f.macros[t.Pos] = true
			next = f.bracket(next, s, true)
		case len(path.Parts) == 1 && f.isCTE(path.Parts[0]):
			r.Alias = path.Parts[0]
		default:
			r.Path = path
			if f.tables != nil {
				*f.tables = append(*f.tables, Relation{path, Reads})
			}
		}
		i = next
	default:
		return i + 1
	}
	if !ok {
		alias, i = f.alias(i, to)
	}
	if alias != "" {
		r.Alias = alias
	}
	s.tables = append(s.tables, r)
	return i
}

func (f *dataFinder) isCTE(name string) bool {
	name = strings.ToLower(name)
	for _, c := range f.ctes {
		if c == name {
			return true
		}
	}
	return false
}

// alias reads [AS] name.
func (f *dataFinder) alias(i, to int) (string, int) {
	if i < to && f.isWord(i, "AS") && i+1 < to {
		if name, ok := f.nameAt(i + 1); ok {
			return name, i + 2
		}
		return "", i + 1
	}
	if w := f.word(i); i < to && (f.at(i).kind == kindQuoted || w != "" && !reserved[w] && !noAlias[w] && !joinStart[w] && !clauseStart[w]) {
		if name, ok := f.nameAt(i); ok {
			return name, i + 1
		}
	}
	return "", i
}

// isQuery tells a query in brackets from an expression or a join: ((SELECT 1) + 1) is none.
func (f *dataFinder) isQuery(i, end int) bool {
	for n := 0; f.isPunct(i, '('); n++ {
		last := f.closing(i)
		if last < 0 || n > maxDepth {
			return false
		}
		switch f.word(last + 1) {
		case "UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET":
		default:
			if last+1 != end {
				return false
			}
		}
		i, end = i+1, last
	}
	return i < end && f.startsQueryAt(i)
}
