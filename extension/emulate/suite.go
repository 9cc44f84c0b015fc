package emulate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/sqllogic"
)

// Suite gives .test files their databases and, where they want it, a Vertex AI each. It is safe for concurrent use once set up.
type Suite struct {
	// Config is what the files run under; nil is the default. It is not changed.
	Config *config.Config
	// Open opens a database under a file's configuration. Nil: extension.NewConnector.
	Open func(cfg *config.Config, dsn string) (*sql.DB, error)
	// Server is what every file's Vertex AI starts with. Its Log is taken.
	Server vertextest.Options
	// Always starts a Vertex AI for every file, also without `require vertexai`; so does a Server.Replay.
	Always bool
}

// Begin is sqllogic.Options.Begin.
func (s Suite) Begin(file, dir string) (sqllogic.Environment, error) {
	if s.Config == nil {
		s.Config = config.DefaultConfig()
	}
	if s.Open == nil {
		s.Open = func(cfg *config.Config, dsn string) (*sql.DB, error) {
			c, err := extension.NewConnector(dsn, extension.Options{Config: cfg})
			if err != nil {
				return nil, err
			}
			return sql.OpenDB(c), nil
		}
	}
	log := filepath.Join(dir, "requests.jsonl")
	f := &suiteFile{suite: s, cfg: s.Config, dir: filepath.Dir(file), log: log,
		vars: map[string]string{"REQUESTS": log, "__REQUESTS__": requestsTable(log)}}
	if s.Always || s.Server.Replay != "" {
		if err := f.start(); err != nil {
			return sqllogic.Environment{}, errors.Join(err, f.close())
		}
	}
	return sqllogic.Environment{
		Open: func(dsn string) (*sql.DB, error) {
			f.opened = true
			return s.Open(f.cfg, dsn)
		},
		Require: func(name string) (bool, error) {
			if name != "vertexai" {
				return false, nil
			}
			return true, f.start()
		},
		Vars:       f.vars,
		Directives: map[string]sqllogic.Directive{"config": f.config, "vertexai": f.vertexai},
		Close:      f.close,
	}, nil
}

// requestsTable reads the request log in SQL.
func requestsTable(log string) string {
	return fmt.Sprintf("read_json('%s', format = 'newline_delimited', columns = {seq: 'BIGINT', transport: 'VARCHAR', method: 'VARCHAR', "+
		"path: 'VARCHAR', header: 'JSON', "+
		"authorized: 'BOOLEAN', request: 'JSON', rows: 'BIGINT', tokens: 'BIGINT', status: 'BIGINT'})", strings.ReplaceAll(log, "'", "''"))
}

// suiteFile is the state of one .test file.
type suiteFile struct {
	suite  Suite
	cfg    *config.Config
	dir    string // of the file
	log    string
	vars   map[string]string // those that the file sees
	opened bool
	server *vertextest.Server
	out    *os.File // the log
	models *Models
}

var errTooLate = errors.New("it must stand before the first statement")

// start starts the file's Vertex AI and leads the connections to it.
func (f *suiteFile) start() (err error) {
	if f.server != nil {
		return nil
	}
	if f.opened {
		return errTooLate
	}
	// Appending, so that the log can be emptied under the server.
	if f.out, err = os.OpenFile(f.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return fmt.Errorf("request log: %w", err)
	}
	o := f.suite.Server
	o.Log, o.LogSize = f.out, -1 // __REQUESTS__ reads the file
	if f.server, err = vertextest.New(o); err != nil {
		return err
	}
	f.server.Start()
	f.vars["VERTEXAI"] = f.server.URL()
	f.cfg = redirected(f.cfg, f.server.URL())
	return nil
}

// redirected leads the connections of a configuration to a server without credentials.
func redirected(base *config.Config, url string) *config.Config {
	cfg := *base
	cfg.Connections = maps.Clone(base.Connections)
	if cfg.Connections == nil {
		cfg.Connections = map[string]config.ConnectionConfig{}
	}
	if _, ok := cfg.Connections["default"]; !ok {
		project := cfg.BigQuery.Project
		if project == "" {
			project = "local"
		}
		cfg.Connections["default"] = config.ConnectionConfig{Project: project}
	}
	for name, c := range cfg.Connections {
		if c.Kind == "" || c.Kind == "vertexai" {
			c.BaseURL, c.Auth = url, "none"
			cfg.Connections[name] = c
		}
	}
	return &cfg
}

// config is the directive of that name.
func (f *suiteFile) config(_ context.Context, words []string, text string) error {
	if len(words) > 0 {
		return errors.New("write the configuration on the lines below config")
	}
	if f.opened {
		return errTooLate
	}
	cfg, err := f.cfg.With("config", text)
	if err == nil {
		f.cfg = cfg
	}
	return err
}

// vertexai is the directive of that name.
func (f *suiteFile) vertexai(ctx context.Context, words []string, text string) error {
	const usage = "write vertexai script [FILE], vertexai endpoint ID FOLDER, vertexai replay FILE or vertexai forget"
	if len(words) == 0 {
		return errors.New(usage)
	}
	if f.server == nil {
		if err := f.start(); err != nil {
			return err
		}
	}
	what, args := words[0], words[1:]
	if text != "" && (what != "script" || len(args) > 0) {
		return errors.New("lines below stand below vertexai script alone")
	}
	switch {
	case what == "script" && len(args) <= 1:
		return f.script(args, text)
	case what == "endpoint" && len(args) == 2:
		return f.endpoint(ctx, args[0], args[1])
	case what == "replay" && len(args) == 1:
		return f.server.Replay(f.path(args[0]))
	case what == "forget" && len(args) == 0:
		if err := os.Truncate(f.log, 0); err != nil {
			return fmt.Errorf("request log: %w", err)
		}
		return nil
	}
	return errors.New(usage)
}

func (f *suiteFile) script(files []string, text string) error {
	if len(files) > 0 {
		b, err := os.ReadFile(f.path(files[0]))
		if err != nil {
			return err
		}
		text = string(b)
	}
	script, err := vertextest.ReadScript(strings.NewReader(text))
	if err != nil {
		return err
	}
	return f.server.Play(script)
}

func (f *suiteFile) endpoint(ctx context.Context, id, folder string) (err error) {
	if f.models == nil {
		if f.models, err = NewModels(f.cfg); err != nil {
			return err
		}
	}
	p, err := f.models.Endpoint(ctx, id, f.path(folder))
	if err == nil {
		f.server.Endpoint(id, p)
	}
	return err
}

// path is a path as the file means it.
func (f *suiteFile) path(p string) string {
	if filepath.IsAbs(p) || strings.Contains(p, "://") {
		return p
	}
	return filepath.Join(f.dir, p)
}

// close ends the server; its error says which requests a record had no answer to.
func (f *suiteFile) close() error {
	var errs []error
	if f.server != nil {
		for _, what := range f.server.Missed() {
			errs = append(errs, fmt.Errorf("the record has no answer to %s", what))
		}
		errs = append(errs, f.server.Close())
	}
	if f.models != nil {
		errs = append(errs, f.models.Close())
	}
	if f.out != nil {
		errs = append(errs, f.out.Close())
	}
	return errors.Join(errs...)
}
