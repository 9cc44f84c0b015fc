package dialect

// Node is what [Parse] makes of a statement: one of *CreateModel, *DropModel, *AlterModel, *ShowModels, *DescribeModel,
// *CreateExternalTable, *DropExternalTable and *Query.
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

// ValueKind says which field of a [Value] holds its content.
type ValueKind int

// The kinds of value an option may have.
const (
	Null ValueKind = iota
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
	Kind   ValueKind
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
	Type string // canonical GoogleSQL text, such as ARRAY<FLOAT64>
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

// Query is any other statement: it goes to DuckDB, after a [Rewriter] when it is not Untouched.
type Query struct {
	Span
	Verb      string // upper-case first keywords: SELECT, WITH, INSERT, CREATE VIEW, BEGIN, COMMIT, …
	Lang      Lang   // DuckDB or GoogleSQL
	Calls     []*Call
	Untouched bool // DuckDB gets the bytes as they came
	InView    bool // a CREATE [TEMP] VIEW whose body holds the calls
	InMacro   bool // a CREATE MACRO or FUNCTION whose body holds the calls; it cannot follow a replaced model
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
	Params       []Param // top-level select items of Input that are a bare parameter with an alias
}

// Param is a bare parameter that an input query gives a name: `? AS x`. The span covers the parameter only.
type Param struct {
	Span
	Name string
}

func (*CreateModel) isNode()         {}
func (*DropModel) isNode()           {}
func (*AlterModel) isNode()          {}
func (*ShowModels) isNode()          {}
func (*DescribeModel) isNode()       {}
func (*CreateExternalTable) isNode() {}
func (*DropExternalTable) isNode()   {}
func (*Query) isNode()               {}
