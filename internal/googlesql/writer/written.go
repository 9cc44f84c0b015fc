package writer

import (
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/metadata"
)

// Written is a statement of DuckDB's.
type Written struct {
	SQL     string
	Columns []googlesql.Field // of its result, if it has one
	Natives []string          // the native functions that it calls, in order
	Notices []string          // what of the statement has no effect
	Then    []string          // statements of DuckDB's that follow, in the same transaction
	Changes []*Change         // of what is kept besides DuckDB's catalog
	Reads   []AsOf            // the tables that are read as of a time
	Load    *Load             // what of LOAD DATA or CREATE EXTERNAL TABLE the database is to write; SQL is empty
	Writes  [][]string        // the paths of the tables whose rows it changes; nil in one for all
}

// Action is what a [Change] does.
type Action int

// The actions.
const (
	Make   Action = iota // in place of all that was kept
	Alter                // adds to what is kept
	Copy                 // keeps what is kept of From
	Rename               // to To or ToColumn
	Forget
)

// Change is what a statement changes of what is kept of something besides DuckDB's own catalog (package metadata).
type Change struct {
	Action Action
	Kind   metadata.Kind
	Path   []string // as the statement writes it
	Column string   // of a column, with those of its fields behind dots

	IfMissing bool // nothing changes where it was there before the statement
	IfExists  bool // nothing changes where it is not there
	From      []string
	To        string // the new name, in the same dataset
	ToColumn  string
	Retype    bool           // the type that is kept is Value's, also where that has none
	Redefault bool           // so is the default
	Value     metadata.Value // what the statement tells but for its options
	Options   []Option
}

// Option is an option of a statement.
type Option struct {
	Name string // lower-case
	SQL  string // the value in DuckDB
	Text string // as the statement writes it
	Null bool
}

// Load is a statement LOAD DATA or CREATE EXTERNAL TABLE: the database reads the files, and says what columns they have.
type Load struct {
	External  string       // how CREATE VIEW begins, for an external table; "" for LOAD DATA
	Target    string       // the table in DuckDB
	Temporary bool         // it is to be a temporary one
	Replaces  bool         // the rows that are there go, and their columns
	There     *Table       // the table that takes the rows as it is; nil where one is made
	Columns   []LoadColumn // of the statement, or of the table; nil where the files tell
	More      []string     // columns that a table that is made has besides
	Options   []Option     // behind FROM FILES
	Pos, End  int          // of the statement
}
