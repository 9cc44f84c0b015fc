// Recorded runs statements whose answers were recorded on BigQuery, and compares. It reads the layout of
// github.com/jjviscomi/bqemulator's tests/conformance/sql_corpus: a folder for each with query.sql, expected.json, and where
// they are needed setup.sql and parameters.json.
//
//	go run ./internal/googlesql/conformance/recorded [-v] FOLDER [NAME …]
//
// Without -v it prints those that are not the same.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
)

// fixture is a statement with its recorded answer.
type fixture struct {
	name            string
	query, setup    string
	rest, geography bool
	Schema          []field
	Rows            []map[string]any
	Error           *recordedError
	parameters      []any
}

type field struct {
	Name, Type, Mode string
	Fields           []field
}

type recordedError struct {
	MessagePattern string `json:"message_pattern"`
	MessageSample  string `json:"message_sample"`
}

func main() {
	log.SetFlags(0)
	verbose := flag.Bool("v", false, "print what is the same, too")
	flag.Parse()
	folders, err := filepath.Glob(filepath.Join(flag.Arg(0), "*", "*", "query.sql"))
	if err != nil || len(folders) == 0 {
		log.Fatalf("no statements in %s", flag.Arg(0))
	}
	counts := map[string]int{}
	for _, path := range folders {
		name := filepath.Base(filepath.Dir(path))
		if flag.NArg() > 1 && !slices.Contains(flag.Args()[1:], name) {
			continue
		}
		f, err := read(filepath.Dir(path))
		if err != nil {
			log.Fatal(name, ": ", err)
		}
		verdict, why := f.judge()
		counts[verdict]++
		if *verbose || verdict != "same" {
			fmt.Printf("%s: %s: %s\n", verdict, filepath.Base(filepath.Dir(filepath.Dir(path)))+"/"+name, strings.Join(strings.Fields(why), " "))
		}
	}
	keys := []string{}
	for k := range counts {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		fmt.Printf("%5d %s\n", counts[k], k)
	}
}

var placeholders = strings.NewReplacer("${DATASET}", "p.d", "${PROJECT}", "p", "${DATASET_ID}", "d", "${GCS_BUCKET}", "b",
	"${PRINCIPAL}", "user:alice@example.com", "${GROUP}", "group:engineering@example.com", "${OTHER_PRINCIPAL}",
	"serviceAccount:other@example.com")

// noNumber finds what Python writes of floats that JSON lacks.
var noNumber = regexp.MustCompile(`(?m)(^\s+|: )(NaN|-?Infinity)`)

func read(folder string) (*fixture, error) {
	text := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(folder, name)) // a missing one is empty
		return placeholders.Replace(string(b))
	}
	f := &fixture{name: filepath.Base(folder), query: text("query.sql"), setup: text("setup.sql"),
		rest: text("setup_rest.json")+text("job_config.json") != ""}
	answer := noNumber.ReplaceAllString(text("expected.json"), `$1"$2"`)
	in := json.NewDecoder(strings.NewReader(answer))
	in.UseNumber() // INT64 has more digits than a float
	if err := in.Decode(f); err != nil {
		return nil, err
	}
	f.geography = regexp.MustCompile(`(?i)\bST_|GEOGRAPHY|\bS2_`).MatchString(f.query + f.setup)
	var p struct {
		Parameters []struct {
			Name  string
			Type  any
			Value any
		}
	}
	if s := text("parameters.json"); s != "" {
		if err := json.Unmarshal([]byte(s), &p); err != nil {
			return nil, err
		}
	}
	for _, a := range p.Parameters {
		v := value(a.Type, a.Value)
		if a.Name != "" {
			v = sql.Named(a.Name, v)
		}
		f.parameters = append(f.parameters, v)
	}
	return f, nil
}

// value gives a recorded parameter as a Go program would.
func value(t, v any) any {
	if v == nil {
		return nil
	}
	if m, ok := t.(map[string]any); ok {
		switch m["type"] {
		case "ARRAY":
			inner := m["arrayType"].(map[string]any)["type"]
			list := []any{}
			for _, e := range v.([]any) {
				list = append(list, value(inner, e))
			}
			return list
		case "STRUCT":
			out := map[string]any{}
			for _, f := range m["structTypes"].([]any) {
				f := f.(map[string]any)
				name := f["name"].(string)
				out[name] = value(f["type"], v.(map[string]any)[name])
			}
			return out
		}
		t = m["type"]
	}
	switch t {
	case "INT64", "INTEGER":
		if n, ok := v.(float64); ok {
			return int64(n)
		}
	case "DATE", "DATETIME", "TIMESTAMP":
		for _, form := range []string{"2006-01-02", "2006-01-02T15:04:05", time.RFC3339} {
			if at, err := time.Parse(form, fmt.Sprint(v)); err == nil {
				return at
			}
		}
	}
	return v
}

func (f *fixture) judge() (verdict, why string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cfg := config.DefaultConfig()
	cfg.BigQuery.Dialect = config.Dialect(dialect.GoogleSQL)
	cfg.BigQuery.Project = "p"
	connector, err := extension.NewConnector("", extension.Options{Config: cfg})
	if err != nil {
		return "failed", err.Error()
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA d"); err != nil {
		return "failed", err.Error()
	}
	if f.setup != "" {
		if _, err := db.ExecContext(ctx, f.setup); err != nil {
			return class("setup ", err, f), err.Error()
		}
	}
	if f.rest {
		return "needs REST", ""
	}
	rows, err := db.QueryContext(ctx, f.query, f.parameters...)
	var got []map[string]any
	var names []string
	if err == nil {
		got, names, err = readRows(rows)
	}
	switch {
	case err != nil && f.Error != nil:
		return "same", "an error of both"
	case err != nil:
		return class("", err, f), err.Error()
	case f.Error != nil:
		return "missing error", f.Error.MessageSample
	}
	if f.Rows == nil || len(f.Rows) == 0 && strings.HasPrefix(strings.ToUpper(strings.TrimSpace(f.query)), "CREATE") {
		return "same", "no rows" // BigQuery's client shows the columns of what was made
	}
	if len(f.Schema) > 0 {
		want := make([]string, len(f.Schema))
		for i, c := range f.Schema {
			want[i] = c.Name
		}
		if !slices.Equal(want, names) {
			return "different", fmt.Sprintf("columns %v, not %v", names, want)
		}
	}
	if len(f.Schema) == 0 {
		return "same", ""
	}
	if len(got) != len(f.Rows) {
		return "different", fmt.Sprintf("%d rows, not %d", len(got), len(f.Rows))
	}
	for i, r := range f.Rows {
		for _, c := range f.Schema {
			if !same(c, r[c.Name], got[i][c.Name]) {
				return "different", fmt.Sprintf("row %d, %s %s: want %v, got %v", i, c.Name, c.Type, r[c.Name], got[i][c.Name])
			}
		}
	}
	return "same", ""
}

func class(prefix string, err error, f *fixture) string {
	switch {
	case f.geography:
		return "geography"
	case strings.Contains(err.Error(), "not supported") || strings.Contains(err.Error(), "is not translated"):
		return prefix + "refused"
	}
	return prefix + "false error"
}
