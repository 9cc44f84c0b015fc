package dialect

// Text is a rewritten statement that remembers where each byte came from.
type Text struct{ s string }

// String is the text for DuckDB.
func (t *Text) String() string { return t.s }

// SourcePos leads from a byte offset of String() to a byte offset of the source. exact is false when the byte was
// written by us; pos is then the start of what it stands for.
func (t *Text) SourcePos(out int) (pos int, exact bool) { return 0, false }
