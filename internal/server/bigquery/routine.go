package bigquery

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

// routine is a function of the user's.
type routine struct {
	schema
	routine string // its name
}

func (r routine) String() string { return r.qualify(r.routine) }

func (r routine) key() metadata.Key {
	return metadata.Key{Kind: metadata.Routine, Dataset: r.name, Name: r.routine}
}

func (r routine) googleSQL() string {
	return relation{schema: r.schema, table: r.routine}.googleSQL()
}

// routineNames lists the functions of a dataset, or the one of a name.
func (s *Service) routineNames(ctx context.Context, d schema, name string) (all []routine, err error) {
	where := " AND ends_with(view_name, '()') AND contains(sql, " + quote.Text(writer.RoutineFormat) + ")"
	if name != "" {
		where += " AND lower(view_name) = lower(" + quote.Text(writer.RoutineName(name)) + ")"
	}
	err = s.duck(ctx, func(c *sql.Conn) error {
		names, err := texts(ctx, c, "SELECT view_name FROM duckdb_views() WHERE database_name = ? AND lower(schema_name) = lower(?)"+
			where+" ORDER BY 1",
			d.database, d.name)
		for _, n := range names {
			all = append(all, routine{d, strings.TrimSuffix(n, "()")})
		}
		return err
	})
	return all, err
}

func (s *Service) routine(c *call, name string) (routine, error) {
	d, err := s.dataset(c.ctx(), c.project(), c.path("datasetId"))
	if err != nil {
		return routine{}, err
	}
	all, err := s.routineNames(c.ctx(), d, name)
	if err != nil {
		return routine{}, err
	}
	if len(all) == 0 {
		return routine{}, notFound("Not found: Routine %s", d.qualify(name))
	}
	return all[0], nil
}

func (s *Service) getRoutine(c *call) (any, error) {
	r, err := s.routine(c, c.path("routineId"))
	if err != nil {
		return nil, err
	}
	return s.routineResource(c.ctx(), r)
}

// routineKinds are the words of the API for kinds of routines.
var routineKinds = map[string]string{
	"FUNCTION": "SCALAR_FUNCTION", "AGGREGATE FUNCTION": "AGGREGATE_FUNCTION", "TABLE FUNCTION": "TABLE_VALUED_FUNCTION",
	"PROCEDURE": "PROCEDURE",
}

func (s *Service) routineResource(ctx context.Context, r routine) (*api.Routine, error) {
	var kind, definition string
	err := s.duck(ctx, func(c *sql.Conn) error {
		return c.QueryRowContext(ctx, "SELECT kind, definition FROM "+r.table(writer.RoutineName(r.routine))).Scan(&kind, &definition)
	})
	if err != nil {
		return nil, err
	}
	f, err := writer.DecodeRoutine(kind, definition)
	if err != nil {
		return nil, fmt.Errorf("routine %s: %w", r, err)
	}
	out := &api.Routine{
		RoutineReference: &api.RoutineReference{ProjectId: r.project, DatasetId: r.dataset, RoutineId: r.routine},
		RoutineType:      routineKinds[kind], Language: "SQL", DefinitionBody: f.Body(),
	}
	if all := f.Function.GetSignature(); kind != writer.Procedure && len(all) > 0 {
		if t := analyzer.TypeOf(all[0].GetReturnType().GetType()); t.Kind != 0 {
			out.ReturnType = standardType(t)
		}
	}
	for _, a := range f.Arguments() {
		arg := &api.Argument{Name: a.Name, Mode: a.Mode, DataType: standardType(a.Type)} // FIXED_TYPE, the default, is not said
		if arg.DataType == nil {
			arg.ArgumentKind = "ANY_TYPE"
		}
		out.Arguments = append(out.Arguments, arg)
	}
	if !r.anonymous() {
		v, err := s.kept(ctx, r.database, r.key())
		if err != nil {
			return nil, err
		}
		out.Description = v.Description
		if err := restore(v.Properties, out); err != nil {
			return nil, err
		}
		out.CreationTime, out.LastModifiedTime = millis(v.Created), millis(v.Modified)
	}
	out.CreationTime = cmp.Or(out.CreationTime, s.started.UnixMilli())
	out.LastModifiedTime = cmp.Or(out.LastModifiedTime, out.CreationTime)
	out.Etag = etag(out)
	return out, nil
}

func (s *Service) listRoutines(c *call) (any, error) {
	d, err := s.dataset(c.ctx(), c.project(), c.path("datasetId"))
	if err != nil {
		return nil, err
	}
	all, err := s.routineNames(c.ctx(), d, "")
	if err != nil {
		return nil, err
	}
	list := &api.ListRoutinesResponse{}
	routines := make([]*api.Routine, 0, len(all))
	kind := strings.TrimPrefix(c.param("filter"), "routineType:")
	for _, r := range all {
		out, err := s.routineResource(c.ctx(), r)
		if err != nil {
			return nil, err
		}
		if kind == "" || strings.EqualFold(kind, out.RoutineType) {
			routines = append(routines, out)
		}
	}
	list.Routines, list.NextPageToken, err = pageOf(c, routines)
	return list, err
}

func (s *Service) insertRoutine(c *call) (any, error) {
	var in api.Routine
	if err := c.body(&in); err != nil {
		return nil, err
	}
	if in.RoutineReference == nil || in.RoutineReference.RoutineId == "" {
		return nil, invalid("Required parameter is missing: routineReference.routineId")
	}
	d, err := s.dataset(c.ctx(), c.project(), c.path("datasetId"))
	if err != nil {
		return nil, err
	}
	r := routine{d, in.RoutineReference.RoutineId}
	if len(r.routine) > maxName || !datasetName.MatchString(r.routine) {
		return nil, invalid("Invalid routine ID %.100q. It has letters, digits and underscores.", r.routine)
	}
	if have, err := s.routineNames(c.ctx(), d, r.routine); err != nil {
		return nil, err
	} else if len(have) > 0 {
		return nil, duplicate("Already Exists: Routine %s", r)
	}
	if err := s.writeRoutine(c.ctx(), r, "CREATE", &in); err != nil {
		return nil, err
	}
	return s.routineResource(c.ctx(), r)
}

// updateRoutine is routines.update, which replaces all of the routine.
func (s *Service) updateRoutine(c *call) (any, error) {
	r, err := s.routine(c, c.path("routineId"))
	if err != nil {
		return nil, err
	}
	current, err := s.routineResource(c.ctx(), r)
	if err != nil {
		return nil, err
	}
	if err := checkMatch(c.r, current.Etag); err != nil {
		return nil, err
	}
	var in api.Routine
	if err := c.body(&in); err != nil {
		return nil, err
	}
	if in.RoutineType == "" {
		in.RoutineType = current.RoutineType
	}
	if in.RoutineType != current.RoutineType {
		return nil, invalid("Routine %s is a %s, and cannot become a %s", r, current.RoutineType, in.RoutineType)
	}
	if err := s.writeRoutine(c.ctx(), r, "CREATE OR REPLACE", &in); err != nil {
		return nil, err
	}
	return s.routineResource(c.ctx(), r)
}

// writeRoutine makes a routine by its statement.
func (s *Service) writeRoutine(ctx context.Context, r routine, create string, in *api.Routine) error {
	statement, err := routineStatement(r, create, in)
	if err != nil {
		return err
	}
	props, err := properties(in, "dataGovernanceType", "definitionBody", "determinismLevel", "returnTableType", "securityMode", "strictMode")
	if err != nil {
		return err
	}
	return s.change(ctx, func(t *change) error {
		was, err := t.kept(r.database, r.key()) // which the statement forgets
		if err != nil {
			return err
		}
		if err := t.googleSQL(statement); err != nil || r.anonymous() {
			return err
		}
		return t.update(r.database, r.key(), func(v *metadata.Value) {
			v.Description, v.Properties = in.Description, withPolicy(props, was.Properties)
			v.Created = cmp.Or(v.Created, instant(time.Now().UnixMilli()))
		})
	})
}

// routineStatement writes the statement that makes a routine.
func routineStatement(r routine, create string, in *api.Routine) (string, error) {
	if in.Language != "" && !strings.EqualFold(in.Language, "SQL") {
		return "", unsupported("Routine %s: functions in %s are not run; SQL is", r, in.Language)
	}
	if strings.TrimSpace(in.DefinitionBody) == "" {
		return "", invalid("Required parameter is missing: definitionBody")
	}
	kind := ""
	for k, word := range routineKinds {
		if word == cmp.Or(in.RoutineType, "SCALAR_FUNCTION") {
			kind = k
		}
	}
	if kind == "" {
		return "", invalid("Invalid value for routineType: %s", in.RoutineType)
	}
	args := make([]string, len(in.Arguments))
	for i, a := range in.Arguments {
		of := "ANY TYPE"
		switch {
		case a == nil:
			return "", invalid("Argument %d of routine %s is null", i+1, r)
		case a.ArgumentKind != "ANY_TYPE" || a.DataType != nil:
			var err error
			if of, err = typeText(a.DataType); err != nil {
				return "", err
			}
		}
		args[i] = strings.TrimSpace(strings.Join([]string{procedureMode(kind, a.Mode), googlesql.QuoteName(a.Name), of}, " "))
	}
	head := fmt.Sprintf("%s %s %s(%s)", create, kind, r.googleSQL(), strings.Join(args, ", "))
	if in.ReturnType != nil {
		of, err := typeText(in.ReturnType)
		if err != nil {
			return "", err
		}
		head += " RETURNS " + of
	}
	if kind == writer.Procedure {
		return head + " " + in.DefinitionBody, nil
	}
	return head + " AS (\n" + in.DefinitionBody + "\n)", nil
}

func procedureMode(kind, mode string) string {
	if kind == "PROCEDURE" && slices.Contains([]string{"IN", "OUT", "INOUT"}, mode) {
		return mode
	}
	return ""
}

func (s *Service) deleteRoutine(c *call) (any, error) {
	r, err := s.routine(c, c.path("routineId"))
	if err != nil {
		return nil, err
	}
	return noContent{}, s.change(c.ctx(), func(t *change) error {
		if !r.anonymous() {
			if err := t.keep(r.database, func(m *metadata.Store) error { return m.Drop(c.ctx(), r.key()) }); err != nil {
				return err
			}
		}
		return t.duck("DROP VIEW " + r.table(writer.RoutineName(r.routine)))
	})
}
