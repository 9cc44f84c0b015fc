// Package tutorial has what BigQuery's tutorials name and only Google has: public buckets, and tables of the project bigquery-public-data.
// The files are ours: a text classifier with the signature of the tutorial's, and drawn posters; the tables are generated, with the columns
// of the public ones. Start with [Write].
package tutorial

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/internal/quote"
)

//go:embed files
var files embed.FS

//go:embed tables.sql
var tables string

// Project is that of the public tables.
const Project = "bigquery-public-data"

// Written is what [Write] wrote.
type Written struct {
	// Buckets are folders by the names of the buckets that they stand for.
	Buckets map[string]string
	// Tables is the file of a DuckDB database whose schemas are the datasets of Project.
	Tables string
}

// Write writes everything into an empty folder.
func Write(ctx context.Context, folder string) (w Written, err error) {
	own, err := fs.Sub(files, "files")
	if err != nil {
		return w, err
	}
	buckets := filepath.Join(folder, "buckets")
	if err := os.CopyFS(buckets, own); err != nil {
		return w, err
	}
	w = Written{Buckets: map[string]string{}, Tables: filepath.Join(folder, Project+".duckdb")}
	entries, err := os.ReadDir(buckets)
	if err != nil {
		return w, err
	}
	for _, e := range entries {
		w.Buckets[e.Name()] = filepath.Join(buckets, e.Name())
	}
	c, err := mallard.NewConnector("", mallard.Options{Dialect: mallard.DuckDB})
	if err != nil {
		return w, err
	}
	db := sql.OpenDB(c)
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	_, err = conn.ExecContext(ctx, "ATTACH "+quote.Text(w.Tables)+" AS public; USE public;\n"+tables+"\nUSE memory; DETACH public")
	return w, err
}

// Answers are what Gemini says of the posters, in the fence of the tutorial's.
func Answers() []vertextest.Rule {
	const fence = "```"
	answer := func(file, title, year string) vertextest.Rule {
		return vertextest.Rule{URI: file, Answer: fence + "json\n{\n  \"title\": \"" + title + "\",\n  \"year\": " + year + "\n}\n" + fence}
	}
	return []vertextest.Rule{
		answer("barque_sortant_du_port", "Barque sortant du port", "1895"),
		answer("little_annie_rooney", "Little Annie Rooney", "1912"),
		answer("the_great_train_robbery", "The Great Train Robbery", "1903"),
	}
}
