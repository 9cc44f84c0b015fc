package bigquery

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/quote"
)

// New makes the anonymous dataset in the database, and the service.
func New(ctx context.Context, o Options) (*Service, error) {
	o.Limits = o.Limits.withDefaults()
	o.Location = cmp.Or(o.Location, "US")
	o.User = cmp.Or(o.User, "mallard@localhost")
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{Options: o, started: time.Now(), inserted: insertIDs{seen: map[string]time.Time{}}}
	err := s.duck(ctx, func(c *sql.Conn) error {
		if err := c.QueryRowContext(ctx, "SELECT current_database()").Scan(&s.database); err != nil {
			return err
		}
		_, err := c.ExecContext(ctx, "ATTACH IF NOT EXISTS ':memory:' AS "+quote.Name(Anonymous))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("making the dataset of results: %w", err)
	}
	if strings.EqualFold(s.database, Anonymous) {
		return nil, fmt.Errorf("a database may not be called %s", Anonymous)
	}
	s.jobs, s.uploads.byID = newJobs(s), map[string]*resumable{}
	s.handler = s.routes()
	return s, nil
}

// ServeHTTP implements [http.Handler].
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close waits for the jobs that run until ctx ends, then cancels them. Nothing is to be asked any more.
func (s *Service) Close(ctx context.Context) error {
	err := s.jobs.close(ctx)
	s.closeSessions()
	s.closeUploads()
	if s.Buckets != nil {
		err = errors.Join(err, s.Buckets.Close())
	}
	return err
}

// routes makes the handler of all paths, with and without the prefix.
func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	for _, m := range methods {
		if m.run == nil {
			continue
		}
		mux.Handle(m.verb+" "+m.path, s.serve(m))
	}
	s.serveUploads(mux)
	s.servePolicies(mux)
	mux.HandleFunc("GET /$discovery/rest", s.discovery)
	mux.HandleFunc("GET /discovery/v1/apis/bigquery/v2/rest", s.discovery)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		(&call{w: w, r: r, s: s}).reply(nil, notFound("Not found: %s %s is no method that is served", r.Method, r.URL.Path))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, Prefix); ok && strings.HasPrefix(rest, "/") {
			shorter := r.Clone(r.Context())
			shorter.URL.Path, shorter.URL.RawPath = rest, strings.TrimPrefix(r.URL.RawPath, Prefix)
			r = shorter
		}
		mux.ServeHTTP(w, r)
	})
}
