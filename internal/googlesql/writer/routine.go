package writer

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

// A function of the user's is kept as a view whose name has brackets behind it, as a model is one: it is written with the
// transaction, lies in its schema and goes with it. A temporary function is a temporary view.

// RoutineFormat marks the view of a routine.
const RoutineFormat = "mallard routine 1"

// RoutineName is the name of the view that keeps a routine.
func RoutineName(name string) string { return name + "()" }

// Procedure is the kind of a procedure, whose arguments and text are kept as a function's.
const Procedure = "PROCEDURE"

// Routine is a function or procedure of the user's as the analyzer reads it: one of the two.
type Routine struct {
	Kind     string // FUNCTION, AGGREGATE FUNCTION, TABLE FUNCTION or PROCEDURE
	Function *resolved.FunctionProto
	Table    *resolved.TableValuedFunctionProto
}

// RoutineArgument is an argument of a routine.
type RoutineArgument struct {
	Name string
	Type googlesql.Type // the zero Type for any
	Mode string         // of a procedure: IN, OUT or INOUT
}

// Arguments gives the arguments of a routine.
func (r *Routine) Arguments() []RoutineArgument {
	names, signature := r.Table.GetArgumentName(), r.Table.GetSignature()
	if r.Table == nil {
		names = r.Function.GetTemplatedSqlFunctionArgumentName()
		if all := r.Function.GetSignature(); len(all) > 0 {
			signature = all[0]
		}
	}
	var list []RoutineArgument
	for i, a := range signature.GetArgument() {
		arg := RoutineArgument{Type: analyzer.TypeOf(a.GetType())}
		if i < len(names) {
			arg.Name = names[i]
		}
		if mode := a.GetOptions().GetProcedureArgumentMode(); r.Kind == Procedure {
			if arg.Mode = mode.String(); mode == resolved.FunctionEnums_NOT_SET {
				arg.Mode = resolved.FunctionEnums_IN.String()
			}
		}
		list = append(list, arg)
	}
	return list
}

// DecodeRoutine reads the kind and the definition of a routine's view.
func DecodeRoutine(kind, definition string) (*Routine, error) {
	b, err := base64.StdEncoding.DecodeString(definition)
	if err != nil {
		return nil, err
	}
	if kind == "TABLE FUNCTION" {
		r := &Routine{Kind: kind, Table: &resolved.TableValuedFunctionProto{}}
		return r, proto.Unmarshal(b, r.Table)
	}
	r := &Routine{Kind: kind, Function: &resolved.FunctionProto{}}
	return r, proto.Unmarshal(b, r.Function)
}

// Body is the text of a routine.
func (r *Routine) Body() string {
	if r.Table != nil {
		return r.Table.GetParseResumeLocation().GetInput()
	}
	return r.Function.GetParseResumeLocation().GetInput()
}

// createFunction writes CREATE FUNCTION. The analyzer gets it as a template, which it resolves anew for each call.
func (w *writer) createFunction(s *resolved.ResolvedCreateFunctionStmtProto) string {
	at := location(s.GetParent().GetParent().GetParent())
	switch {
	case s.GetIsRemote():
		refuse(at, "a remote function")
	case s.GetLanguage() != "" && !strings.EqualFold(s.GetLanguage(), "SQL"):
		refuse(at, "a function in the language %s", strings.ToUpper(s.GetLanguage()))
	}
	f := &resolved.FunctionProto{
		Group: proto.String("Templated_SQL_Function"), Mode: resolved.FunctionEnums_SCALAR.Enum(),
		Signature:                        []*resolved.FunctionSignatureProto{s.GetSignature()},
		ParseResumeLocation:              &resolved.ParseResumeLocationProto{Input: proto.String(s.GetCode())},
		TemplatedSqlFunctionArgumentName: s.GetArgumentNameList(),
	}
	w.make(s.GetParent(), metadata.Routine, s.GetOptionList())
	kind := "FUNCTION"
	if s.GetIsAggregate() {
		kind, f.Mode = "AGGREGATE FUNCTION", resolved.FunctionEnums_AGGREGATE.Enum()
	}
	return w.createRoutine(s.GetParent(), kind, f)
}

func (w *writer) createTableFunction(s *resolved.ResolvedCreateTableFunctionStmtProto) string {
	if s.GetLanguage() != "" && !strings.EqualFold(s.GetLanguage(), "SQL") {
		refuse(location(s.GetParent().GetParent().GetParent()), "a table function in the language %s", strings.ToUpper(s.GetLanguage()))
	}
	f := &resolved.TableValuedFunctionProto{
		Type: resolved.FunctionEnums_TEMPLATED_SQL_TVF.Enum(), Signature: s.GetSignature(),
		ParseResumeLocation: &resolved.ParseResumeLocationProto{Input: proto.String(s.GetCode())},
		ArgumentName:        s.GetArgumentNameList(),
	}
	w.make(s.GetParent(), metadata.Routine, s.GetOptionList())
	return w.createRoutine(s.GetParent(), "TABLE FUNCTION", f)
}

// createProcedure writes CREATE PROCEDURE. The analyzer has read its body as far as it can be read without its names.
func (w *writer) createProcedure(s *resolved.ResolvedCreateProcedureStmtProto) string {
	at := location(s.GetParent().GetParent().GetParent())
	if s.GetLanguage() != "" || s.GetConnection() != nil || s.GetExternalSecurity() != 0 {
		refuse(at, "a procedure in another language than SQL")
	}
	w.make(s.GetParent(), metadata.Routine, s.GetOptionList())
	return w.createRoutine(s.GetParent(), Procedure, &resolved.FunctionProto{
		Signature:                        []*resolved.FunctionSignatureProto{s.GetSignature()},
		ParseResumeLocation:              &resolved.ParseResumeLocationProto{Input: proto.String(s.GetProcedureBody())},
		TemplatedSqlFunctionArgumentName: s.GetArgumentNameList(),
	})
}

// callStatement writes the arguments of CALL, as columns; what is called is run statement by statement.
func (w *writer) callStatement(s *resolved.ResolvedCallStmtProto, out *Written) {
	items := []string{"1"}
	for i, a := range s.GetArgumentList() {
		name := "a" + strconv.Itoa(i)
		items = append(items, w.expr(a)+" AS "+name)
		out.Columns = append(out.Columns, googlesql.Field{Name: name, Type: typeOf(a)})
	}
	if len(items) > 1 {
		items = items[1:]
	}
	out.SQL = "SELECT " + strings.Join(items, ", ")
}

func (w *writer) createRoutine(s *resolved.ResolvedCreateStatementProto, kind string, f proto.Message) string {
	b, err := proto.Marshal(f)
	if err != nil {
		panic(failed{err})
	}
	path := append([]string(nil), s.GetNamePath()...)
	path[len(path)-1] = RoutineName(path[len(path)-1])
	head, name := w.create(s, "VIEW", path)
	return fmt.Sprintf("%s %s AS SELECT %s AS mallard_routine, %s AS kind, %s AS definition", head, name,
		quote.Text(RoutineFormat), quote.Text(kind), quote.Text(base64.StdEncoding.EncodeToString(b)))
}

// create writes the head of a CREATE statement up to the name, and the name.
func (w *writer) create(s *resolved.ResolvedCreateStatementProto, kind string, path []string) (head, name string) {
	head = "CREATE "
	if s.GetCreateMode() == resolved.ResolvedCreateStatementEnums_CREATE_OR_REPLACE {
		head += "OR REPLACE "
	}
	temporary := s.GetCreateScope() == resolved.ResolvedCreateStatementEnums_CREATE_TEMP
	if temporary {
		head += "TEMP "
	}
	head += kind
	if s.GetCreateMode() == resolved.ResolvedCreateStatementEnums_CREATE_IF_NOT_EXISTS {
		head += " IF NOT EXISTS"
	}
	if temporary { // it lies in no schema of the user's
		name := path[len(path)-1]
		return head, quote.Name(name[strings.LastIndexByte(name, '.')+1:]) // `_SESSION.t` in one pair of backticks is one part
	}
	return head, w.place(path)
}

// place is the name of something that a statement makes, changes or drops.
func (w *writer) place(path []string) string {
	name, err := w.names.Place(path)
	if err != nil {
		panic(failed{err})
	}
	return name
}

// drop writes DROP of a kind of DuckDB's.
func (w *writer) drop(kind string, ifExists bool, path []string) string {
	text := "DROP " + kind
	if ifExists {
		text += " IF EXISTS"
	}
	return text + " " + w.place(path)
}

func (w *writer) dropRoutine(ifExists bool, path []string) string {
	w.change(Change{Action: Forget, Kind: metadata.Routine, Path: path})
	path = append([]string(nil), path...)
	path[len(path)-1] = RoutineName(path[len(path)-1])
	return w.drop("VIEW", ifExists, path)
}
