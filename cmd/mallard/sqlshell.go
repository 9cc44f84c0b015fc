package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/trace"
)

// interactive tells whether a person sits at the shell.
func (o *options) interactive(t terminal) bool {
	return len(o.steps) == 0 && !o.batch && !o.noStdin && (o.person || t.inTerminal() && t.outTerminal())
}

// runShell runs what the command line says: SQL, files, a script from stdin, or a person's shell.
func runShell(ctx context.Context, o *options, t terminal) (err error) {
	interactive := o.interactive(t)
	signals := []os.Signal{syscall.SIGTERM}
	if !interactive {
		signals = append(signals, os.Interrupt) // in the shell it cancels one statement
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	defer stop()

	cfg, _, err := o.loadConfig()
	if err != nil {
		return err
	}
	if o.tutorials {
		var closing func() error
		if cfg, closing, err = o.tutorialShell(ctx, cfg); err != nil {
			return fmt.Errorf("-tutorials: %w", err)
		}
		defer func() { err = errors.Join(err, closing()) }()
	}
	s, err := o.connect(ctx, cfg, o.database, o.readOnly)
	if err != nil {
		return err
	}
	if err := o.showProgress(ctx, s, t); err != nil {
		return errors.Join(err, s.close())
	}
	var sh *shell.Shell
	opened := o.database
	closeSession := func() error {
		if sh != nil && sh.Unended() {
			return nil // it would wait for a statement that cannot be stopped; the process ends it
		}
		return s.close()
	}
	defer func() { err = errors.Join(err, closeSession()) }()
	open := func(ctx context.Context, path string, readOnly bool) (shell.DB, error) {
		next, err := o.connect(ctx, cfg, path, readOnly)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(closeSession(), o.showProgress(ctx, next, t)); err != nil {
			return nil, errors.Join(err, next.close())
		}
		lang := s.lang
		*s = *next
		opened = path
		return s.conn, s.readAs(lang)
	}
	so := o.shellOptions(s, t)
	so.Lock, so.Open = s.lock, open
	so.Database = func() string { return opened }
	so.Keyword, so.PromptOf, so.Suggest, so.Hint = s.keyword, s.prompt, s.suggest, s.hint
	so.Another = func(ctx context.Context) (shell.DB, error) {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		s.conn = conn
		return conn, errors.Join(s.readAs(s.lang), o.showProgress(ctx, s, t))
	}
	sh = shell.New(s.conn, so)
	defer func() { err = errors.Join(err, sh.Close()) }()
	return o.read(ctx, sh, t)
}

// shellOptions are those that do not change the session.
func (o *options) shellOptions(s *session, t terminal) shell.Options {
	return shell.Options{
		Out: t.out, Err: t.err, OutTerminal: t.outTerminal(), ErrTerminal: t.errTerminal(), Width: t.width, Height: t.height,
		Format: o.format, Bail: o.bail, ShowProgress: o.progress, Echo: o.echo,
		Split: func(src string) []shell.Statement {
			var list []shell.Statement
			for _, st := range dialect.Split(src, s.lang) {
				list = append(list, shell.Statement{Pos: st.Pos, End: st.End})
			}
			return list
		},
		Marker:      func(text string) string { return dialect.Marker(text, s.lang) },
		Completion:  func() shell.Completion { return dialect.NewCompletion(s.lang) },
		Pieces:      func(text string) []shell.Piece { return pieces(text, s.lang) },
		RenderError: func(err error, at shell.Place) string { return renderError(err, at, t.errWidth()) },
		Begin: func(ctx context.Context, src string, notice func(string)) (context.Context, shell.Progress) {
			p := progress{p: new(mallard.Progress)}
			if analyzed.MatchString(src) {
				p.tally = new(tally)
				ctx = trace.With(ctx, p.tally)
			}
			return mallard.WithStreaming(mallard.WithNotices(mallard.WithProgress(ctx, p.p), notice)), p
		},
		Lead:        lead,
		AsDuckDB:    extension.AsDuckDB,
		Colored:     shell.Colored(os.Getenv),
		Version:     versionText(),
		Commands:    s.commands(o),
		Banner:      banner(o.database),
		HistoryFile: historyFile(),
		Location:    time.Local,
	}
}

// read runs what the command line says on a shell.
func (o *options) read(ctx context.Context, sh *shell.Shell, t terminal) error {
	switch {
	case o.initFile != "":
		if err := sh.ReadFile(ctx, o.initFile); err != nil {
			return err
		}
	case o.interactive(t) && !o.noInit:
		if err := readHabits(ctx, sh); err != nil {
			return err
		}
	}
	if o.safe {
		if err := sh.Exec(ctx, "query", ".safe_mode"); err != nil {
			return err
		}
	}
	for _, sql := range o.before {
		if err := sh.Exec(ctx, "query", sql); err != nil {
			return err
		}
	}
	var failed error
	for _, st := range o.steps {
		run := func() error { return sh.Exec(ctx, "query", st.text) }
		if st.file {
			run = func() error { return sh.ReadFile(ctx, st.text) }
		}
		// As in DuckDB's shell nothing follows what failed, unless .bail off was said.
		switch err := run(); {
		case errors.Is(err, shell.ErrFailed) && sh.GoesOn() && ctx.Err() == nil:
			failed = err
		case err != nil:
			return err
		}
	}
	switch {
	case len(o.steps) > 0 || o.noStdin:
		return failed
	case o.interactive(t):
		return sh.Interact(ctx)
	}
	return sh.Run(ctx, "stdin", t.in)
}

func (o *options) lang(cfg *mallard.Config) dialect.Lang {
	if o.dialect != dialect.Auto {
		return o.dialect
	}
	return dialect.Lang(cfg.BigQuery.Dialect)
}

// showProgress makes DuckDB count how far a statement is, without printing it itself.
func (o *options) showProgress(ctx context.Context, s *session, t terminal) error {
	if !t.errTerminal() && !o.progress {
		return nil
	}
	for _, q := range []string{"SET enable_progress_bar = true", "SET enable_progress_bar_print = false", "SET progress_bar_time = 0"} {
		if _, err := s.conn.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("progress: %w", err)
		}
	}
	return nil
}

// renderError shows an error with its place in the script, not only in the statement.
func renderError(err error, at shell.Place, width int) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	var e *mallard.Error
	switch is := errors.As(err, &e); {
	case is && at.Text == "":
		return at.Name + ": " + withoutExcerpt(e.Msg)
	case at.Text == "":
		return at.Name + ": " + err.Error()
	case !is || e.Line == 0:
		return at.Statement() + err.Error()
	}
	source := strings.TrimPrefix(e.Source, dialect.Marker(e.Source, dialect.Auto)) // the shell has put it there
	marker := len(e.Source) - len(source)
	if !strings.HasPrefix(at.Text[at.Pos:], source) {
		return at.Statement() + err.Error()
	}
	lines := strings.Repeat("\n", at.Line-1)
	before := len(lines) + at.Pos - marker
	text := (&dialect.Error{Pos: before + e.Pos, End: before + e.End, Msg: withoutExcerpt(e.Msg)}).RenderWidth(at.Name, lines+at.Text, width)
	if e.Hint != "" {
		text = strings.TrimSuffix(text, "\n") + "\n" + e.Hint
	}
	return text
}

// withoutExcerpt is what DuckDB says without its own picture of the place: the shell draws one, of the script.
func withoutExcerpt(msg string) string {
	msg, _, _ = strings.Cut(msg, "\n\nLINE ")
	return msg
}

func banner(database string) string {
	where := "a database in memory, gone when you leave"
	if database != "" && database != ":memory:" {
		where = database
	}
	return versionText() + ", .help lists the commands, Ctrl-D leaves.\nThis is " + where + "."
}

// historyFile is where the shell keeps what was typed, empty if the user has no folder for it.
func historyFile() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir = filepath.Join(dir, "mallard")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return ""
	}
	return filepath.Join(dir, "history")
}
