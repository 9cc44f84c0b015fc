// Package bigquery is BigQuery's REST API, version 2, over a database of Mallard's: datasets are the schemas of DuckDB, a project
// is a name, and results of queries lie in tables of a database in memory, the anonymous dataset, from which they are read page by
// page.
//
// Rooms, from the top, each using those below it: open.go and method.go (which method is served where, and by what); project.go,
// dataset.go, table.go with its kin, tabledata.go, model.go, routine.go, policy.go (resources); jobmethod.go, query.go, newjob.go,
// queryjob.go, session.go, load.go, extract.go, copy.go and job.go (work); result.go and row.go (results); relation.go and place.go
// (names); kept.go (changes); call.go, error.go, fields.go, etag.go (requests and replies); service.go (what all of them share).
// Service names the types of what it keeps, which are above it.
package bigquery

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/localfs"
	"github.com/mallardml/mallard/extension"
)

// Options say what a [Service] serves.
type Options struct {
	// DB is the database, opened by a connector whose dialect is BigQuery's and whose configuration names Project.
	DB *sql.DB
	// Connector is DB's.
	Connector *mallard.Connector
	// Project is the name under which the database is served; attached databases are projects of their own names.
	Project string
	// Location is where datasets are when nothing else is said; "US" by default.
	Location string
	// User is who asks, as jobs show it; "mallard@localhost" by default.
	User string
	// Buckets are the folders that load jobs read and extract jobs write as buckets; nil for none. The service closes them.
	Buckets *localfs.Buckets
	// Limits bound what is kept and run; the zero value has the defaults.
	Limits Limits
	// Logger gets what goes wrong behind replies; nil is silent.
	Logger *slog.Logger
}

// Limits bound what a server keeps and runs at once. A zero is the default.
type Limits struct {
	Running int           // jobs that run at once, others wait (64)
	Waiting int           // jobs that wait, others are refused (1,000)
	Kept    int           // finished jobs that are known, with their results (1,000)
	Age     time.Duration // of a finished job that is known (24h)
	Bytes   int64         // about what all kept results take in memory together (2 GiB)
	Body    int64         // bytes of a request's JSON (64 MiB)
	Upload  int64         // bytes of a file that is uploaded (10 GiB)
	// ExtractFile is about how many bytes of a table a file of an extract has (1 GiB).
	ExtractFile int64
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Running: cmp.Or(l.Running, 64), Waiting: cmp.Or(l.Waiting, 1000), Kept: cmp.Or(l.Kept, 1000),
		Age: cmp.Or(l.Age, 24*time.Hour), Bytes: cmp.Or(l.Bytes, 2<<30), Body: cmp.Or(l.Body, 64<<20),
		Upload: cmp.Or(l.Upload, 10<<30), ExtractFile: cmp.Or(l.ExtractFile, 1<<30),
	}
}

// Anonymous is the dataset of results, and the database in memory that it is. Its name is hidden as BigQuery's are: it starts with _.
const Anonymous = "_mallard_results"

// Service serves the API. It is safe for concurrent use.
type Service struct {
	Options
	database string // the user's, as DuckDB calls it
	jobs     *jobs
	inserted insertIDs
	sessions sessions
	uploads  uploads
	handler  http.Handler
	started  time.Time
}

// duck lends a connection that speaks DuckDB's own SQL.
func (s *Service) duck(ctx context.Context, f func(*sql.Conn) error) error {
	c, err := s.DB.Conn(ctx)
	if err != nil {
		return err
	}
	return errors.Join(extension.WithDuckDBSQL(ctx, c, f), c.Close())
}

// exec runs statements of DuckDB's.
func (s *Service) exec(ctx context.Context, statements ...string) error {
	return s.duck(ctx, func(c *sql.Conn) error {
		for _, q := range statements {
			if _, err := c.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
}

// newID is a name that nobody else has.
func newID(prefix string) string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it never fails
	return prefix + hex.EncodeToString(b)
}

// pairs gives the first two columns of a query.
func pairs(ctx context.Context, c *sql.Conn, query string) (all [][2]string, err error) {
	rows, err := c.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		var p [2]string
		if err := rows.Scan(&p[0], &p[1]); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}
