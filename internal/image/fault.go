package image

// fault is an error with a reason in a word or two, by which errors of many images are counted.
type fault struct {
	reason string
	err    error
}

func because(reason string, err error) error { return &fault{reason, err} }

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// Reason is "too large", "cut off", "damaged", "empty", "no image" or "not supported".
func (f *fault) Reason() string { return f.reason }
