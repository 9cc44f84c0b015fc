package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/mallardml/mallard/extension"
)

// loadConfig reads the configuration that -config names, or the one found, or the defaults. file is empty for the defaults.
func (o *options) loadConfig() (cfg *extension.Config, file string, err error) {
	if file = o.config; file == "" {
		file = extension.FindConfig(os.Getenv)
	}
	if file == "" {
		return extension.DefaultConfig(), "", nil
	}
	cfg, err = extension.LoadConfig(file)
	return cfg, file, err
}

// openDatabase opens a database file, or with an empty path one in memory.
func (o *options) openDatabase(cfg *extension.Config, path string, readOnly bool) (*sql.DB, error) {
	dsn := path
	if path == ":memory:" {
		dsn = ""
	}
	if readOnly {
		if dsn == "" {
			return nil, errors.New("-readonly needs a database file")
		}
		dsn += "?access_mode=READ_ONLY"
	}
	c, err := extension.NewConnector(dsn, extension.Options{Config: cfg, Dialect: o.dialect})
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
	db   *sql.DB
	conn *sql.Conn
}

func (o *options) connect(ctx context.Context, cfg *extension.Config, path string, readOnly bool) (*session, error) {
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
	return &session{db, conn}, nil
}

func (s *session) close() error { return errors.Join(s.conn.Close(), s.db.Close()) }
