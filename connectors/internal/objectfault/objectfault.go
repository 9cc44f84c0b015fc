// Package objectfault says why an object of a bucket or a file could not be listed or read.
package objectfault

// Reasons of an [Fault].
const (
	NotFound    = "not found"
	Forbidden   = "forbidden"
	Changed     = "changed"
	Corrupt     = "corrupt"
	Unavailable = "unavailable"
	Other       = "failed"
)

// Fault is an object that could not be listed or read. Its text names it and says what to do.
type Fault struct {
	URI  string
	Why  string // one of the reasons
	Hint string // what to do
	Err  error  // what the client library or the system said
}

// Error is the text for people.
func (e *Fault) Error() string {
	s := e.URI + ": " + e.Why
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap returns what the client library or the system said.
func (e *Fault) Unwrap() error { return e.Err }

// Reason is one of the constants.
func (e *Fault) Reason() string { return e.Why }
