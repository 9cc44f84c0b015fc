package extension_test

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	process "os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/pelletier/go-toml/v2"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/extension/emulate"
	settings "github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/sqllogic"
)

var host = flag.String("host", "", "run the .test files through FROM mallard('…') in a host: a Python with duckdb, or \"go\" for a database of this process")

// The reasons why a file runs in no host.
const (
	keepsConnection = "it changes what belongs to one connection, and each FROM mallard('…') has one of its own"
	untried         = "a statement reads what one before it in the same text loads, which is not run while the text is bound"
	noTable         = "it reads rows whose type no table can have, and the test reads rows from a table"
	bindsFirst      = "while a text is bound, another one of its faults is met first"
)

// elsewhere are the files that run in no host.
var elsewhere = map[string]string{
	"catalog/exported":   untried,
	"catalog/stranger":   bindsFirst,
	"dialect/plain":      noTable,
	"errors/model_names": keepsConnection,
	"errors/parameters":  bindsFirst,
	"googlesql/asof":     keepsConnection,
	"googlesql/load":     untried,
	"googlesql/metadata": keepsConnection,
}

// TestHostSQL runs the .test files through FROM mallard('…'), which gives what Mallard's own connections give. `make test-extension` runs it.
func TestHostSQL(t *testing.T) {
	if *host == "" {
		t.Skip("-host names no host")
	}
	suite := emulate.Suite{Config: hostConfig(t), Server: answers(), Open: func(cfg *settings.Config, dsn string) (*sql.DB, error) {
		if *host == "go" {
			return openHere(cfg, dsn)
		}
		return openPython(t.TempDir(), cfg, dsn)
	}}
	files, err := sqllogic.Files("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.ToSlash(strings.TrimPrefix(file, "../testdata/")), ".test")
		t.Run(name, func(t *testing.T) {
			if reason := elsewhere[name]; reason != "" {
				t.Skip(reason)
			}
			sqllogic.Run(t, file, sqllogic.Options{
				Begin: suite.Begin,
				Require: func(name string) (bool, string) {
					return name == "tensorflow" || name == "storage" || name == "googlesql", ""
				},
				Vars: map[string]string{"MODELS": models(t), "IMAGES": images(t)},
			})
		})
	}
}

// texts are the statements that a host sends. What belongs to a connection of Mallard's is written before each later statement: settings,
// temporary tables, and what an open transaction has changed.
type texts struct {
	before []string // of the connection
	open   []string // of its transaction
}

var (
	connectionVerb = regexp.MustCompile(`(?i)^(USE|SET|RESET|PREPARE|DEALLOCATE|DECLARE|LOAD\s+DATA\s+(INTO|OVERWRITE)\s+TEMP|CREATE\s+(OR\s+REPLACE\s+)?TEMP(ORARY)?)\b`)
	beginVerb      = regexp.MustCompile(`(?i)^(BEGIN|START)(\s+TRANSACTION)?\s*;?$`)
	endVerb        = regexp.MustCompile(`(?i)^(COMMIT|ROLLBACK|ABORT|END)(\s+TRANSACTION)?\s*;?$`)
	queryVerb      = regexp.MustCompile(`(?i)^\(*\s*(SELECT|FROM|WITH|VALUES|SHOW|DESCRIBE|EXPLAIN|SUMMARIZE|TABLE|PIVOT|ML\.|AI\.)`)
)

// wrap gives the text for a host, and what follows its success.
func (x *texts) wrap(src string) (text string, done func()) {
	src = strings.TrimRight(strings.TrimSpace(src), "; \n")
	all := append(append(append([]string(nil), x.before...), x.open...), src)
	text, done = "FROM mallard("+quote.Text(strings.Join(all, ";\n"))+")", func() {}
	switch {
	case beginVerb.MatchString(src), x.open != nil && !endVerb.MatchString(src) && !queryVerb.MatchString(src):
		done = func() { x.open = append(x.open, src) }
	case endVerb.MatchString(src):
		done = func() { x.open = nil }
	case connectionVerb.MatchString(src):
		done = func() { x.before = append(x.before, src) }
	}
	return text, done
}

// place is where an error of ours lies.
var place = regexp.MustCompile(`(^|: )([0-9]+):([0-9]+: )`)

// without gives an error its line in the text without what was written before it.
func (x *texts) without(err error) error {
	if err == nil {
		return nil
	}
	lines := strings.Count(strings.Join(append(append(x.before, x.open...), ""), ";\n"), "\n")
	at := place.FindStringSubmatchIndex(err.Error())
	if lines == 0 || at == nil {
		return err
	}
	text := err.Error()
	line, _ := strconv.Atoi(text[at[4]:at[5]])
	return errors.New(text[:at[4]] + strconv.Itoa(line-lines) + text[at[5]:])
}

// hostConn is a connection of a host's.
type hostConn struct {
	driver.Conn // of this process, or nil
	python      *python
	id          int
	texts       texts
}

func (c *hostConn) QueryContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	text, done := c.texts.wrap(query)
	var rows driver.Rows
	var err error
	if c.python != nil {
		rows, err = c.python.query(c.id, text)
	} else {
		rows, err = c.Conn.(driver.QueryerContext).QueryContext(ctx, text, nil)
	}
	if err == nil {
		done()
	}
	return rows, c.texts.without(err)
}

func (c *hostConn) ExecContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	text, done := c.texts.wrap(query)
	var err error
	if c.python != nil {
		err = c.python.send(request{Conn: c.id, SQL: text})
	} else {
		_, err = c.Conn.(driver.ExecerContext).ExecContext(ctx, text, nil)
	}
	if err == nil {
		done()
	}
	return driver.ResultNoRows, c.texts.without(err)
}

func (c *hostConn) Close() error {
	if c.Conn != nil {
		return c.Conn.Close()
	}
	return nil
}

func (*hostConn) Begin() (driver.Tx, error)           { return nil, errors.ErrUnsupported }
func (*hostConn) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }

// hostConnector connects to a host.
type hostConnector struct {
	connect func(context.Context) (*hostConn, error)
	close   func() error
}

func (c *hostConnector) Connect(ctx context.Context) (driver.Conn, error) { return c.connect(ctx) }
func (c *hostConnector) Driver() driver.Driver                            { return duckdb.Driver{} }
func (c *hostConnector) Close() error                                     { return c.close() }

// openHere opens a database of this process, whose connections are duckdb-go's own.
func openHere(cfg *settings.Config, dsn string) (*sql.DB, error) {
	var remove string
	if dsn == "" {
		dir, err := os.MkdirTemp("", "host-")
		if err != nil {
			return nil, err
		}
		remove, dsn = dir, filepath.Join(dir, "memory.db")
	}
	inner, err := duckdb.NewConnector(dsn, nil)
	if err != nil {
		return nil, err
	}
	mallard, err := extension.Host(dsn, cfg, nil)
	if err != nil {
		return nil, errors.Join(err, inner.Close())
	}
	return sql.OpenDB(&hostConnector{
		connect: func(ctx context.Context) (*hostConn, error) {
			c, err := inner.Connect(ctx)
			return &hostConn{Conn: c}, err
		},
		close: func() error { return errors.Join(mallard.Close(), inner.Close(), os.RemoveAll(remove)) },
	}), nil
}

// python is a process of Python that runs statements for us. Results come as tables in files of DuckDB, so that no type is lost.
type python struct {
	dir   string
	mu    sync.Mutex
	count int
	in    io.WriteCloser
	out   *bufio.Reader
	cmd   *process.Cmd
	// reader reads rows, when there are any; closed closes it.
	reader reader
	closed func() error
}

type request struct {
	Conn int    `json:"conn"`
	SQL  string `json:"sql"`
	File string `json:"file,omitempty"`
}

func openPython(dir string, cfg *settings.Config, dsn string) (*sql.DB, error) {
	text, err := toml.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "mallard.toml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	p := &python{dir: dir, cmd: process.Command(*host, "../python/tests/statements.py", dsn)}
	p.cmd.Env = append(os.Environ(), "MALLARD_CONFIG="+file)
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	conns := 0
	return sql.OpenDB(&hostConnector{
		connect: func(context.Context) (*hostConn, error) {
			conns++
			return &hostConn{python: p, id: conns}, nil
		},
		close: func() error {
			err := errors.Join(p.in.Close(), p.cmd.Wait())
			if p.closed != nil {
				err = errors.Join(err, p.closed())
			}
			return err
		},
	}), nil
}

// send runs a statement.
func (p *python) send(r request) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return err
	}
	answer, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the host is gone: %w", err)
	}
	var said struct{ Error string }
	if err := json.Unmarshal(answer, &said); err != nil {
		return err
	}
	if said.Error != "" {
		return errors.New(said.Error)
	}
	return nil
}

// query runs a statement and reads its rows.
func (p *python) query(conn int, text string) (driver.Rows, error) {
	p.mu.Lock()
	p.count++
	file := filepath.Join(p.dir, "rows"+strconv.Itoa(p.count)+".db")
	p.mu.Unlock()
	if err := p.send(request{Conn: conn, SQL: text, File: file}); err != nil {
		return nil, err
	}
	return p.rows(file)
}

// rows reads the table in a file.
func (p *python) rows(file string) (driver.Rows, error) {
	ctx := context.Background()
	if p.reader == nil {
		c, err := extension.NewConnector("", extension.Options{})
		if err != nil {
			return nil, err
		}
		n, err := c.Connect(ctx)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		p.reader, p.closed = n.(reader), func() error { return errors.Join(n.Close(), c.Close()) }
	}
	if _, err := p.reader.ExecContext(ctx, "ATTACH '"+file+"' AS host (READ_ONLY)", nil); err != nil {
		return nil, err
	}
	rows, err := p.reader.QueryContext(ctx, "FROM host.rows", nil)
	if err != nil {
		return nil, err
	}
	return &hostRows{rows, func() error {
		_, err := p.reader.ExecContext(ctx, "DETACH host", nil)
		return errors.Join(err, os.Remove(file))
	}}, nil
}

type reader interface {
	driver.ExecerContext
	driver.QueryerContext
}

// hostRows are rows of a file, which goes with them.
type hostRows struct {
	driver.Rows
	gone func() error
}

func (r *hostRows) Close() error { return errors.Join(r.Rows.Close(), r.gone()) }

// ColumnTypeDatabaseTypeName implements [driver.RowsColumnTypeDatabaseTypeName].
func (r *hostRows) ColumnTypeDatabaseTypeName(i int) string {
	return r.Rows.(driver.RowsColumnTypeDatabaseTypeName).ColumnTypeDatabaseTypeName(i)
}

// hostConfig is that of TestSQL.
func hostConfig(t *testing.T) *settings.Config {
	cfg := config(t)
	c := settings.ConnectionConfig{Project: "my-project", Location: "us-central1", BaseURL: "http://127.0.0.1:1", Auth: "none", StorageEndpoint: storage(t)}
	cfg.Connections = map[string]settings.ConnectionConfig{"default": c, "my-connection": c}
	return cfg
}
