package writer

import (
	"fmt"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// Error says what of a statement has no counterpart in DuckDB.
type Error struct {
	What     string // such as "the function HLL_COUNT.INIT"
	Pos, End int    // bytes of the statement; both 0 when the place is not known

	Wrong     bool // the statement is wrong, in BigQuery too: What is the whole message
	Misfolded bool // a constant DATE became a wrong DATETIME: written as a call it would not
}

func (e *Error) Error() string {
	if e.Wrong {
		return e.What
	}
	return e.What + " is not translated from GoogleSQL to DuckDB"
}

// refuse ends the writing of a statement; the exported functions give its error.
func refuse(at *resolved.ParseLocationRangeProto, format string, args ...any) {
	panic(&Error{What: fmt.Sprintf(format, args...), Pos: int(at.GetStart()), End: int(at.GetEnd())})
}

// refused turns a refusal into an error.
func refused(err *error) {
	switch r := recover().(type) {
	case nil:
	case *Error:
		*err = r
	case failed:
		*err = r.error
	default: // a tree of a form that the writer does not expect may not end the process
		*err = &Error{What: fmt.Sprintf("a form of this statement (%v)", r)}
	}
}

// failed carries an error of a construct's to the exported function.
type failed struct{ error }
