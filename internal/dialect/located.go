package dialect

import "errors"

// Located is an error of somebody else's that belongs to a place of the source.
type Located struct {
	Span
	Err error
}

// Error gives the error's own text.
func (l *Located) Error() string { return l.Err.Error() }

// Unwrap gives the error.
func (l *Located) Unwrap() error { return l.Err }

// At ties an error to a place of the source, unless it is nil or has one.
func At(span Span, err error) error {
	if err == nil {
		return nil
	}
	var own *Error
	var located *Located
	if errors.As(err, &own) || errors.As(err, &located) {
		return err
	}
	return &Located{span, err}
}
