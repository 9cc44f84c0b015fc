package planner

import (
	"errors"
	"fmt"

	"github.com/mallardml/mallard/dialect"
)

// noParameters refuses a parameter in the text of an input: nobody could give it a value.
func noParameters(input string, lang dialect.Lang) error {
	all := dialect.Parameters(input, lang)
	if len(all) == 0 {
		return nil
	}
	line, col := dialect.LineCol(input, all[0].Pos)
	return fmt.Errorf("input query, line %d, column %d: the parameter %s stands inside a text, where it gets no value; "+
		"write ML.PREDICT(MODEL name, (SELECT … %[3]s …)) or the like, whose input is no text",
		line, col, input[all[0].Pos:all[0].End])
}

// inputFault says where in the input text a fault is.
func inputFault(src string, err error) error {
	pos := -1
	var own *dialect.Error
	var located *dialect.Located
	switch {
	case errors.As(err, &own):
		pos = own.Pos
	case errors.As(err, &located):
		pos = located.Pos
	default:
		return err
	}
	line, col := dialect.LineCol(src, pos)
	return fmt.Errorf("input query, line %d, column %d: %w", line, col, err)
}
