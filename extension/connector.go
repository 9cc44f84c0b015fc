package extension

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/trace"
)

// Options configure a [Connector]. The zero value works.
type Options struct {
	// Config is the configuration; nil means that of the connectors which have the file open, else [config.DefaultConfig]. Connectors
	// to one file share it: another one is an error.
	Config *config.Config
	// Dialect overrides the configuration's dialect unless it is dialect.Auto.
	Dialect dialect.Lang
	// Logger gets what statements do: failures as warnings, all else for debugging, no texts of statements. nil logs nothing.
	Logger *slog.Logger
	// Tracer hears of the same, with the texts. nil traces nothing.
	Tracer trace.Tracer
	// Init runs on every new connection, as duckdb.NewConnector's does.
	Init func(driver.ExecerContext) error
}

// Connector opens connections to one DuckDB database that speaks ML. It is safe for concurrent use. sql.DB.Close closes
// it when it was given to sql.OpenDB.
type Connector struct {
	in    *instance
	lang  dialect.Lang
	init  func(driver.ExecerContext) error
	trace trace.Tracer // nil for none
	close sync.Once
	err   error // of close
}

var _ driver.Connector = (*Connector)(nil)

// NewConnector opens a database: dsn is a file name, or "" or ":memory:", with DuckDB's settings behind a question mark
// ("sales.db?access_mode=read_only&threads=4").
func NewConnector(dsn string, o Options) (*Connector, error) {
	if o.Config != nil {
		if err := o.Config.Validate(); err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
	}
	in, err := openInstance(dsn, o.Config, registerTextFunctions)
	if err != nil {
		return nil, err
	}
	lang := o.Dialect
	if lang == dialect.Auto {
		lang = dialect.Lang(in.cfg.BigQuery.Dialect)
	}
	return &Connector{in: in, lang: lang, init: o.Init, trace: o.tracer()}, nil
}

// tracer gives what hears of events, or nil.
func (o Options) tracer() trace.Tracer {
	switch {
	case o.Logger == nil:
		return o.Tracer
	case o.Tracer == nil:
		return trace.Logger{Logger: o.Logger}
	}
	return trace.Both{trace.Logger{Logger: o.Logger}, o.Tracer}
}

// Connect implements [driver.Connector].
func (c *Connector) Connect(ctx context.Context) (driver.Conn, error) {
	dc, err := c.in.duck.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := dc.(*duckdb.Conn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("duckdb-go gave a connection of type %T", dc), dc.Close())
	}
	conn, err := newConn(ctx, inner, &session{in: c.in, lang: c.lang, trace: c.trace, another: c.Connect})
	if err != nil {
		if cancelled := ctx.Err(); cancelled != nil {
			err = fmt.Errorf("opening a connection was cancelled: %w", cancelled) // DuckDB says no more than that it was interrupted
		}
		return nil, errors.Join(err, inner.Close())
	}
	if c.init != nil {
		if err := c.init(conn); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return connection{conn}, nil
}

// Driver implements [driver.Connector].
func (c *Connector) Driver() driver.Driver { return Driver{} }

// Close frees the models and closes the database, when no other connector to its file is open. It may be called again.
func (c *Connector) Close() error {
	c.close.Do(func() { c.err = c.in.close() })
	return c.err
}

// Driver is the database/sql driver "mallard". Its data source name is DuckDB's, with two settings of our own:
// mallard_config (a configuration file) and mallard_dialect (auto, duckdb or bigquery).
type Driver struct{}

func init() { sql.Register("mallard", Driver{}) }

// Open implements [driver.Driver].
func (d Driver) Open(dsn string) (driver.Conn, error) {
	c, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return c.Connect(context.Background())
}

// OpenConnector implements [driver.DriverContext]. Without mallard_config it reads the file that [config.FindConfig] finds.
func (Driver) OpenConnector(dsn string) (driver.Connector, error) {
	dsn, settings, lang, err := splitDSN(dsn)
	if err != nil {
		return nil, err
	}
	if settings == "" {
		settings = config.FindConfig(os.Getenv)
	}
	o := Options{Dialect: lang}
	if settings != "" {
		if o.Config, err = config.LoadConfig(settings); err != nil {
			return nil, err
		}
	}
	return NewConnector(dsn, o)
}

// splitDSN takes our own settings out of a data source name; DuckDB refuses settings it does not know.
func splitDSN(dsn string) (rest, settings string, lang dialect.Lang, err error) {
	file, query, ok := strings.Cut(dsn, "?")
	if !ok {
		return dsn, "", dialect.Auto, nil
	}
	v, err := url.ParseQuery(query)
	if err != nil {
		return "", "", dialect.Auto, fmt.Errorf("data source name: %w", err)
	}
	settings = v.Get("mallard_config")
	if lang, err = config.ParseDialect(v.Get("mallard_dialect")); err != nil {
		return "", "", dialect.Auto, fmt.Errorf("data source name: mallard_dialect: %w", err)
	}
	v.Del("mallard_config")
	v.Del("mallard_dialect")
	if len(v) == 0 {
		return file, settings, lang, nil
	}
	return file + "?" + v.Encode(), settings, lang, nil
}
