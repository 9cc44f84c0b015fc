package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/dialect"
)

// loadConfig reads the configuration that -config names, or the one found, or the defaults. file is empty for the defaults.
func (o *options) loadConfig() (cfg *mallard.Config, file string, err error) {
	if file = o.config; file == "" {
		file = mallard.FindConfig(os.Getenv)
	}
	if file == "" {
		return mallard.DefaultConfig(), "", nil
	}
	cfg, err = mallard.LoadConfig(file)
	return cfg, file, err
}

// checkDatabase asks before a database is made that may not be meant as one: a misspelt command, or SQL without -c. Where
// nobody can be asked it is refused.
func (o *options) checkDatabase(t terminal) error {
	doubt := doubtful(o.database)
	if doubt == "" {
		return nil
	}
	if !o.interactive(t) {
		return errors.New(doubt)
	}
	fmt.Fprintf(t.err, "%s\nMake a database called %s? [y/N] ", doubt, o.database)
	// Byte by byte: what is typed behind the answer is for the shell.
	answer, b := "", make([]byte, 1)
	for {
		n, err := t.in.Read(b)
		if n == 1 && b[0] != '\n' {
			answer += string(b)
			continue
		}
		if n == 1 || err != nil {
			break
		}
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("no database is made")
	}
	return nil
}

// sqlStart is how SQL begins that was meant for -c.
var sqlStart = regexp.MustCompile(`(?is)^\s*(--|/\*|\.|` +
	`(SELECT|FROM|WITH|VALUES|CREATE|DROP|ALTER|INSERT|UPDATE|DELETE|COPY|SHOW|DESCRIBE|SUMMARIZE|EXPLAIN|PRAGMA|SET|CALL|ATTACH|INSTALL|` +
	`LOAD|EXPORT|IMPORT)\s)`)

// otherFiles are the endings of files that are no databases: a missing script or table is not to become an empty one.
var otherFiles = []string{".sql", ".test", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".avro", ".txt", ".md", ".toml", ".py",
	".gz", ".zip", ".zst", ".xlsx"}

// doubtful says why a path may not be meant as a database to make, or nothing.
func doubtful(path string) string {
	if path == "" || path == ":memory:" {
		return ""
	}
	if _, err := os.Stat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return "" // opening it tells
	}
	sql := sqlStart.MatchString(path) && strings.ContainsAny(path, " \t\n")
	ext := strings.ToLower(filepath.Ext(strings.TrimLeft(path, ".")))
	switch {
	case sql:
	case strings.HasPrefix(path, ":"):
		return fmt.Sprintf("there is no database %s; one in memory is :memory:", path)
	case strings.Contains(path, "://"): // DuckDB opens databases on the web, for reading
		return ""
	case slices.Contains(otherFiles, ext):
		return fmt.Sprintf("there is no file %s, and its name is not that of a database; write one that ends in .db", path)
	case ext != "" || strings.ContainsAny(path, `/\:`):
		return ""
	}
	switch near := shell.Nearest(strings.ToLower(path), commandNames); {
	case sql:
		return fmt.Sprintf("there is no database %q; SQL is given with -c, or behind the name of a database", path)
	case near != "":
		return fmt.Sprintf("there is no command or database %s%s A database of that name is made with ./%s", path, near, path)
	case strings.HasPrefix(path, "."):
		return fmt.Sprintf("there is no database %s; a dot-command is given with -c, a database of that name made with ./%s", path, path)
	}
	return fmt.Sprintf("there is no database %s; write ./%s to make it", path, path)
}

// openDatabase opens a database file, or with an empty path one in memory.
func (o *options) openDatabase(cfg *mallard.Config, path string, readOnly bool) (*sql.DB, error) {
	dsn := path
	if path == ":memory:" {
		dsn = ""
	}
	set := url.Values{}
	for name, value := range o.configured {
		set.Set(name, value)
	}
	if readOnly {
		if dsn == "" {
			return nil, errors.New("-readonly needs a database file")
		}
		set.Set("access_mode", "READ_ONLY")
	}
	if len(set) > 0 {
		dsn += "?" + set.Encode()
	}
	c, err := mallard.NewConnector(dsn, mallard.Options{Config: cfg, Dialect: o.dialect})
	if err != nil {
		// The driver's own words are about database/sql.
		return nil, openError{path, strings.TrimPrefix(err.Error(), "database/sql/driver: could not connect to database: "), err}
	}
	return sql.OpenDB(c), nil
}

// openError says which database could not be opened.
type openError struct {
	path, msg string
	err       error
}

func (e openError) Error() string {
	if e.path == "" {
		return "open a database in memory: " + e.msg
	}
	return "open " + e.path + ": " + e.msg
}

func (e openError) Unwrap() error { return e.err }

// session is the open database of a shell with its one connection, so that transactions and temporary tables last.
type session struct {
	db       *sql.DB
	conn     *sql.Conn
	cfg      *mallard.Config
	lang     dialect.Lang
	keywords map[string]bool // of conn, once they were asked for
}

func (o *options) connect(ctx context.Context, cfg *mallard.Config, path string, readOnly bool) (*session, error) {
	if strings.Contains(path, "?") {
		return nil, fmt.Errorf("the name of a database may not have a ?: %s", path)
	}
	db, err := o.openDatabase(cfg, path, readOnly)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if o.attach != "" {
		if _, err := conn.ExecContext(extension.AsDuckDB(ctx), o.attach); err != nil {
			return nil, errors.Join(err, conn.Close(), db.Close())
		}
	}
	return &session{db: db, conn: conn, cfg: cfg, lang: o.lang(cfg)}, nil
}

func (s *session) close() error { return errors.Join(s.conn.Close(), s.db.Close()) }
