package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/config"
)

// mallard is a database with the models and rows of the benchmark, in memory.
type mallard struct {
	db   *sql.DB
	conn *sql.Conn
}

// openMallard opens a database and creates the named models in it. dsn is "" for memory.
func openMallard(ctx context.Context, dir, dsn string, xla bool, models ...string) (*mallard, error) {
	cfg := config.DefaultConfig()
	cfg.Store.Path = dir + "/store"
	cfg.TensorFlow.XLA = xla
	return openModels(ctx, dir, dsn, cfg, models...)
}

// openModels opens a database of a configuration and creates the named models in it.
func openModels(ctx context.Context, dir, dsn string, cfg *config.Config, models ...string) (*mallard, error) {
	m, err := openConfigured(ctx, dsn, cfg)
	if err != nil {
		return nil, err
	}
	for _, name := range models {
		if err := m.exec(ctx, fmt.Sprintf(`CREATE MODEL %s OPTIONS (MODEL_TYPE='TENSORFLOW', MODEL_PATH='%s/models/%s/*')`, name, dir,
			name)); err != nil {
			m.close()
			return nil, fmt.Errorf("create model %s: %w", name, err)
		}
	}
	return m, nil
}

func openConfigured(ctx context.Context, dsn string, cfg *config.Config) (*mallard, error) {
	c, err := extension.NewConnector(dsn, extension.Options{Config: cfg})
	if err != nil {
		return nil, err
	}
	m := &mallard{db: sql.OpenDB(c)}
	if m.conn, err = m.db.Conn(ctx); err != nil {
		m.db.Close()
		return nil, err
	}
	return m, nil
}

func (m *mallard) close() {
	m.conn.Close()
	m.db.Close()
}

func (m *mallard) exec(ctx context.Context, query string) error {
	_, err := m.conn.ExecContext(ctx, query)
	return err
}

// load copies a table of the data file into memory, as the bare loop has its inputs there.
func (m *mallard) load(ctx context.Context, d *dataset, tables ...string) error {
	if err := m.exec(ctx, "ATTACH '"+d.file+"' AS data (READ_ONLY)"); err != nil {
		return err
	}
	for _, t := range tables {
		if err := m.exec(ctx, "CREATE TABLE "+t+" AS FROM data."+t); err != nil {
			return err
		}
	}
	return m.exec(ctx, "DETACH data")
}

// form is one of the two ways to write a prediction.
type form string

const (
	native   form = "ML_PREDICT"
	bigquery form = "ML.PREDICT"
)

func (f form) from(model, query string) string {
	if f == native {
		return "ML_PREDICT('" + model + "', '" + strings.ReplaceAll(query, "'", "''") + "')"
	}
	return "ML.PREDICT(MODEL " + model + ", (" + query + "))"
}

// aggregate consumes every output. Counting is the cheapest consumer that still needs every value's vector.
func (m *mallard) aggregate(ctx context.Context, f form, j *job, rows int) (lap, error) {
	return m.count(ctx, f.from(j.name, "SELECT "+strings.Join(j.columns, ", ")+" FROM "+j.table), j.output, rows)
}

func (m *mallard) count(ctx context.Context, from, output string, rows int) (lap, error) {
	begin, before := time.Now(), cpuTime()
	var n int
	err := m.conn.QueryRowContext(ctx, "SELECT count("+output+") FROM "+from).Scan(&n)
	d := lap{time.Since(begin), cpuTime() - before}
	if err == nil && n != rows {
		err = fmt.Errorf("%d of %d rows came back", n, rows)
	}
	return d, err
}

// ctas stores every output beside its row's id.
func (m *mallard) ctas(ctx context.Context, f form, j *job) (lap, error) {
	query := "CREATE OR REPLACE TABLE predicted AS SELECT id, " + j.output + " FROM " +
		f.from(j.name, "SELECT id, "+strings.Join(j.columns, ", ")+" FROM "+j.table)
	begin, before := time.Now(), cpuTime()
	err := m.exec(ctx, query)
	d := lap{time.Since(begin), cpuTime() - before}
	if err == nil {
		err = m.exec(ctx, "DROP TABLE predicted")
	}
	return d, err
}

// checksum adds up all outputs.
func (m *mallard) checksum(ctx context.Context, f form, j *job) (sum float64, err error) {
	err = m.conn.QueryRowContext(ctx, "SELECT sum(list_sum("+j.output+"::DOUBLE[])) FROM "+
		f.from(j.name, "SELECT "+strings.Join(j.columns, ", ")+" FROM "+j.table)).Scan(&sum)
	return sum, err
}
