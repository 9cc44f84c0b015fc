package extension

import (
	"errors"
	"fmt"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/failure"
)

// Error is the failure of a statement, with its place in the text that the caller gave. errors.As also finds the
// *duckdb.Error or the model's error behind it.
type Error struct {
	Msg       string // subject, cause, and what to do
	Hint      string // a line of advice; empty where Msg says it all
	Source    string // the text that was executed
	Pos, End  int    // bytes of Source; both -1 when the place is not known
	Line, Col int    // of Pos, from 1; 0 when not known
	Code      failure.Code
	Cause     error

	plain     bool    // Msg is DuckDB's own, with its excerpt
	said      string  // Msg without the place in a procedure
	statement string  // in a script, the one that has failed
	frames    []frame // of procedures, the innermost first
}

// Error gives "line:column: message", or the message alone, then the hint on a line of its own. What DuckDB says of a
// statement that is all its own comes as it is.
func (e *Error) Error() string {
	if e.Line == 0 || e.plain {
		return e.hinted(e.Msg)
	}
	return e.hinted(fmt.Sprintf("%d:%d: %s", e.Line, e.Col, e.Msg))
}

func (e *Error) hinted(text string) string {
	if e.Hint == "" {
		return text
	}
	return text + "\n" + e.Hint
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Render writes the error the way a person reads it, with a caret under the place. name stands for the source, such as a
// file's name.
func (e *Error) Render(name string) string { return e.RenderWidth(name, 240) }

// RenderWidth is Render for a terminal of so many columns.
func (e *Error) RenderWidth(name string, width int) string {
	if e.Line == 0 {
		return e.hinted(e.Msg)
	}
	msg := e.Msg
	if e.plain {
		msg = duckapi.WithoutExcerpt(msg) // of which ours takes the place
	}
	return e.hinted((&dialect.Error{Pos: e.Pos, End: e.End, Msg: msg}).RenderWidth(name, e.Source, width))
}

// errorText is an error as a handler sees it.
func errorText(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	if e.said != "" {
		return e.said
	}
	return e.Msg
}

// frame is where a statement stood that has failed, or that has called the procedure where it stands.
type frame struct {
	line, col int
	procedure string // "" outside of them
}

func (f frame) String() string { return fmt.Sprintf("At %s[%d:%d]", f.procedure, f.line, f.col) }
