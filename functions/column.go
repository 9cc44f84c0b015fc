package functions

import (
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/udf"
)

// leaf is the element type at the bottom of an argument.
type leaf struct {
	kind    mapping.Type
	storage mapping.Type // of DECIMAL and ENUM
	scale   uint8        // of DECIMAL
	names   []string     // of ENUM
}

// dtype is the tensor type of the same bits, or none.
func (l leaf) dtype() DType {
	switch l.kind {
	case mapping.TypeBoolean:
		return Bool
	case mapping.TypeTinyInt:
		return Int8
	case mapping.TypeSmallInt:
		return Int16
	case mapping.TypeInteger:
		return Int32
	case mapping.TypeBigInt:
		return Int64
	case mapping.TypeUTinyInt:
		return Uint8
	case mapping.TypeUSmallInt:
		return Uint16
	case mapping.TypeUInteger:
		return Uint32
	case mapping.TypeUBigInt:
		return Uint64
	case mapping.TypeFloat:
		return Float32
	case mapping.TypeDouble:
		return Float64
	}
	return 0
}

// size is the bytes of one element in DuckDB.
func (l leaf) size() int {
	if d := l.dtype(); d != 0 {
		return d.Size()
	}
	if l.kind == mapping.TypeDecimal || l.kind == mapping.TypeEnum {
		return leaf{kind: l.storage}.size()
	}
	return 16 // strings, huge integers, UUID
}

func (l leaf) text() bool {
	switch l.kind {
	case mapping.TypeVarchar, mapping.TypeBlob, mapping.TypeEnum, mapping.TypeUUID:
		return true
	}
	return false
}

// argument is the type of an argument: its nesting, outermost first (length of an array, -1 for a list), and its leaf.
type argument struct {
	nest   []int
	leaf   leaf
	fields []argument // of a STRUCT of two
}

func argumentOf(t udf.Type) argument {
	var a argument
	for ; t.Kind == mapping.TypeList || t.Kind == mapping.TypeArray; t = t.Children[0] {
		n := -1
		if t.Kind == mapping.TypeArray {
			n = t.Size
		}
		a.nest = append(a.nest, n)
	}
	a.leaf = leaf{kind: t.Kind, storage: t.Storage, scale: t.Scale, names: t.Names}
	if t.Kind == mapping.TypeStruct && len(t.Children) == 2 { // an image as BigQuery shows it may be one
		a.fields = []argument{argumentOf(t.Children[0]), argumentOf(t.Children[1])}
	}
	return a
}

func (a argument) String() string {
	s := udf.KindName(a.leaf.kind)
	for i := len(a.nest) - 1; i >= 0; i-- {
		if a.nest[i] < 0 {
			s += "[]"
		} else {
			s += fmt.Sprintf("[%d]", a.nest[i])
		}
	}
	return s
}

// column is how one argument feeds one input of a model.
type column struct {
	port *Port
	argument
	absent  bool // an untyped NULL: no row has a value
	flat    bool // one list holds all elements of a row of a higher rank
	convert converter
	same    bool  // the vector's bits are the tensor's
	dims    []int // of a row, -1 unknown
	elems   int   // of a row, -1 unknown
	listed  int   // how many leading levels are walked: up to and with the last list

	picture *picture  // of a BLOB that holds images
	sides   *argument // of a STRUCT that is an image: its first field; argument is the second one then
	sideOf  converter
}

// newColumn checks an argument against an input. The error says what the input wants.
func newColumn(p *Port, a argument, types Types) (column, error) {
	c := column{port: p, argument: a, elems: 1}
	for _, d := range p.inner() {
		c.dims = append(c.dims, int(d))
		if d < 0 {
			c.elems = -1
		}
		if c.elems >= 0 {
			c.elems *= int(d)
		}
	}
	if a.leaf.kind == mapping.TypeSQLNull {
		c.absent = true
		return c, nil
	}
	if ok, err := c.takePicture(); ok || err != nil {
		return c, err
	}
	for i, n := range a.nest {
		if n < 0 {
			c.listed = i + 1
		}
	}
	if p.DType == String {
		if !a.leaf.text() {
			return c, c.mismatch(types)
		}
	} else {
		if c.convert = converterFor(a.leaf, p.DType); c.convert == nil {
			return c, c.mismatch(types)
		}
		c.same = a.leaf.dtype() == p.DType
	}
	switch {
	case len(a.nest) == len(c.dims):
		for i, n := range a.nest {
			if n >= 0 && c.dims[i] >= 0 && n != c.dims[i] {
				return c, c.mismatch(types)
			}
		}
	case len(a.nest) == 0 && p.scalar():
	case len(a.nest) == 1 && len(c.dims) > 1 && c.unknown() <= 1:
		c.flat = true
		if n := a.nest[0]; n >= 0 && !c.fits(n) {
			return c, c.mismatch(types)
		}
	default:
		return c, c.mismatch(types)
	}
	return c, nil
}

// unknown counts the open dimensions of a row.
func (c *column) unknown() (n int) {
	for _, d := range c.dims {
		if d < 0 {
			n++
		}
	}
	return n
}

// fits reports whether n elements in one list fill a row.
func (c *column) fits(n int) bool {
	if c.elems >= 0 {
		return n == c.elems
	}
	k := c.known()
	return k > 0 && n%k == 0
}

// known multiplies the dimensions that are known.
func (c *column) known() int {
	k := 1
	for _, d := range c.dims {
		if d >= 0 {
			k *= d
		}
	}
	return k
}

// ragged reports whether rows may differ in shape.
func (c *column) ragged() bool {
	return c.elems < 0 && !c.absent && (c.listed > 0 || c.picture != nil)
}

// wanted is the type that fits the input best, in the words of DuckDB and of the caller's dialect.
func (c *column) wanted(types Types) (duck, shown string) {
	duck = scalarText(c.port, BigQuery)
	if c.port.DType == Uint64 {
		duck = "UBIGINT"
	}
	shown = duck
	if types == BigQuery {
		shown = map[string]string{"BIGINT": "INT64", "UBIGINT": "INT64", "DOUBLE": "FLOAT64", "BOOLEAN": "BOOL", "VARCHAR": "STRING"}[duck]
	}
	if c.port.scalar() {
		return duck, shown
	}
	var b strings.Builder
	for i := len(c.dims) - 1; i >= 0; i-- {
		if d := c.dims[i]; d > 0 && d < maxArray {
			fmt.Fprintf(&b, "[%d]", d)
		} else {
			b.WriteString("[]")
		}
	}
	duck += b.String()
	if types == BigQuery {
		return duck, "ARRAY<" + shown + ">"
	}
	return duck, duck
}

func (c *column) mismatch(types Types) error {
	duck, shown := c.wanted(types)
	if c.port.picture() {
		shown = "an image or " + shown
	}
	err := fmt.Errorf("input `%s` wants %s (%s), column is %s", c.port.Name, shown, describe(c.port), c.argument)
	tips := ""
	switch k := c.argument.leaf.kind; {
	case c.port.picture() && len(c.argument.nest) == 0:
		tips = "give it an image: ML.DECODE_IMAGE of a file's bytes"
	case k == mapping.TypeStruct || k == mapping.TypeMap || k == mapping.TypeUnion || k == mapping.TypeVariant:
		tips = "give it a column of that type"
	case len(c.argument.nest) == 0 && len(c.dims) > 0 && !c.port.scalar():
		tips = fmt.Sprintf("give it a list of %s per row", describeRow(c.dims))
	case len(c.argument.nest) > 0 && c.port.scalar():
		tips = fmt.Sprintf("give it one value per row, for example %s[1]", quoteIdent(c.port.Name))
	default:
		tips = fmt.Sprintf("cast it: CAST(%s AS %s)", quoteIdent(c.port.Name), duck)
	}
	return fmt.Errorf("%w; %s", err, tips)
}

// describe names a port's tensor: "float32 tensor" or "float32 tensor of shape [None, 3]".
func describe(p *Port) string {
	if len(p.inner()) == 0 {
		return p.DType.String() + " tensor"
	}
	return fmt.Sprintf("%s tensor of shape %s", p.DType, shapeText(p.Shape))
}

func shapeText(shape []int64) string {
	parts := make([]string, len(shape))
	for i, d := range shape {
		parts[i] = "None"
		if d >= 0 {
			parts[i] = fmt.Sprint(d)
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func describeRow(dims []int) string {
	parts := make([]string, len(dims))
	for i, d := range dims {
		if d < 0 {
			return "values"
		}
		parts[i] = fmt.Sprint(d)
	}
	return strings.Join(parts, " × ") + " values"
}

// quoteIdent quotes a name only where it has to be: advice should be readable.
func quoteIdent(s string) string {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return quote.Name(s)
		}
	}
	if s == "" {
		return quote.Name(s)
	}
	return s
}
