package sqllogic

import (
	"context"
	"database/sql"
)

// Environment is what one file has of its own, such as a fake of the service that its statements ask. Nil fields leave what [Options] has.
// Nothing in it is used by two files or two goroutines at once.
type Environment struct {
	// Open opens the file's databases in place of Options.Open; the first one when the first statement runs.
	Open func(dsn string) (*sql.DB, error)
	// Require meets `require NAME`, or fails the file, or does not know the name; then Options.Require is asked.
	Require func(name string) (known bool, err error)
	// Vars come on top of Options.Vars. Require and directives may add to them.
	Vars map[string]string
	// Directives are records of their own names; no name of the form's own may be among them.
	Directives map[string]Directive
	// Close ends what Begin started, after the file's databases were closed. Its error fails the file.
	Close func() error
}

// Directive runs a record NAME WORD… with the lines below it, up to a blank one. Variables are replaced in both.
type Directive func(ctx context.Context, words []string, text string) error
