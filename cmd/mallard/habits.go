package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/dialect"
)

// readHabits runs what a person keeps in ~/.duckdbrc, and in ~/.mallardrc after it. An error in one is told and ends nothing: the first is
// for another shell.
func readHabits(ctx context.Context, sh *shell.Shell) error {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil // without a home there are no habits
	}
	for _, name := range []string{".duckdbrc", ".mallardrc"} {
		path := filepath.Join(home, name)
		switch err := sh.ReadHabits(ctx, path, name == ".duckdbrc"); {
		case err == nil, errors.Is(err, fs.ErrNotExist), errors.Is(err, shell.ErrFailed):
		default:
			return err
		}
	}
	return nil
}

// pieces cuts a typed text for its colours.
func pieces(text string, lang dialect.Lang) []shell.Piece {
	classes := map[dialect.Class]shell.Class{dialect.Word: shell.Word, dialect.Literal: shell.Text, dialect.Name: shell.Name,
		dialect.Number: shell.Number, dialect.Comment: shell.Comment, dialect.Punctuation: shell.Punctuation, dialect.Parameter: shell.Number}
	var list []shell.Piece
	for _, p := range dialect.Pieces(text, lang) {
		list = append(list, shell.Piece{Pos: p.Pos, End: p.End, Class: classes[p.Class]})
	}
	return list
}

// keyword tells whether a word is a keyword of DuckDB or one of ours.
func (s *session) keyword(word string) bool {
	if s.keywords == nil {
		s.keywords = s.findKeywords()
	}
	return s.keywords[strings.ToLower(word)]
}

func (s *session) findKeywords() map[string]bool {
	words := map[string]bool{"model": true, "models": true, "remote": true, "connection": true, "options": true, "ml": true, "ai": true}
	ctx := extension.AsDuckDB(context.Background())
	rows, err := s.conn.QueryContext(ctx, "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved' OR "+
		"keyword_name IN ('insert', 'update', 'delete', 'set', 'drop', 'alter', 'begin', 'commit', 'rollback', 'values', 'view', 'if', 'by', "+
		"'replace', 'copy', 'explain', 'use', 'attach', 'detach', 'over', 'partition', 'rows', 'call', 'temp', 'temporary', 'schema', 'index')")
	if err != nil {
		return words
	}
	defer rows.Close()
	for rows.Next() {
		var w string
		if rows.Scan(&w) == nil {
			words[strings.ToLower(w)] = true
		}
	}
	_ = rows.Err() // without keywords the text is plainer
	return words
}

// prompt names the database and the schema that names without one are looked for in.
func (s *session) prompt(ctx context.Context) string {
	var database, schema string
	row := s.conn.QueryRowContext(extension.AsDuckDB(ctx), "SELECT current_database(), current_schema()")
	if row.Scan(&database, &schema) != nil || database == "memory" && schema == "main" {
		return ""
	}
	if schema != "main" {
		database += "." + schema
	}
	return "mallard " + database + "> "
}

// lock keeps the database from files and from the network, for good.
func (s *session) lock(ctx context.Context) error {
	for _, q := range []string{"SET enable_external_access = false", "SET lock_configuration = true"} {
		if _, err := s.conn.ExecContext(extension.AsDuckDB(ctx), q); err != nil {
			return fmt.Errorf("safe mode: %w", err)
		}
	}
	return nil
}
