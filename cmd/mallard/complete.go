package main

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/internal/quote"
)

var (
	functionStart = regexp.MustCompile(`(?i)(?:^|[^\w.])((?:ML|AI|OBJ)\.\w*)$`)
	modelStart    = regexp.MustCompile(`(?i)\bMODEL\s+(?:IF\s+EXISTS\s+)?([\w.]*)$`)
	lastQuery     = regexp.MustCompile(`(?is).*\(\s*((?:(?:SELECT|WITH|FROM)\b.*|\w*))$`)
)

// completionTime is how long a person waits for suggestions.
const completionTime = time.Second

// suggest gives what may follow a text: our functions and models, else what DuckDB suggests for the innermost query. A fault
// gives no suggestions.
func (s *session) suggest(ctx context.Context, text string) []shell.Suggestion {
	ctx, stop := context.WithTimeout(ctx, completionTime)
	defer stop()
	if at := functionStart.FindStringSubmatchIndex(text); at != nil {
		var list []shell.Suggestion
		for _, name := range functiontable.Names() {
			name += "("
			if len(name) >= len(text)-at[2] && strings.EqualFold(name[:len(text)-at[2]], text[at[2]:]) {
				list = append(list, shell.Suggestion{Text: name, Start: at[2]})
			}
		}
		return list
	}
	if at := modelStart.FindStringSubmatchIndex(text); at != nil {
		return s.suggestions(ctx, at[2], "SELECT name, 0 FROM (SELECT CASE schema_name WHEN 'main' THEN model_name ELSE schema_name || '.' || "+
			"model_name END AS name FROM ml_models()) WHERE starts_with(lower(name), lower("+quote.Text(text[at[2]:])+")) ORDER BY 1")
	}
	if list := suggestArguments(text); len(list) > 0 {
		return list
	}
	start := 0
	if at := lastQuery.FindStringSubmatchIndex(text); at != nil {
		start = at[2]
	}
	return s.suggestions(ctx, start, "SELECT suggestion, suggestion_start FROM sql_auto_complete("+quote.Text(text[start:])+
		") WHERE suggestion NOT LIKE 'bigquery_metadata%' AND suggestion NOT LIKE 'mallard_metadata%'")
}

// suggestions runs a query for texts and where, from the byte first on, they begin.
func (s *session) suggestions(ctx context.Context, first int, query string) []shell.Suggestion {
	rows, err := s.conn.QueryContext(extension.AsDuckDB(ctx), query)
	if err != nil {
		return nil
	}
	defer rows.Close()
	var list []shell.Suggestion
	for rows.Next() {
		var one shell.Suggestion
		if rows.Scan(&one.Text, &one.Start) != nil {
			return nil
		}
		one.Start += first
		list = append(list, one)
	}
	return list
}
