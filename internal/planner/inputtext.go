package planner

import (
	"errors"
	"fmt"

	"github.com/mallardml/mallard/internal/dialect"
)

// noParameters refuses a parameter in the text of an input: nobody could give it a value.
func noParameters(input string, lang dialect.Lang) error {
	all := dialect.Parameters(input, lang)
	if len(all) == 0 {
		return nil
	}
	return &InputFault{input, all[0], fmt.Errorf("the parameter %s stands inside a text, where it gets no value; "+
		"write ML.PREDICT(MODEL name, (SELECT … %[1]s …)) or the like, whose input is no text", input[all[0].Pos:all[0].End])}
}

// InputFault is a fault in the text of an input query.
type InputFault struct {
	Input string
	dialect.Span
	Err error
}

// Error says where in the text the fault is.
func (e *InputFault) Error() string {
	line, col := dialect.LineCol(e.Input, e.Pos)
	return fmt.Sprintf("input query, line %d, column %d: %v", line, col, e.Err)
}

// Unwrap gives the fault.
func (e *InputFault) Unwrap() error { return e.Err }

// inputFault says where in the input text a fault is.
func inputFault(src string, err error) error {
	var own *dialect.Error
	var located *dialect.Located
	switch {
	case errors.As(err, &own):
		return &InputFault{src, dialect.Span{Pos: own.Pos, End: own.End}, err}
	case errors.As(err, &located):
		return &InputFault{src, located.Span, err}
	}
	return err
}
