package planner

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/quote"
)

// ModelsText writes the query behind ml_models().
func (pl *Planner) ModelsText(ctx context.Context) (string, error) {
	all, err := pl.Catalog.List(ctx)
	if err != nil {
		return "", err
	}
	t := table{name: "models", key: "model_name", columns: []string{
		"database_name VARCHAR", "schema_name VARCHAR", "model_name VARCHAR", "model_type VARCHAR", "signature VARCHAR", "inputs VARCHAR",
		"outputs VARCHAR", "path VARCHAR", "batch_size BIGINT", "description VARCHAR", "labels MAP(VARCHAR, VARCHAR)",
		"created TIMESTAMPTZ", "modified TIMESTAMPTZ", "digest VARCHAR",
	}}
	for _, f := range all {
		r := f.Spec
		t.row(textOrNull(f.Database), textOrNull(f.Schema), quote.Text(f.Name), quote.Text(r.Type), textOrNull(r.Signature),
			quote.Text(modelspec.PortsText(r.Inputs)+modelspec.ColumnsText(r.InputColumns)),
			quote.Text(modelspec.PortsText(r.Outputs)+modelspec.ColumnsText(r.OutputColumns)),
			quote.Text(r.Path), numberOrNull(r.BatchSize), textOrNull(r.Description), labelsText(r.Labels),
			timeText(r.Created), timeText(r.Modified), textOrNull(r.Digest))
	}
	return t.String(), nil
}

func infoTable() table {
	return table{name: "info", key: "role", columns: []string{
		"tags VARCHAR", "signature VARCHAR", "active BOOLEAN", "role VARCHAR", "name VARCHAR", "dtype VARCHAR", "shape VARCHAR",
		"sql_type VARCHAR", "tensor VARCHAR", "method VARCHAR",
	}}
}

// ModelInfoText writes the query behind ml_model_info(model): what `saved_model_cli show --all` tells, a row per tensor.
func (pl *Planner) ModelInfoText(ctx context.Context, name string) (string, error) {
	parts, err := catalog.SplitName(name)
	if err != nil {
		return "", err
	}
	f, err := pl.Catalog.Resolve(ctx, parts, "")
	if err != nil {
		return "", err
	}
	if f.Spec.Remote() {
		return remoteInfoText(f.Spec), nil
	}
	tensors, err := pl.Library.Tensors(ctx, f.Spec)
	if err != nil {
		return "", fmt.Errorf("model %s: %w", f.QualifiedName, err)
	}
	info := infoTable()
	for _, t := range tensors {
		active := t.Signature == f.Spec.Signature && slices.Equal(t.Tags, f.Spec.Tags)
		role := "input"
		if t.Output {
			role = "output"
		}
		info.row(quote.Text(strings.Join(t.Tags, ",")), quote.Text(t.Signature), strconv.FormatBool(active), quote.Text(role),
			quote.Text(t.Name), quote.Text(t.DType), quote.Text(t.Shape), textOrNull(t.SQLType), quote.Text(t.Tensor), textOrNull(t.Method))
	}
	return info.String(), nil
}

// remoteInfoText tells of a remote model in the same columns: its endpoint stands as the method.
func remoteInfoText(r *modelspec.Spec) string {
	info := infoTable()
	row := func(role, name, sqlType string) {
		info.row("NULL", "NULL", "true", quote.Text(role), quote.Text(name), "NULL", "NULL", quote.Text(sqlType), "NULL",
			quote.Text(r.Endpoint))
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
	return info.String()
}

// showModels gives the query of SHOW MODELS, unless a table of that name makes it DuckDB's own statement.
func (pl *Planner) showModels(ctx context.Context, src string, st dialect.Statement, s *dialect.ShowModels) (*Plan, error) {
	if s.From == nil && !s.HasLike {
		rows, err := pl.Catalog.Rows(ctx, "SELECT 1 FROM information_schema.tables WHERE lower(table_name) = 'models' AND table_schema = "+
			"ANY (current_schemas(true)) LIMIT 1")
		if err != nil {
			return nil, err
		}
		if len(rows) > 0 {
			return &Plan{SQL: src[st.Pos:st.End], Pos: st.Pos, Verb: "SHOW"}, nil
		}
	}
	where := "WHERE true"
	if s.From != nil {
		parts, err := pl.Catalog.WithoutProject(ctx, s.From.Parts)
		if err != nil {
			return nil, dialect.At(s.From.Span, err)
		}
		switch len(parts) {
		case 1:
			where += " AND lower(" + quote.Text(parts[0]) + ") IN (lower(schema_name), lower(database_name))"
		case 2:
			where += " AND lower(database_name) = lower(" + quote.Text(parts[0]) + ")" +
				" AND lower(schema_name) = lower(" + quote.Text(parts[1]) + ")"
		default:
			return nil, dialect.At(s.From.Span, fmt.Errorf("`%s`: SHOW MODELS FROM takes a dataset", s.From))
		}
	}
	if s.HasLike {
		where += " AND model_name LIKE " + quote.Text(s.Like)
	}
	return &Plan{SQL: "SELECT schema_name AS dataset, model_name AS model, model_type AS type, path AS source, inputs, outputs, " +
		"created FROM query(system.main.mallard_models()) " + where + " ORDER BY ALL", Pos: -1, Verb: "SHOW MODELS"}, nil
}

// describeModel gives the query of DESCRIBE MODEL.
func (pl *Planner) describeModel(ctx context.Context, s *dialect.DescribeModel) (*Plan, error) {
	f, err := pl.Catalog.Resolve(ctx, s.Name.Parts, "")
	if err != nil {
		return nil, dialect.At(s.Name.Span, err)
	}
	name := quote.Path(f.Database, f.Schema, f.Name)
	if f.Database == "" {
		name = f.Name
	}
	return &Plan{SQL: "SELECT * FROM query(system.main.mallard_model_info(" + quote.Text(name) + "))", Pos: -1, Verb: "DESCRIBE MODEL"}, nil
}
