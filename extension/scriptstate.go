package extension

import (
	"fmt"
	"strings"
	"time"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/quote"
)

// script is what the procedural language knows of a connection: the variables that are declared, whose values are variables of
// DuckDB's. They live as long as the *sql.Conn, or a call of the *sql.DB
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language).
type script struct {
	variables []translator.Variable
	hidden    int     // values between statements that have names now
	errs      []error // those that the open handlers handle, the innermost last
	depth     int     // calls of procedures that run now
	blocks    int     // lists of statements that run now

	limits map[string]*parameterizedType // of variables, by their places
	begun  bool                          // a statement of the script's has begun the open transaction
	ended  bool                          // which an error has ended, and no ROLLBACK yet

	changed *int64            // @@row_count
	began   time.Time         // when the text began whose statements run
	ran     int               // its statements so far
	set     map[string]string // the @@variables that were set and do nothing here
}

// place is the name of a variable in DuckDB: those of a procedure are apart from those of its callers.
func (c *script) place(name string) string {
	if c.depth > 0 {
		return fmt.Sprintf("mallard %d %s", c.depth, strings.ToLower(name))
	}
	return "mallard " + strings.ToLower(name)
}

// limit notes what the parameters of a variable's type demand; nil where there are none.
func (c *script) limit(name string, p *parameterizedType) {
	if c.limits == nil {
		c.limits = map[string]*parameterizedType{}
	}
	if c.limits[c.place(name)] = p; p == nil {
		delete(c.limits, c.place(name))
	}
}

// variable is one that is declared.
func (c *script) variable(name string, t googlesql.Type) translator.Variable {
	return translator.Variable{Name: name, Type: t, Expr: valueOf(c.place(name), t)}
}

func (c *script) find(name string) *translator.Variable {
	for i := range c.variables {
		if strings.EqualFold(c.variables[i].Name, name) {
			return &c.variables[i]
		}
	}
	return nil
}

func valueOf(place string, t googlesql.Type) string {
	return "CAST(getvariable(" + quote.Text(place) + ") AS " + t.DuckDB() + ")"
}
