package dialect

// Lang is the lexical dialect of a text.
type Lang int

// The dialects.
const (
	Auto      Lang = iota // GoogleSQL when a backtick says so, else DuckDB; per statement
	DuckDB                // DuckDB's own
	GoogleSQL             // BigQuery's
)

func (l Lang) String() string {
	switch l {
	case DuckDB:
		return "duckdb"
	case GoogleSQL:
		return "bigquery"
	}
	return "auto"
}

// Span is a range of bytes of a source text.
type Span struct{ Pos, End int }

// Statement is one statement of a text: without its semicolon, and without blanks and comments around it.
type Statement struct {
	Span
	Lang       Lang // never Auto
	Terminated bool // a semicolon follows
}

// Split cuts a text into its statements. It never fails: a literal without its end reaches to the end of the text.
// Statements of nothing but blanks and comments are left out.
func Split(src string, lang Lang) []Statement { return nil }

// Complete reports whether a shell should run what it has: the text is blank, or its last statement is terminated.
func Complete(src string, lang Lang) bool { return true }
