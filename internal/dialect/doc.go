// Package dialect turns SQL text that mentions ML models into SQL text that DuckDB accepts.
//
// It reads text only: it never opens a database, and a statement without our constructs keeps every byte it came with.
// Start with [Split], then [Parse] each [Statement]; a [Query] goes through a [Rewriter], the other nodes are
// statements about the model catalog that the caller runs itself.
//
// # Dialects
//
// A statement with a backtick outside DuckDB's strings, quoted identifiers and comments is GoogleSQL and is read by
// GoogleSQL's lexical rules from its start; any other statement is DuckDB's. In OPTIONS(…) both quotes are strings.
//
// # Who writes what
//
// A statement of the DuckDB dialect is edited only at its ML calls. A statement of GoogleSQL is Google's analyzer's to read
// (internal/googlesql); of it this package tells where it ends, the blocks of its procedural language ([ScriptStatement]),
// the statements about models, and the calls of functions that are none of GoogleSQL's own.
//
// # Functions, table functions and the pseudo-column
//
// Scalar functions of ours (ML.DECODE_IMAGE, OBJ.MAKE_REF, AI.GENERATE, …) and table functions (VECTOR_SEARCH,
// EXTERNAL_OBJECT_TRANSFORM) are found in both dialects, also inside each other. What they become is the caller's to say
// ([Rewriter]); arguments that stay keep their place, so that a fault in one is shown where it stands. In the DuckDB dialect
// a function that the caller leaves alone keeps its bytes, since a user may own one of that name.
//
// References to data, the pseudo-column of object tables, come with the tables of the SELECTs around them ([DataRef]), as
// only the catalog knows which of those is an object table.
//
// # Positions
//
// Positions are byte offsets of the source. [LineCol] counts lines and characters from 1, and [Text.SourcePos] leads
// from the rewritten text back to the source.
package dialect
