package extension

import (
	"strings"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
)

// Barrier is what in a query looks at several rows of a relation at once.
type Barrier struct {
	Name     string   // such as ORDER BY, LIMIT, DISTINCT, GROUP BY, an aggregate or a window function
	Pos, End int      // bytes of the text; those of the statement where it cannot be told
	Over     []string // the relations whose rows it takes together
	// Combines says that another query can finish what parts of the relation give: it is an aggregate, GROUP BY or DISTINCT, with
	// nothing but projections behind it.
	Combines bool
}

// barriers names operators of a plan by what the text has for them. The plan is what decides; the place is that of the least nested
// word that such an operator comes of.
func barriers(src string, st dialect.Statement, words []clause, found []duckapi.Barrier) (list []Barrier) {
	for _, f := range found {
		b := Barrier{Name: f.Operator, Pos: st.Pos, End: st.End, Over: f.Over}
		kinds := []string{f.Operator}
		switch name := f.Operator; {
		case name == "ORDER_BY":
			kinds = []string{"ORDER BY", "USING SAMPLE", "TABLESAMPLE"}
		case name == "TOP_N":
			kinds = []string{"ORDER BY"}
		case strings.Contains(name, "LIMIT"):
			kinds = []string{"LIMIT", "OFFSET", "FETCH"}
		case strings.Contains(name, "WINDOW"):
			kinds = []string{"OVER", "INTERSECT", "EXCEPT"}
		case strings.Contains(name, "SAMPLE"):
			kinds = []string{"USING SAMPLE", "TABLESAMPLE"}
		case strings.HasSuffix(name, "GROUP_BY"):
			kinds, b.Combines = []string{"GROUP BY", "DISTINCT", "UNION", "EXCEPT", "INTERSECT", "PIVOT", "aggregate"}, f.Last
		case strings.HasSuffix(name, "AGGREGATE"):
			kinds, b.Combines = []string{"aggregate"}, f.Last
		case strings.HasSuffix(name, "JOIN"):
			b.Name = f.Type + " JOIN"
			kinds = []string{"JOIN", "EXCEPT", "INTERSECT", "IN", "EXISTS"}
		case name == "UNION":
			kinds = []string{"UNION"}
		}
		if c, ok := first(words, kinds); ok {
			b.Pos, b.End = c.pos, c.end
			b.Name = c.kind
			switch c.kind {
			case "aggregate":
				b.Name = src[c.pos:c.end] + "(…)"
			case "OVER":
				b.Name = "a window function (OVER)"
			case "JOIN":
				b.Name = f.Type + " JOIN with a table that is not cut"
			}
		}
		list = append(list, b)
	}
	return list
}

// numbers gives the place where a statement takes numbers of a sequence, which its rows share.
func numbers(src string, words []clause, over []string) []Barrier {
	if c, ok := first(words, []string{"nextval"}); ok && len(over) > 0 {
		return []Barrier{{Name: src[c.pos:c.end] + "(…)", Pos: c.pos, End: c.end, Over: over}}
	}
	return nil
}

// clause is a word of a statement that takes rows together.
type clause struct {
	kind            string
	pos, end, depth int
}

// first gives the least nested clause of the first of the kinds that the text has.
func first(words []clause, kinds []string) (best clause, ok bool) {
	for _, k := range kinds {
		for _, c := range words {
			if c.kind == k && (!ok || c.depth < best.depth) {
				best, ok = c, true
			}
		}
		if ok {
			return best, true
		}
	}
	return best, false
}

// clauses finds these words. ORDER BY and DISTINCT inside the parentheses of a function's call belong to the call.
func clauses(src string, st dialect.Statement) (list []clause) {
	text := src[st.Pos:st.End]
	pieces := dialect.Pieces(text, st.Lang)
	word := func(i int) string {
		if i < 0 || i >= len(pieces) || pieces[i].Class == dialect.Comment {
			return ""
		}
		return strings.ToUpper(text[pieces[i].Pos:pieces[i].End])
	}
	add := func(kind string, from, to, depth int) {
		list = append(list, clause{kind, st.Pos + pieces[from].Pos, st.Pos + pieces[to].End, depth})
	}
	var calls []bool // for each open parenthesis, whether it is a call's
	for i, p := range pieces {
		inCall := len(calls) > 0 && calls[len(calls)-1]
		switch w := word(i); {
		case p.Class == dialect.Punctuation && w == "(":
			opens := word(i + 1)
			calls = append(calls, opens != "SELECT" && opens != "WITH" && opens != "FROM" && opens != "VALUES" && opens != "(")
		case p.Class == dialect.Punctuation && w == ")" && len(calls) > 0:
			calls = calls[:len(calls)-1]
		case p.Class != dialect.Word:
		case (w == "ORDER" || w == "GROUP") && word(i+1) == "BY" && !inCall:
			add(w+" BY", i, i+1, len(calls))
		case w == "USING" && word(i+1) == "SAMPLE":
			add("USING SAMPLE", i, i+1, len(calls))
		case w == "DISTINCT" && !inCall && word(i-1) != "IS" && word(i-1) != "NOT":
			add(w, i, i, len(calls))
		case w == "LIMIT" && !inCall, w == "OFFSET" && !inCall, w == "EXCEPT" && !inCall, w == "FETCH", w == "OVER", w == "TABLESAMPLE",
			w == "UNION", w == "INTERSECT", w == "PIVOT", w == "JOIN", w == "EXISTS", w == "IN":
			add(w, i, i, len(calls))
		case w == "NEXTVAL":
			add("nextval", i, i, len(calls))
		case word(i+1) == "(" && aggregates[strings.ToLower(w)]:
			add("aggregate", i, i, len(calls))
		}
	}
	return list
}

// aggregates are the functions that people aggregate with. One that is not here is refused all the same, at the statement's place.
var aggregates = func() map[string]bool {
	all := map[string]bool{}
	for _, n := range strings.Fields(`any_value approx_count_distinct approx_quantile approx_quantiles approx_top_count arg_max arg_min
		array_agg array_concat_agg avg bit_and bit_or bit_xor bool_and bool_or corr count count_if count_star countif covar_pop covar_samp
		first histogram json_group_array last list listagg logical_and logical_or max max_by median min min_by mode product quantile
		quantile_cont quantile_disc stddev stddev_pop stddev_samp string_agg group_concat sum var_pop var_samp variance`) {
		all[n] = true
	}
	return all
}()
