package dialect

// Rewriter writes a [Query] for DuckDB. Its zero value is of use only for queries without calls.
type Rewriter struct {
	// Expand gives the text around the input of a call. quoted is true in the body of a view.
	Expand func(c *Call, quoted bool) (Expansion, error)
	// Table resolves a table or schema path of a GoogleSQL statement to the parts DuckDB knows it by. It is called for
	// paths in FROM, TABLE and DDL positions that have two or three parts (for CREATE and DROP SCHEMA, also for one of two). Nil leaves them.
	Table func(p Path) ([]string, error)
}

// Expansion is what a call becomes.
type Expansion struct {
	Open, Close string                    // around the input; Close starts with a newline, so that a comment at the input's end cannot swallow it
	Whole       func(input string) string // when quoted: the complete text for the rewritten input
	Casts       map[string]string         // lower-case name of a bare parameter to the DuckDB type it is cast to
}

// Rewrite gives the text for DuckDB. An error is an *[Error] of src, or what Expand or Table returned.
func (r *Rewriter) Rewrite(src string, q *Query) (*Text, error) { return nil, nil }
