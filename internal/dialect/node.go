package dialect

import "github.com/mallardml/mallard/googlesql"

// Node is what [Parse] makes of a statement: one of *CreateModel, *DropModel, *ExportModel, *AlterModel, *ShowModels, *DescribeModel,
// *CreateExternalTable, *DropExternalTable, *RefreshMetadata, *Estimate,
// *ScriptStatement and *Query.
type Node interface{ isNode() }

// Path is a dotted name with its parts unquoted. A backtick string with dots stands for as many parts.
type Path struct {
	Span
	Parts []string
}

// String joins the parts with dots, as messages show a name.
func (p Path) String() string {
	s := ""
	for i, part := range p.Parts {
		if i > 0 {
			s += "."
		}
		s += part
	}
	return s
}

// valueKind says which field of a [Value] holds its content.
type valueKind int

// The kinds of value an option may have.
const (
	Null valueKind = iota
	String
	Int
	Float
	Bool
	Array    // List
	Struct   // Fields; a tuple is a Struct with empty names
	Ident    // a bare word, in Str as written
	Interval // INTERVAL n UNIT, in Str as "n UNIT"
)

// Value is a constant of an option list.
type Value struct {
	Span
	Kind   valueKind
	Str    string
	Int    int64
	Float  float64
	Bool   bool
	List   []Value
	Fields []Option
}

// Option is a named value, of OPTIONS(name = value) or STRUCT(value AS name).
type Option struct {
	Span
	Name  string // as written
	Value Value
}

// ColumnDef is a column of an INPUT, OUTPUT or table column list.
type ColumnDef struct {
	Span
	Name string
	Type googlesql.Type
}

// CreateModel is CREATE [OR REPLACE] MODEL [IF NOT EXISTS].
type CreateModel struct {
	Span
	OrReplace, IfNotExists bool
	Name                   Path
	Input, Output          []ColumnDef
	Remote                 bool
	Connection             *Path // of WITH CONNECTION
	DefaultConnection      bool  // WITH CONNECTION DEFAULT
	Options                []Option
}

// ExportModel is EXPORT MODEL name OPTIONS (URI = 'file').
type ExportModel struct {
	Span
	Name    Path
	Options []Option
}

// DropModel is DROP MODEL [IF EXISTS].
type DropModel struct {
	Span
	IfExists bool
	Name     Path
}

// AlterModel is ALTER MODEL [IF EXISTS] … SET OPTIONS.
type AlterModel struct {
	Span
	IfExists bool
	Name     Path
	Options  []Option
}

// ShowModels is SHOW MODELS [FROM|IN schema] [LIKE 'pattern'].
type ShowModels struct {
	Span
	From    *Path
	Like    string
	HasLike bool
}

// DescribeModel is DESCRIBE MODEL name.
type DescribeModel struct {
	Span
	Name Path
}

// CreateExternalTable is CREATE [OR REPLACE] EXTERNAL TABLE [IF NOT EXISTS] … WITH CONNECTION … OPTIONS.
type CreateExternalTable struct {
	Span
	OrReplace, IfNotExists bool
	Name                   Path
	Connection             *Path
	DefaultConnection      bool
	Options                []Option
}

// DropExternalTable is DROP EXTERNAL TABLE [IF EXISTS].
type DropExternalTable struct {
	Span
	IfExists bool
	Name     Path
}

// RefreshMetadata is CALL BQ.REFRESH_EXTERNAL_METADATA_CACHE('project.dataset.table' [, subdirectories]). The
// subdirectories are read and dropped: a whole refresh covers them.
// https://docs.cloud.google.com/bigquery/docs/reference/system-procedures#bqrefresh_external_metadata_cache
type RefreshMetadata struct {
	Span
	Table Path // its span is that of the string
}

// ImportDatabase is DuckDB's IMPORT DATABASE 'folder'.
type ImportDatabase struct {
	Span
	Dir string
}

// Estimate is EXPLAIN ML statement.
type Estimate struct {
	Span
	Query Span // the statement after ML, in the dialect of the whole
}

// Query is any other statement: it goes to DuckDB, after a [Rewriter] when it is not Untouched.
type Query struct {
	Span
	Verb      string // upper-case first keywords: SELECT, WITH, INSERT, CREATE VIEW, BEGIN, COMMIT, …
	Lang      Lang   // DuckDB or GoogleSQL
	Calls     []*Call
	Untouched bool // DuckDB gets the bytes as they came
	InView    bool // a CREATE [TEMP] VIEW whose body holds constructs of ours
	InMacro   bool // a CREATE MACRO or FUNCTION whose body holds constructs of ours; it cannot follow a replaced model
	InTable   bool // a CREATE or ALTER TABLE that keeps constructs of ours: in a DEFAULT, a CHECK or a generated column

	// These three stand in order of position, also inside the inputs of calls and nested in each other.
	Functions      []*Function
	TableFunctions []*TableFunction
	Data           []*DataRef

	columns []column // the select items without an alias, of the DuckDB dialect

}

// Function is a scalar function of ours under its BigQuery name: ML.DECODE_IMAGE(…), OBJ.MAKE_REF(…), AI.GENERATE(…).
type Function struct {
	Span        // name to closing bracket
	Name string // upper-case: ML.DECODE_IMAGE, OBJ.MAKE_REF, COSINE_DISTANCE, …
	Args []Argument
}

// Argument is value, name => value, TABLE path or (query).
type Argument struct {
	Span            // of the value only: the query without its brackets, the path without TABLE
	Name     string // lower-case, of name => value; "" when positional
	NameSpan Span   // of the name; that of the value when positional
	Const    *Value // when the value is a constant: a string, number, TRUE, NULL, array, STRUCT or tuple of constants, …
	Table    *Path  // of TABLE path
	Query    bool   // a (query) of a table function

	row Span // the word STRUCT of an argument STRUCT(a, b) without names, which DuckDB calls row
}

// TableFunction is a table function of ours that is no call of a model: EXTERNAL_OBJECT_TRANSFORM, VECTOR_SEARCH.
type TableFunction struct {
	Span
	Name string
	Args []Argument
}

// DataRef is a reference to data, the pseudo-column of an object table.
type DataRef struct {
	Span               // of the whole path, its qualifier included
	Qualifier []string // the parts before data; empty when it stands alone
	// Tables are those of the FROM clause of the SELECT around it, then those of the SELECTs around that one.
	Tables []TableRef

	item bool // it is a whole select item without an alias, so that it gives its column the name
}

// TableRef is a table of a FROM clause. A subquery, a function or a name of a WITH clause has no path. Alias is "" when
// none is given; of a name of a WITH clause it is that name then.
type TableRef struct {
	Path  Path
	Alias string
	Outer int // 0 when it stands in the same SELECT, 1 in the one around it, …
}

// Call is one ML.X(MODEL …) or AI.X(MODEL …) of a query.
type Call struct {
	Span
	Func         string // upper-case: ML.PREDICT, ML.GENERATE_TEXT, …
	Model        Path
	Input        Span // the query inside its brackets, or the path after TABLE
	InputIsTable bool
	Table        Path
	Options      []Option
	OptionsSpan  Span
	Inner        []*Call // calls nested inside Input
	Params       []param // top-level select items of Input that are a bare parameter with an alias

	rows []Span // the word STRUCT of its select items STRUCT(a, b) without names, which DuckDB calls row
}

// param is a bare parameter that an input query gives a name: `? AS x`. The span covers the parameter only.
type param struct {
	Span
	Name string
}

func (*CreateModel) isNode()         {}
func (*DropModel) isNode()           {}
func (*ExportModel) isNode()         {}
func (*AlterModel) isNode()          {}
func (*ShowModels) isNode()          {}
func (*DescribeModel) isNode()       {}
func (*CreateExternalTable) isNode() {}
func (*DropExternalTable) isNode()   {}
func (*RefreshMetadata) isNode()     {}
func (*ImportDatabase) isNode()      {}
func (*Estimate) isNode()            {}
func (*Query) isNode()               {}

// column is a select item without an alias. DuckDB would name its column by what we have written, where that is an
// expression of ours.
type column struct {
	Span
	name string // of the field that it takes; "" for its own text
}
