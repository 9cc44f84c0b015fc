package analyzer

import (
	"fmt"
	"regexp"
	"strconv"
)

// Error is what the analyzer says of a statement.
type Error struct {
	Message   string // in Google's words, without the place
	Line, Col int    // of the statement's text, counted from 1; 0 when no place is known
	Pos       int    // the byte of the place in the statement; the translator tells it
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("%s [at %d:%d]", e.Message, e.Line, e.Col)
}

var place = regexp.MustCompile(`(?s)^(.*?) \[at (\d+):(\d+)\]`)

// newError reads the place out of an error of the mode ONE_LINE.
func newError(message string) *Error {
	m := place.FindStringSubmatch(message)
	if m == nil {
		return &Error{Message: message}
	}
	line, _ := strconv.Atoi(m[2])
	col, _ := strconv.Atoi(m[3])
	return &Error{Message: m[1], Line: line, Col: col}
}
