package extension

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/functions/jsonfn"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/objecttable"
)

// connectionMacros give a connection the table functions of plain DuckDB form. They are TEMP, since macros of the file
// are refused by read-only databases and exported with it.
var connectionMacros = append(callMacros(),
	`CREATE OR REPLACE TEMP MACRO ml_models() AS TABLE SELECT * FROM query(system.main.mallard_models())`,
	`CREATE OR REPLACE TEMP MACRO ml_model_info(model) AS TABLE SELECT * FROM query(system.main.mallard_model_info(model))`,
	`CREATE OR REPLACE TEMP MACRO object_table(uris) AS TABLE SELECT * REPLACE (`+objecttable.LateMD5+`) FROM mallard_objects(to_json(uris)::VARCHAR)`,
	`CREATE OR REPLACE TEMP MACRO gcs_objects(uri) AS TABLE SELECT * REPLACE (`+objecttable.LateMD5+`) FROM mallard_objects(uri)`,
	`CREATE OR REPLACE TEMP MACRO ml_estimate(query) AS TABLE SELECT * FROM query(system.main.mallard_estimate(query))`,
	`CREATE OR REPLACE TEMP MACRO ml_usage() AS TABLE SELECT * FROM query(system.main.mallard_usage())`,
	`CREATE OR REPLACE TEMP MACRO ml_cache() AS TABLE SELECT * FROM query(system.main.mallard_cache())`,
)

// callMacros write the plain DuckDB forms of functions over a model.
func callMacros() []string {
	var all []string
	for _, f := range googlesql.Functions(googlesql.ModelFunction) {
		if f.Plain != "" {
			all = append(all, "CREATE OR REPLACE TEMP MACRO "+f.Plain+"(model, input, options := NULL) AS TABLE SELECT * FROM query(system.main.mallard_call('"+
				f.Name+"', model, input, 'native', '', CAST(to_json(options) AS VARCHAR)))")
		}
	}
	return all
}

// registerTextFunctions adds the functions that write SQL while a statement binds. They are not volatile, so that DuckDB
// folds them.
func (in *instance) registerTextFunctions() error {
	return in.private(context.Background(), func(_ *duckdb.Conn, h mapping.Connection) error {
		return errors.Join(
			functions.RegisterText(h, "mallard_call", 6, false, false, in.texts(func(id uint64, args []string, null []bool) (string, error) {
				if null[1] || null[2] {
					return "", fmt.Errorf("%s needs the name of a model and an input query, not NULL", strings.Replace(args[0], ".", "_", 1))
				}
				a := make([]string, len(args))
				for i := range args {
					if !null[i] {
						a[i] = strings.Clone(args[i])
					}
				}
				return in.callText(id, a[0], a[1], a[2], a[3], a[4], a[5])
			})),
			functions.RegisterText(h, "mallard_estimate", 1, false, false, in.texts(func(id uint64, args []string, null []bool) (string, error) {
				if null[0] {
					return "", errors.New("ml_estimate needs a query, not NULL")
				}
				return in.estimateText(id, strings.Clone(args[0]))
			})),
			functions.RegisterText(h, "mallard_usage", 0, false, false, in.texts(func(uint64, []string, []bool) (string, error) {
				return in.usageText(), nil
			})),
			functions.RegisterText(h, "mallard_cache", 0, false, false, in.texts(func(id uint64, _ []string, _ []bool) (string, error) {
				return in.remote.answers().ListSQL(in.Query(id).Context)
			})),
			functions.RegisterText(h, "ml_cache_clear", 0, false, true, in.texts(func(id uint64, _ []string, _ []bool) (string, error) {
				return in.remote.answers().Clear(in.Query(id).Context)
			})),
			functions.RegisterText(h, "mallard_models", 0, false, false, in.texts(func(id uint64, _ []string, _ []bool) (string, error) {
				return in.modelsText(id)
			})),
			functions.RegisterText(h, "mallard_model_info", 1, false, false, in.texts(func(id uint64, args []string, null []bool) (string, error) {
				if null[0] {
					return "", errors.New("ml_model_info needs the name of a model, not NULL")
				}
				return in.modelInfoText(id, strings.Clone(args[0]))
			})),
			functions.RegisterText(h, "mallard_json_query", 2, false, false, jsonFunction(jsonfn.Query)),
			functions.RegisterText(h, "mallard_json_value", 1, true, false, jsonFunction(jsonfn.Value)),
		)
	})
}

// jsonFunction makes BigQuery's JSON_QUERY or JSON_VALUE of a function over text: NULL in, NULL out, and "$" without a path.
func jsonFunction(f func(text, path string) (string, bool, error)) functions.TextFunc {
	return func(_ uint64, args []string, null []bool) (string, bool, error) {
		path := "$"
		if len(args) > 1 {
			path = args[1]
		}
		if null[0] || len(args) > 1 && null[1] {
			return "", true, nil
		}
		s, ok, err := f(args[0], path)
		return s, !ok, err
	}
}

// texts notes the typed error of a text function for the statement it serves.
func (in *instance) texts(f func(id uint64, args []string, null []bool) (string, error)) functions.TextFunc {
	return func(id uint64, args []string, null []bool) (string, bool, error) {
		if n, ok := in.conns.Load(id); ok && n.(*conn).making.Load() {
			return "SELECT 1", false, nil
		}
		s, err := f(id, args, null)
		if err != nil {
			if q := in.Query(id); q.Fail != nil {
				q.Fail(err)
			}
		}
		return s, false, err
	}
}

const modelColumns = "database_name, schema_name, model_name, model_type, signature, inputs, outputs, path, batch_size, description, labels, created, modified, digest"

// modelsText writes the query behind ml_models().
func (in *instance) modelsText(id uint64) (string, error) {
	n, ctx, err := in.caller(id)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = in.private(ctx, func(c *duckdb.Conn, _ mapping.Connection) error {
		all, err := n.behind(c).List(ctx)
		if err != nil {
			return err
		}
		b.WriteString("SELECT * FROM (VALUES ")
		for _, f := range all {
			r := f.Spec
			fmt.Fprintf(&b, "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s), ",
				textOrNull(f.Database), textOrNull(f.Schema), quote.Text(f.Name), quote.Text(r.Type), textOrNull(r.Signature),
				quote.Text(modelspec.PortsText(r.Inputs)+modelspec.ColumnsText(r.InputColumns)), quote.Text(modelspec.PortsText(r.Outputs)+modelspec.ColumnsText(r.OutputColumns)), quote.Text(r.Path),
				numberOrNull(r.BatchSize), textOrNull(r.Description), labelsText(r.Labels),
				timeText(r.Created), timeText(r.Modified), textOrNull(r.Digest))
		}
		// A row of the right types that the condition removes: VALUES needs one, and this one gives the columns their types.
		b.WriteString("(NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, " +
			"NULL::VARCHAR, NULL::BIGINT, NULL::VARCHAR, NULL::MAP(VARCHAR, VARCHAR), NULL::TIMESTAMPTZ, NULL::TIMESTAMPTZ, NULL::VARCHAR))" +
			" AS models(" + modelColumns + ") WHERE model_name IS NOT NULL")
		return nil
	})
	return b.String(), err
}

func textOrNull(s string) string {
	if s == "" {
		return "NULL"
	}
	return quote.Text(s)
}

func numberOrNull(i int) string {
	if i == 0 {
		return "NULL"
	}
	return fmt.Sprint(i)
}

// moneyOrNull is NULL where no price is known.
func moneyOrNull(f float64, known bool) string {
	if !known {
		return "NULL::DOUBLE"
	}
	return fmt.Sprintf("%g::DOUBLE", f)
}

func timeText(t interface{ Format(string) string }) string {
	return "TIMESTAMPTZ " + quote.Text(t.Format("2006-01-02 15:04:05.000Z07:00"))
}

func labelsText(m map[string]string) string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for i, k := range keys {
		keys[i] = quote.Text(k) + ": " + quote.Text(m[k])
	}
	return "MAP {" + strings.Join(keys, ", ") + "}"
}

// modelInfoText writes the query behind ml_model_info(model): what `saved_model_cli show --all` tells, a row per tensor.
func (in *instance) modelInfoText(id uint64, name string) (string, error) {
	n, ctx, err := in.caller(id)
	if err != nil {
		return "", err
	}
	parts, err := catalog.SplitName(name)
	if err != nil {
		return "", err
	}
	var f catalog.Entry
	err = in.private(ctx, func(c *duckdb.Conn, _ mapping.Connection) error {
		f, err = n.behind(c).Resolve(ctx, parts, "")
		return err
	})
	if err != nil {
		return "", err
	}
	if f.Spec.Remote() {
		return remoteInfoText(f.Spec), nil
	}
	dir, err := in.store.Open(ctx, f.Spec.Digest)
	if err != nil {
		return "", fmt.Errorf("model %s: %w", f.QualifiedName, err)
	}
	kind, err := in.engines.Find(f.Spec.Type)
	if err != nil {
		return "", fmt.Errorf("model %s: %w", f.QualifiedName, err)
	}
	tensors, err := kind.Describe(dir)
	if err != nil {
		return "", fmt.Errorf("model %s: %w", f.QualifiedName, err)
	}
	var b strings.Builder
	b.WriteString("SELECT * FROM (VALUES ")
	for _, t := range tensors {
		active := t.Signature == f.Spec.Signature && slices.Equal(t.Tags, f.Spec.Tags)
		role := "input"
		if t.Output {
			role = "output"
		}
		fmt.Fprintf(&b, "(%s, %s, %t, %s, %s, %s, %s, %s, %s, %s), ", quote.Text(strings.Join(t.Tags, ",")), quote.Text(t.Signature), active, quote.Text(role),
			quote.Text(t.Name), quote.Text(t.DType), quote.Text(t.Shape), textOrNull(t.SQLType), quote.Text(t.Tensor), textOrNull(t.Method))
	}
	b.WriteString(infoEnd)
	return b.String(), nil
}

const infoEnd = "(NULL::VARCHAR, NULL::VARCHAR, NULL::BOOLEAN, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR))" +
	" AS info(tags, signature, active, role, name, dtype, shape, sql_type, tensor, method) WHERE role IS NOT NULL"

// remoteInfoText tells of a remote model in the same columns: its endpoint stands as the method.
func remoteInfoText(r *modelspec.Spec) string {
	var b strings.Builder
	b.WriteString("SELECT * FROM (VALUES ")
	row := func(role, name, sqlType string) {
		fmt.Fprintf(&b, "(NULL, NULL, true, %s, %s, NULL, NULL, %s, NULL, %s), ", quote.Text(role), quote.Text(name), quote.Text(sqlType), quote.Text(r.Endpoint))
	}
	for _, c := range r.InputColumns {
		row("input", c.Name, c.Type)
	}
	for _, c := range r.OutputColumns {
		row("output", c.Name, c.Type)
	}
	if len(r.OutputColumns) == 0 {
		row("endpoint", r.Connection, "")
	}
	b.WriteString(infoEnd)
	return b.String()
}

// showModels gives the query of SHOW MODELS, unless a table of that name makes it DuckDB's own statement.
func (n *conn) showModels(ctx context.Context, src string, st dialect.Statement, s *dialect.ShowModels) (*plan, error) {
	if s.From == nil && !s.HasLike {
		rows, err := n.rows(ctx, "SELECT 1 FROM information_schema.tables WHERE lower(table_name) = 'models' AND table_schema = ANY (current_schemas(true)) LIMIT 1")
		if err != nil {
			return nil, err
		}
		if len(rows) > 0 {
			return &plan{sql: src[st.Pos:st.End], pos: st.Pos, verb: "SHOW"}, nil
		}
	}
	where := "WHERE true"
	if s.From != nil {
		parts, err := n.catalog().WithoutProject(ctx, s.From.Parts)
		if err != nil {
			return nil, dialect.At(s.From.Span, err)
		}
		switch len(parts) {
		case 1:
			where += " AND (lower(schema_name) = lower(" + quote.Text(parts[0]) + ") OR lower(database_name) = lower(" + quote.Text(parts[0]) + "))"
		case 2:
			where += " AND lower(database_name) = lower(" + quote.Text(parts[0]) + ") AND lower(schema_name) = lower(" + quote.Text(parts[1]) + ")"
		default:
			return nil, dialect.At(s.From.Span, fmt.Errorf("`%s`: SHOW MODELS FROM takes a dataset", s.From))
		}
	}
	if s.HasLike {
		where += " AND model_name LIKE " + quote.Text(s.Like)
	}
	return &plan{sql: "SELECT schema_name AS dataset, model_name AS model, model_type AS type, path AS source, inputs, outputs, created FROM query(system.main.mallard_models()) " +
		where + " ORDER BY ALL", pos: -1, verb: "SHOW MODELS"}, nil
}

// describeModel gives the query of DESCRIBE MODEL.
func (n *conn) describeModel(ctx context.Context, s *dialect.DescribeModel) (*plan, error) {
	f, err := n.catalog().Resolve(ctx, s.Name.Parts, "")
	if err != nil {
		return nil, dialect.At(s.Name.Span, err)
	}
	name := quote.Path(f.Database, f.Schema, f.Name)
	if f.Database == "" {
		name = f.Name
	}
	return &plan{sql: "SELECT * FROM query(system.main.mallard_model_info(" + quote.Text(name) + "))", pos: -1, verb: "DESCRIBE MODEL"}, nil
}
