package shell

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/quote"
)

// times are what the process has used of the processors.
type times struct {
	known     bool
	user, sys time.Duration
}

// outcome is what a statement leaves behind.
type outcome struct {
	changed int64 // rows, for .changes
	result  *result
}

// statement runs one statement, with mark before it, and prints its result. Its own failure is printed and becomes ErrFailed.
func (s *Shell) statement(ctx context.Context, mark, src string, at Place) error {
	start, cpu := time.Now(), cpuTime()
	status := newStatusLine(s.o)
	status.terminal = status.terminal && s.progress
	ctx, progress := s.o.Begin(ctx, src, status.print)
	s.running = progress
	s.left = &outcome{}
	err := s.free(ctx)
	if err == nil && s.format.Mode == Insert {
		s.findKeywords(ctx)
	}
	if err == nil {
		status.start(progress)
		err = s.show(ctx, mark, src, status)
		status.stop()
	}
	s.record(src, err)
	var out outputError
	switch {
	case errors.As(err, &out):
		return err
	case err != nil:
		s.complain(strings.TrimRight(s.o.RenderError(err, at), "\n"))
		if errors.Is(err, errLeft) {
			fmt.Fprintln(s.o.Err, errLeft)
		}
		s.failed = true
		err = ErrFailed
	}
	if s.left.result != nil {
		s.last = s.left.result
	}
	if e := s.after(start, cpu, progress, err); e != nil {
		return e
	}
	if s.once {
		if e := s.setOutput(nil); e != nil {
			return e
		}
	}
	return err
}

// show runs a statement and writes its result where results go.
func (s *Shell) show(ctx context.Context, mark, src string, status *statusLine) error {
	w := s.out
	if !s.toTerminal() {
		return s.answer(ctx, mark, src, w)
	}
	// Rows may be computed while they are printed: the line stays until the first of them meets the eye.
	w = afterStatus{w, status}
	page := s.page(w)
	if page == nil {
		return s.answer(ctx, mark, src, w)
	}
	err := s.answer(ctx, mark, src, page)
	if e := page.close(); err == nil && e != nil {
		err = outputError{e}
	}
	return err
}

// after prints what .timer and .changes ask for.
func (s *Shell) after(start time.Time, cpu times, progress Progress, failed error) error {
	if s.changes && failed == nil {
		s.total += s.left.changed
		if err := s.say("changes: %3d   total_changes: %d\n", s.left.changed, s.total); err != nil {
			return err
		}
	}
	if !s.timer {
		return nil
	}
	elapsed := time.Since(start)
	text := fmt.Sprintf("Run Time (s): real %.3f", elapsed.Seconds())
	if now := cpuTime(); now.known {
		text += fmt.Sprintf(" user %.6f sys %.6f", (now.user - cpu.user).Seconds(), (now.sys - cpu.sys).Seconds())
	}
	if progress != nil {
		if st := progress.State(); st.Rows > 0 && st.Unit == "" {
			text += ", predicted " + rateText(st.Rows, elapsed)
		}
	}
	return s.say("%s\n", text)
}

// complain prints an error.
func (s *Shell) complain(text string) {
	look := style{s.errorColors && s.o.ErrTerminal}
	first, rest, more := strings.Cut(text, "\n")
	text = look.in(red, first)
	if more {
		text += "\n" + rest
	}
	fmt.Fprintln(s.o.Err, text)
}

// runner is the shell as a command sees it.
type runner struct{ s *Shell }

func (r runner) Print(text string) error { return r.s.say("%s", text) }

func (r runner) Rows(ctx context.Context, query string) (list [][]string, err error) {
	if err := r.s.free(ctx); err != nil {
		return nil, err
	}
	rows, err := r.s.db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values, dest := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		texts := make([]string, len(values))
		for i, v := range values {
			if v != nil {
				texts[i] = fmt.Sprint(v)
			}
		}
		list = append(list, texts)
	}
	return list, rows.Err()
}

func (r runner) Insert(ctx context.Context, schema, table string) error {
	s := r.s
	s.findKeywords(ctx)
	rows, err := s.db.QueryContext(ctx, "FROM "+quote.Path(schema, table))
	if err != nil {
		return err
	}
	defer rows.Close()
	cols, err := columnsOf(rows)
	if err != nil {
		return err
	}
	w := newSteadyWriter(s.out)
	t := text{w: w, f: Format{Mode: Insert, NoHeader: true}}
	t.df.Location = s.o.Location
	into := sqlName(schema, s.keywords) + "." + sqlName(table, s.keywords)
	err = printRows(&literalPrinter{text: t, insert: into, keywords: s.keywords}, cols, rows)
	return errors.Join(err, w.close())
}
