package job

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/quote"
)

// Worker is a process's database, with the models opened once. It is safe for concurrent use.
type Worker struct {
	spec      *Spec
	connector *mallard.Connector
	db        *sql.DB
	dialect   mallard.Dialect
	in        inputs
	scratch   string        // a folder for what is spilt and for copies of the input
	slots     chan struct{} // shards that run
	others    sync.RWMutex  // is held by them, and for writing by one that runs alone
}

// Open makes a worker ready: its database, the archives, the small tables and the statements before the query.
func Open(ctx context.Context, s *Spec) (*Worker, error) {
	w, err := open(ctx, s, false)
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	if s.Setup != "" {
		if _, err := w.db.ExecContext(ctx, s.Setup); err != nil {
			return nil, errors.Join(rendered("worker", err), w.Close())
		}
	}
	return w, nil
}

// open makes the database. One that only looks at statements keeps no answers.
func open(ctx context.Context, s *Spec, looks bool) (w *Worker, err error) {
	w = &Worker{spec: s, slots: make(chan struct{}, max(1, s.Parallel))}
	if w.scratch, err = os.MkdirTemp("", "mallard-beam-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	config, err := s.config(w.scratch)
	if err != nil {
		return nil, err
	}
	w.in = newInputs(config, w.scratch)
	if config, err = share(config, s.Workers); err != nil {
		return nil, err
	}
	if w.dialect, err = mallard.ParseDialect(s.Dialect); err != nil {
		return nil, err
	}
	file := ""
	if !looks {
		if file, err = s.keepsAnswers(); err != nil {
			return nil, err
		}
	}
	if w.connector, err = mallard.NewConnector(file, mallard.Options{Config: config, Dialect: w.dialect}); err != nil {
		return nil, err
	}
	w.db = sql.OpenDB(w.connector)
	if err := w.exec(ctx, "SET GLOBAL temp_directory = "+quote.Text(filepath.Join(w.scratch, "spill"))); err != nil {
		return nil, err
	}
	if s.Memory != "" {
		if err := w.exec(ctx, "SET GLOBAL memory_limit = "+quote.Text(s.Memory)); err != nil {
			return nil, fmt.Errorf("-memory %s: %w", s.Memory, err)
		}
	}
	if !looks {
		if err := w.takeAnswers(ctx, file); err != nil {
			return nil, err
		}
	}
	for _, m := range s.Models {
		of, file, _ := strings.Cut(m, "=")
		if err := w.importModel(ctx, of, file); err != nil {
			return nil, fmt.Errorf("-model %s: %w", m, err)
		}
	}
	for _, t := range s.Tables {
		f, err := FormatOf(t.File)
		if err != nil {
			return nil, fmt.Errorf("-table %s: %w", t.Name, err)
		}
		if err := w.exec(ctx, "CREATE TABLE "+quote.Name(t.Name)+" AS FROM "+reader(f, t.File, nil)); err != nil {
			return nil, fmt.Errorf("-table %s=%s: %w", t.Name, t.File, err)
		}
	}
	return w, nil
}

// importModel makes a model of an archive, with its dataset.
func (w *Worker) importModel(ctx context.Context, model, file string) error {
	parts := strings.Split(model, ".")
	for i := range parts {
		parts[i] = quote.Name(parts[i])
	}
	if len(parts) > 1 {
		if err := w.exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+strings.Join(parts[:len(parts)-1], ".")); err != nil {
			return err
		}
	}
	statement := "CREATE MODEL " + strings.Join(parts, ".") + " OPTIONS (MODEL_PATH = " + quote.Text(file) + ")"
	if w.dialect == mallard.GoogleSQL {
		statement = strings.ReplaceAll(statement, `"`, "`")
	}
	_, err := w.db.ExecContext(ctx, statement)
	return err
}

// config reads the configuration: from its file where the worker sees the same one, else from its text.
func (s *Spec) config(scratch string) (*mallard.Config, error) {
	if s.ConfigFile == "" {
		return mallard.DefaultConfig(), nil
	}
	file := s.ConfigFile
	if have, err := os.ReadFile(file); err != nil || string(have) != s.ConfigText {
		file = filepath.Join(scratch, filepath.Base(file))
		if err := os.WriteFile(file, []byte(s.ConfigText), 0o600); err != nil {
			return nil, err
		}
	}
	return mallard.LoadConfig(file)
}

// exec runs statements of our own: DuckDB's, whatever the dialect.
func (w *Worker) exec(ctx context.Context, statement string) error {
	c, err := w.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return mallard.WithDuckDB(ctx, c, func(d *sql.Conn) error { _, err := d.ExecContext(ctx, statement); return err })
}

// Close ends the worker.
func (w *Worker) Close() (err error) {
	if w.db != nil {
		err = w.db.Close()
	} else if w.connector != nil {
		err = w.connector.Close()
	}
	if w.in.stores != nil {
		err = errors.Join(err, w.in.Close())
	}
	return errors.Join(err, os.RemoveAll(w.scratch))
}

// Acquire waits until the process may run one more shard, and Release says that it has ended.
func (w *Worker) Acquire(ctx context.Context) error {
	select {
	case w.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release gives back what Acquire has got.
func (w *Worker) Release() { <-w.slots }

// Run runs a shard, again where that may help, and gives what became of it: an output under a temporary name, or an error that
// goes to the dead letters. An error of Run's own says that the worker cannot go on.
func (w *Worker) Run(ctx context.Context, sh Shard) (Done, error) {
	if d, ok := w.spec.found(sh); ok {
		return d, nil
	}
	alone := false
	for {
		tries, err := w.spec.try(sh)
		if err != nil {
			return Done{}, err
		}
		if tries > w.spec.Tries { // the tries before ended their processes
			return Done{Shard: sh, Tries: tries - 1, Code: string(mallard.CodeInternal),
				Error: "the process ended each time while it ran this shard"}, nil
		}
		d, err := w.beside(ctx, sh, alone)
		if d.Tries = tries; err == nil {
			return d, nil
		}
		if ctx.Err() != nil {
			return Done{}, ctx.Err()
		}
		code := mallard.CodeOf(err)
		alone = code == mallard.CodeResource // the shards beside it may have had the memory
		again := code == mallard.CodeResource || code == mallard.CodeRemote || code == mallard.CodeInternal
		if !again || tries >= w.spec.Tries {
			return Done{Shard: sh, Tries: tries, Code: string(code), Error: fmt.Sprintf("%s: %v", sh, err)}, nil
		}
	}
}

// beside runs a shard beside others, or alone in its process.
func (w *Worker) beside(ctx context.Context, sh Shard, alone bool) (Done, error) {
	if alone {
		w.others.Lock()
		defer w.others.Unlock()
	} else {
		w.others.RLock()
		defer w.others.RUnlock()
	}
	return w.once(ctx, sh)
}

// try notes that a try of a shard begins, and counts them.
func (s *Spec) try(sh Shard) (int, error) {
	dir := s.shardDir(triesDir, sh.Index)
	err := os.MkdirAll(dir, folders)
	if err == nil {
		_, err = os.MkdirTemp(dir, "try-*")
	}
	if err != nil {
		return 0, fmt.Errorf("output %s cannot be written: %w", s.Output, err)
	}
	all, err := os.ReadDir(dir)
	return len(all), err
}

// once runs a shard as one statement.
func (w *Worker) once(ctx context.Context, sh Shard) (d Done, err error) {
	d.Shard = sh
	remove := func() error { return nil } // the copy of the input, when the statement over it has ended
	defer func() { err = errors.Join(err, remove()) }()
	c, err := w.db.Conn(ctx)
	if err != nil {
		return d, err
	}
	defer c.Close()
	err = mallard.WithDuckDB(ctx, c, func(duck *sql.Conn) (err error) {
		file, done, err := w.in.file(ctx, duck, w.spec.Format, sh)
		if err != nil {
			return err
		}
		remove = done
		d.RowsIn, err = w.spec.view(ctx, duck, w.spec.source(sh, file))
		return err
	})
	if err != nil {
		return d, err
	}
	staged := w.spec.shardDir(staging, sh.Index)
	if err = os.MkdirAll(staged, folders); err == nil {
		staged, err = os.MkdirTemp(staged, "copy-*")
	}
	if err != nil {
		return d, fmt.Errorf("output %s cannot be written: %w", w.spec.Output, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(staged))
		}
	}()
	out := filepath.Join(staged, "part."+string(w.spec.OutputFormat))
	var p mallard.Progress
	begin := time.Now()
	result, err := c.ExecContext(mallard.WithProgress(ctx, &p), w.spec.writing(out))
	if err != nil {
		return d, err
	}
	d.Seconds = time.Since(begin).Seconds()
	if d.RowsOut, err = result.RowsAffected(); err != nil {
		return d, err
	}
	r := p.Remote()
	for _, n := range r.Failed {
		d.RowsFailed += n
	}
	d.Requests, d.Retries, d.Cached, d.Tokens, d.Money = r.Requests, r.Retries, r.Cached, r.Tokens, r.Money
	if d.Staged, err = filepath.Rel(w.spec.staging(), staged); err != nil {
		return d, err
	}
	b, err := json.Marshal(d)
	if err != nil {
		return d, err
	}
	return d, write(filepath.Join(staged, "record"+record), b) // with the record the output is whole
}

// view makes the relation input of a connection, and counts its rows. The columns of the shard must be those of the job.
func (s *Spec) view(ctx context.Context, c *sql.Conn, source string) (rows int64, err error) {
	got, err := columnsOf(ctx, c, source)
	if err != nil {
		return 0, err
	}
	if how := differs(s.Columns, got); how != "" {
		return 0, errors.New(how)
	}
	names := make([]string, len(s.Columns))
	for i, col := range s.Columns {
		names[i] = quote.Name(col.Name)
	}
	view := "CREATE OR REPLACE TEMP VIEW " + quote.Name(input) + " AS SELECT " + strings.Join(names, ", ") + " FROM " + source
	if _, err := c.ExecContext(ctx, view); err != nil {
		return 0, err
	}
	err = c.QueryRowContext(ctx, "SELECT count(*) FROM "+quote.Name(input)).Scan(&rows)
	return rows, err
}

// found is a shard that a run before has done: its final output, or a whole one that has no final name yet.
func (s *Spec) found(sh Shard) (Done, bool) {
	if _, err := os.Stat(filepath.Join(s.Output, s.Final(sh.Index))); err == nil {
		return Done{Shard: sh, Reused: true}, true
	}
	all, err := filepath.Glob(filepath.Join(s.shardDir(staging, sh.Index), "copy-*", "record"+record))
	if err != nil || len(all) == 0 {
		return Done{}, false
	}
	b, err := os.ReadFile(all[0])
	var d Done
	if err != nil || json.Unmarshal(b, &d) != nil || filepath.Join(s.staging(), d.Staged) != filepath.Dir(all[0]) {
		return Done{}, false
	}
	d.Reused = true
	return d, true
}
