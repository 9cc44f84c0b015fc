package completion

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/internal/quote"
)

var (
	behindAlias = regexp.MustCompile("(?:^|[^\\w.\"`])(\\w+|\"[^\"]+\"|`[^`]+`)\\.(\\w*)$")
	selectList  = regexp.MustCompile(`(?is)^\s*SELECT\b`)
	hasFrom     = regexp.MustCompile(`(?i)\bFROM\b`)
	modelOf     = regexp.MustCompile("(?is)^\\s*MODEL\\s+((?:\"[^\"]*\"|`[^`]*`|[\\w.-])+)\\s*,")
)

// columns gives those of the table or query whose alias stands before a dot.
func (p *place) columns(ctx context.Context) (list []shell.Suggestion) {
	at := behindAlias.FindStringSubmatchIndex(p.text)
	if at == nil {
		return nil
	}
	from, ok := p.aliased(unquoted(p.text[at[2]:at[3]]))
	if !ok {
		return nil
	}
	for _, c := range p.Columns(ctx, "SELECT * FROM "+from) {
		list = append(list, shell.Suggestion{Text: written(c[0]), Note: c[1]})
	}
	return matching(p.text[at[4]:], at[4], list)
}

// written is the name of a column as SQL has it.
func written(column string) string {
	if plainName.MatchString(column) {
		return column
	}
	return quote.Name(column)
}

// aliased gives the table or the query in brackets that has an alias, which may stand behind the cursor.
func (p *place) aliased(alias string) (sql string, ok bool) {
	src := p.text + "_" + p.after // for the name that is typed
	pieces := slices.DeleteFunc(dialect.Pieces(src, p.Lang), func(q dialect.Piece) bool { return q.Class == dialect.Comment })
	text := func(i int) string {
		if i < 0 || i >= len(pieces) {
			return ""
		}
		return src[pieces[i].Pos:pieces[i].End]
	}
	name := func(i int) bool {
		return i >= 0 && i < len(pieces) && (pieces[i].Class == dialect.Word || pieces[i].Class == dialect.Name)
	}
	for i := range pieces {
		if !name(i) || !strings.EqualFold(unquoted(text(i)), alias) || text(i+1) == "." {
			continue
		}
		end := i
		if !strings.EqualFold(text(i-1), "AS") {
			if first, ok := p.item(pieces, text, name, i+1); ok { // the table itself
				return src[pieces[first].Pos:pieces[i].End], true
			}
		} else {
			end--
		}
		if first, ok := p.item(pieces, text, name, end); ok && end > first {
			return src[pieces[first].Pos:pieces[end-1].End], true
		}
	}
	return "", false
}

// item gives where the item of a FROM clause begins that ends before a piece.
func (p *place) item(pieces []dialect.Piece, text func(int) string, name func(int) bool, end int) (first int, ok bool) {
	i := end - 1
	if text(i) == ")" {
		for depth := 0; i >= 0; i-- {
			switch text(i) {
			case ")":
				depth++
			case "(":
				depth--
			}
			if depth == 0 {
				break
			}
		}
		if i < 0 {
			return 0, false
		}
		i-- // before the bracket: the name of a function, or none
		if !name(i) || isOneOf(text(i), "FROM", "JOIN") {
			return i + 1, isOneOf(text(i), "FROM", "JOIN", ",")
		}
	}
	if !name(i) {
		return 0, false
	}
	for text(i-1) == "." && name(i-2) {
		i -= 2
	}
	return i, isOneOf(text(i-1), "FROM", "JOIN", ",")
}

func isOneOf(word string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, word) })
}

// missingInputs gives, in the list of columns of the query that a model is to answer, the model's inputs that are not there yet.
func (p *place) missingInputs(ctx context.Context) (list []shell.Suggestion) {
	n := len(p.calls)
	if n < 2 || p.calls[n-1].name != "" {
		return nil
	}
	f, ok := functiontable.Named(p.calls[n-2].name)
	query := p.text[p.calls[n-1].inside:]
	if !ok || f.Kind != functiontable.Model || !selectList.MatchString(query) || hasFrom.MatchString(query) {
		return nil
	}
	m := modelOf.FindStringSubmatch(p.text[p.calls[n-2].inside:])
	if m == nil {
		return nil
	}
	start := lastWord.FindStringIndex(query)[0]
	given := anyWord.FindAllString(strings.ToLower(query[:start]+" "+upTo(p.after, ')')), -1)
	name := strings.ReplaceAll(m[1], "`", `"`)
	inputs := p.Rows(ctx, "SELECT name, sql_type || coalesce(' ' || shape, '') FROM ml_model_info("+quote.Text(name)+
		") WHERE active AND role = 'input'")
	if len(inputs) == 0 && f.Name != "ML.PREDICT" {
		inputs = [][2]string{{f.Input(), "STRING"}}
	}
	for _, in := range inputs {
		if slices.Contains(given, strings.ToLower(in[0])) {
			continue
		}
		list = append(list, shell.Suggestion{Text: written(in[0]), Note: "wanted by the model: " + in[1]})
	}
	if typed := query[start:]; typed == "" || goesOn(typed, list) { // a function's name, it may be
		return matching(typed, p.calls[n-1].inside+start, list)
	}
	return nil
}

// goesOn reports whether one of the candidates begins as what is typed.
func goesOn(typed string, list []shell.Suggestion) bool {
	return slices.ContainsFunc(list, func(s shell.Suggestion) bool {
		return len(s.Text) >= len(typed) && strings.EqualFold(s.Text[:len(typed)], typed)
	})
}

func upTo(s string, end byte) string {
	if i := strings.IndexByte(s, end); i >= 0 {
		return s[:i]
	}
	return s
}
