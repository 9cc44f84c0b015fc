// Package server is `mallard serve`: BigQuery's services over one database of Mallard's, on one port. [New] opens the database,
// [Server.Run] serves until its context ends, and then lets finish what runs.
package server

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/localfs"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/bigquery"
	"github.com/mallardml/mallard/internal/server/bucket"
	"github.com/mallardml/mallard/internal/server/connection"
	"github.com/mallardml/mallard/internal/server/gateway"
	"github.com/mallardml/mallard/internal/server/iam"
	"github.com/mallardml/mallard/internal/server/storageread"
)

// Options are the command line of `mallard serve`.
type Options struct {
	// Database is a file, or "" for one in memory; with DuckDB's settings behind a question mark.
	Database string
	// Config is read as it is, but for the project and the dialect; nil is the default.
	Config *mallard.Config
	// Project is the name under which the database is served: by default that of the configuration, else "local".
	Project string
	// Location is where datasets are; "US" by default.
	Location string
	// Listen is the address, localhost:9050 by default. One that other machines reach wants Token.
	Listen string
	// Token is what requests must carry as a bearer; "" lets everybody in who reaches the address.
	Token string
	// Attach are databases that are projects of their own names, for reading.
	Attach []Attachment
	// Buckets are folders that are served as buckets of Cloud Storage, by their names, besides those of Config: statements read gs://NAME/…
	// from them.
	Buckets map[string]string
	// Emulate serves a Vertex AI with these answers, to clients and to the statements' remote models; nil serves none.
	Emulate *vertextest.Options
	// Hosts are names of Google's services that are added with [Server.Handle], so that the proxy leads there: storage.googleapis.com.
	Hosts []string
	// Folder is where the files of clients are made, for as long as the server runs; see [gateway.Options].
	Folder string
	// Limits bound what is kept and run; the zero value has the defaults.
	Limits bigquery.Limits
	// Logger gets a line for each request, for debugging; nil is silent.
	Logger *slog.Logger
	// Drain is how long a server that is stopped waits for what runs; 20 s by default.
	Drain time.Duration
}

// Attachment is a database file under a name.
type Attachment struct{ Name, File string }

// Server is a server that listens. It is safe for concurrent use.
type Server struct {
	o           Options
	db          *sql.DB
	bigquery    *bigquery.Service
	services    services
	reads       *storageread.Server
	policies    *iam.Policies
	connections *connection.Service
	gateway     *gateway.Gateway
	listener    net.Listener
	mux         *http.ServeMux
	scratch     string // a folder that goes with the server; "" for none
	started     time.Time
	counts      counts
}

// counts are what /metrics tells.
type counts struct{ requests, failed, running atomic.Int64 }

// createdConnections are those that clients made, once their service is there.
type createdConnections struct {
	atomic.Pointer[connection.Service]
}

// Has implements [config.ConnectionSet].
func (c *createdConnections) Has(path []string) bool {
	s := c.Load()
	return s != nil && s.Has(path)
}

// DefaultListen is where a server listens.
const DefaultListen = "localhost:9050"

// New opens the database and listens. The caller runs the server, or closes it.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Listen, o.Drain = cmp.Or(o.Listen, DefaultListen), cmp.Or(o.Drain, 20*time.Second)
	cfg := mallard.DefaultConfig()
	if o.Config != nil {
		own := *o.Config
		cfg = &own
	}
	o.Project = cmp.Or(o.Project, cfg.BigQuery.Project, "local")
	created := &createdConnections{}
	cfg.BigQuery.Project, cfg.BigQuery.Confined, cfg.BigQuery.Created = o.Project, true, created
	if err := o.checkListen(); err != nil {
		return nil, err
	}
	services, cfg, err := beside(o, cfg)
	if err != nil {
		return nil, err
	}
	connector, err := mallard.NewConnector(o.Database, mallard.Options{Config: cfg, Dialect: mallard.GoogleSQL})
	if err != nil {
		return nil, errors.Join(err, services.Close())
	}
	s := &Server{o: o, db: sql.OpenDB(connector), services: services, mux: http.NewServeMux(), started: time.Now()}
	// Their number is that of the requests at hand: jobs have a bound of their own. Making one takes longer than a small query, so as many
	// as work at once are kept for the next ones, for a while.
	s.db.SetMaxIdleConns(128)
	s.db.SetConnMaxIdleTime(time.Minute)
	if o.Database == "" {
		if err := s.makeScratch(ctx); err != nil {
			return nil, errors.Join(err, s.closeDatabase())
		}
	}
	for _, a := range o.Attach {
		if err := s.attach(ctx, a); err != nil {
			return nil, errors.Join(fmt.Errorf("-attach %s=%s: %w", a.Name, a.File, err), s.closeDatabase())
		}
	}
	if s.bigquery, err = bigquery.New(ctx, bigquery.Options{
		DB: s.db, Connector: connector, Project: o.Project, Location: o.Location, Logger: o.Logger,
		Buckets: localfs.NewBuckets(config.BucketDirs(cfg)), Limits: o.Limits,
	}); err != nil {
		return nil, errors.Join(err, s.closeDatabase())
	}
	if err := s.keepBeside(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.bigquery.Close(ctx), s.closeDatabase())
	}
	created.Store(s.connections)
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen); err != nil {
		return nil, errors.Join(fmt.Errorf("%w; choose another place with -listen HOST:PORT", err), s.bigquery.Close(ctx), s.closeDatabase())
	}
	if s.gateway, err = gateway.New(gateway.Options{
		Address: strings.TrimPrefix(s.URL(), "http://"), Project: o.Project, Hosts: slices.Concat(hosts(), services.hosts(), o.Hosts),
		Token: o.Token, Folder: o.Folder,
		HTTP: s.Handler(), GRPC: s.newCalls(), Logger: o.Logger,
	}); err != nil {
		err = fmt.Errorf("making the files of clients: %w", err)
		return nil, errors.Join(err, s.listener.Close(), s.bigquery.Close(ctx), s.closeDatabase())
	}
	s.mux.Handle("/", s.bigquery)
	s.mux.HandleFunc("GET /$discovery/rest", s.discovery)
	s.policies.Routes(s.mux)
	s.connections.Routes(s.mux)
	services.handle(s.mux)
	s.mux.HandleFunc("GET "+EnvironmentPath, s.environment)
	s.mux.HandleFunc("GET /healthz", s.health)
	s.mux.HandleFunc("GET /metrics", s.metrics)
	return s, nil
}

// keepBeside makes the services whose resources the database keeps.
func (s *Server) keepBeside(ctx context.Context, cfg *mallard.Config) error {
	policies, connections := s.bigquery.Keeper(metadata.Policy), s.bigquery.Keeper(metadata.Connection)
	set, err := policies.All(ctx)
	if err != nil {
		return err
	}
	made, err := connections.All(ctx)
	if err != nil {
		return err
	}
	s.policies = &iam.Policies{Keep: policies.Keep}
	if err := s.policies.Restore(set); err != nil {
		return err
	}
	s.connections, err = connection.New(s.o.Project, slices.Collect(maps.Keys(cfg.Connections)), s.policies, made, connections.Keep)
	return err
}

// attach attaches a database, for reading.
func (s *Server) attach(ctx context.Context, a Attachment) error {
	return s.duck(ctx, "ATTACH "+quote.Text(a.File)+" AS "+quote.Name(a.Name)+" (READ_ONLY)")
}

// makeScratch gives a database in memory a folder of its own for what does not fit there: DuckDB would make one where the server was
// started.
func (s *Server) makeScratch(ctx context.Context) (err error) {
	if s.scratch, err = os.MkdirTemp("", "mallard-serve-"); err != nil {
		return err
	}
	return s.duck(ctx, "SET temp_directory = "+quote.Text(filepath.Join(s.scratch, "spilt")))
}

// duck runs a statement of DuckDB's.
func (s *Server) duck(ctx context.Context, statement string) error {
	c, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	return errors.Join(extension.WithDuckDBSQL(ctx, c, func(c *sql.Conn) error {
		_, err := c.ExecContext(ctx, statement)
		return err
	}), c.Close())
}

// closeDatabase closes the database and what is beside it.
func (s *Server) closeDatabase() error {
	err := errors.Join(s.db.Close(), s.services.Close())
	if s.scratch != "" {
		err = errors.Join(err, os.RemoveAll(s.scratch))
	}
	return err
}

// checkListen refuses an address that others reach without a token.
func (o Options) checkListen() error {
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("-listen %s: write HOST:PORT: %w", o.Listen, err)
	}
	if !loopback(host) && o.Token == "" {
		return fmt.Errorf("-listen %s: other machines reach that address; give a -token that requests must carry, or listen on localhost",
			o.Listen)
	}
	return nil
}

// loopback reports whether a host is this machine only.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.Unmap().IsLoopback()
}

// URL is where the server is, such as http://localhost:9050.
func (s *Server) URL() string {
	host, _, _ := net.SplitHostPort(s.o.Listen)
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// Project is the name under which the database is served.
func (s *Server) Project() string { return s.o.Project }

// Handle serves another of Google's services under a pattern of [http.ServeMux], before Run.
func (s *Server) Handle(pattern string, h http.Handler) { s.mux.Handle(pattern, h) }

// Buckets is Cloud Storage over folders.
func (s *Server) Buckets() *bucket.Service { return s.services.buckets }

// BigQuery is the REST service.
func (s *Server) BigQuery() *bigquery.Service { return s.bigquery }

// DB is the database.
func (s *Server) DB() *sql.DB { return s.db }

// Run serves until ctx ends: then no request is taken any more, and those at hand and running jobs have a while to end.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- s.gateway.Serve(s.listener) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	drain, stop := context.WithTimeout(context.WithoutCancel(ctx), s.o.Drain)
	defer stop()
	return errors.Join(err, s.bigquery.Close(drain), s.gateway.Shutdown(drain), s.reads.Close(), s.closeDatabase())
}

// Close ends a server that is not run.
func (s *Server) Close() error {
	ctx := context.Background()
	return errors.Join(s.listener.Close(), s.bigquery.Close(ctx), s.gateway.Shutdown(ctx), s.reads.Close(), s.closeDatabase())
}

// overrideMethod gives a POST the method that its header names: Java's clients send PATCH so, as their HTTP library knows none.
func overrideMethod(r *http.Request) {
	if as := r.Header.Get("X-HTTP-Method-Override"); r.Method == http.MethodPost &&
		slices.Contains([]string{http.MethodPatch, http.MethodPut, http.MethodDelete}, as) {
		r.Method = as
	}
}

// Handler is what answers requests, behind the checks of who asks.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		s.counts.requests.Add(1)
		s.counts.running.Add(1)
		seen := &recorder{ResponseWriter: w}
		defer func() {
			s.counts.running.Add(-1)
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				s.o.Logger.Error("a fault of the server's", "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				if seen.status == 0 {
					refuse(seen, http.StatusBadRequest, "invalid", "A fault of Mallard's: its log says more.")
				}
			}
			if seen.status >= 400 {
				s.counts.failed.Add(1)
			}
			// No query string and no body: either may hold what is secret.
			s.o.Logger.Debug("request", "method", r.Method, "path", r.URL.Path, "status", seen.status, "bytes", seen.bytes,
				"took", time.Since(begin).Round(time.Microsecond))
		}()
		if s.admit(seen, r) {
			overrideMethod(r)
			s.mux.ServeHTTP(seen, r)
		}
	})
}

// admit checks who asks. Browsers are kept from reading and writing for pages of other sites: by the name under which they reach the server
// (DNS rebinding), and by the page's origin.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if s.o.Token == "" && !loopback(host) && !strings.HasSuffix(strings.ToLower(host), ".googleapis.com") {
		refuse(w, http.StatusForbidden, "accessDenied", fmt.Sprintf("This server is localhost, and is not asked as %.100q", host))
		return false
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || !loopback(u.Hostname()) {
			refuse(w, http.StatusForbidden, "accessDenied", fmt.Sprintf("Pages of %.100q may not ask this server", origin))
			return false
		}
	}
	if r.URL.Path != "/healthz" && !s.gateway.Admits(r.Header.Get("Authorization")) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "authError", "Request is missing the server's -token as its Authorization: Bearer.")
		return false
	}
	return true
}

// hosts are the names of Google's services that are always served.
func hosts() []string {
	return []string{
		"bigquery.googleapis.com", "bigquerystorage.googleapis.com", "bigqueryconnection.googleapis.com", "cloudresourcemanager.googleapis.com",
		"oauth2.googleapis.com",
	}
}

// EnvironmentPath is where a running server tells the variables that lead programs to it, as JSON.
const EnvironmentPath = "/mallard/environment"

// Environment gives the variables that lead programs to the server.
func (s *Server) Environment() []gateway.Variable { return s.gateway.Variables() }

func (s *Server) environment(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(s.Environment())
}

// discovery answers with the document of the API of a version, which is all that bq tells of the one that it means.
func (s *Server) discovery(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("version") == "v1" {
		connection.Discovery(w, s.URL()+"/")
		return
	}
	s.bigquery.ServeHTTP(w, r)
}

func refuse(w http.ResponseWriter, status int, reason, message string) {
	bigquery.WriteFault(w, &bigquery.Fault{Status: status, Reason: reason, Message: message})
}

// recorder notes what a reply was.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap is for [http.ResponseController].
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	if err := s.db.PingContext(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// metrics writes Prometheus's text format (https://prometheus.io/docs/instrumenting/exposition_formats/). For nine numbers without labels
// that is a line each; Prometheus's library, which is not among the modules, would bring several of its own.
func (s *Server) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	jobs := s.bigquery.Jobs()
	for _, m := range []struct {
		name, kind, help string
		value            int64
	}{
		{"mallard_requests_total", "counter", "Requests that were answered or are at hand.", s.counts.requests.Load()},
		{"mallard_requests_failed_total", "counter", "Requests answered with a status from 400 on.", s.counts.failed.Load()},
		{"mallard_requests_running", "gauge", "Requests at hand.", s.counts.running.Load()},
		{"mallard_jobs_waiting", "gauge", "Jobs that wait for their turn.", int64(jobs.Waiting)},
		{"mallard_jobs_running", "gauge", "Jobs that run.", int64(jobs.Running)},
		{"mallard_jobs_kept", "gauge", "Jobs that ended and are known.", int64(jobs.Kept)},
		{"mallard_result_bytes_kept", "gauge", "About what their results take in memory.", jobs.Bytes},
		{"mallard_connections_open", "gauge", "Connections to the database.", int64(s.db.Stats().OpenConnections)},
		{"go_goroutines", "gauge", "Goroutines.", int64(runtime.NumGoroutine())},
		{"process_resident_memory_bytes", "gauge", "Memory that the process takes; 0 where the system does not tell.", resident()},
		{"mallard_uptime_seconds", "gauge", "How long the server runs.", int64(time.Since(s.started).Seconds())},
	} {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s %d\n", m.name, m.help, m.name, m.kind, m.name, m.value)
	}
}

// resident is the memory of the process by Linux's /proc, in bytes, and 0 elsewhere.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
