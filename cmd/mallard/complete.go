package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mallardml/mallard/cmd/mallard/internal/completion"
	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/config"
)

// completionTime is how long a person waits for suggestions.
const completionTime = time.Second

// suggest gives what may follow a text that is typed, before what stands behind the cursor. A fault gives no suggestions.
func (s *session) suggest(ctx context.Context, text, after string) []shell.Suggestion {
	ctx, stop := context.WithTimeout(ctx, completionTime)
	defer stop()
	return s.source().Suggest(ctx, text, after)
}

// hint says how the function is called whose call the cursor is in.
func (s *session) hint(text, after string) string { return s.source().Hint(text, after) }

func (s *session) source() completion.Source {
	return completion.Source{
		Rows:        func(ctx context.Context, query string) [][2]string { return s.pairs(extension.AsDuckDB(ctx), query) },
		Columns:     func(ctx context.Context, query string) [][2]string { return s.pairs(ctx, "DESCRIBE "+query) },
		Connections: slices.Sorted(maps.Keys(s.cfg.Connections)), Buckets: config.BucketDirs(s.cfg), Lang: s.lang,
	}
}

// pairs runs a query for its first two columns.
func (s *session) pairs(ctx context.Context, query string) (list [][2]string) {
	rows, err := s.conn.QueryContext(ctx, query)
	if err != nil {
		return nil
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil || len(names) < 2 {
		return nil
	}
	for rows.Next() {
		values, dest := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			dest[i] = &values[i]
		}
		if rows.Scan(dest...) != nil {
			return nil
		}
		var pair [2]string
		for i := range pair {
			if values[i] != nil {
				pair[i] = fmt.Sprint(values[i])
			}
		}
		list = append(list, pair)
	}
	return list
}
