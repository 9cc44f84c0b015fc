package emulate

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/quote"
)

// Models serves SavedModels behind the endpoints of a fake Vertex AI, through SQL of our own. It is safe for concurrent use.
type Models struct{ db *sql.DB }

// NewModels opens a database in memory for the models; cfg says where TensorFlow and the model store are.
func NewModels(cfg *config.Config) (*Models, error) {
	c, err := extension.NewConnector("", extension.Options{Config: cfg})
	if err != nil {
		return nil, err
	}
	return &Models{sql.OpenDB(c)}, nil
}

// Close ends the database. Predictors must not be called afterwards.
func (m *Models) Close() error { return m.db.Close() }

// create takes a SavedModel in and gives its tensors.
func (m *Models) create(ctx context.Context, name, dir string) (in, out []tensor, err error) {
	q := fmt.Sprintf("CREATE OR REPLACE MODEL %s OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH=%s)", quote.Name(name), quote.Text(dir))
	if _, err := m.db.ExecContext(ctx, q); err != nil {
		return nil, nil, err
	}
	rows, err := m.db.QueryContext(ctx, "SELECT role, name, sql_type FROM ml_model_info(?) WHERE active", name)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var role string
		var p tensor
		if err := rows.Scan(&role, &p.name, &p.sqlType); err != nil {
			return nil, nil, err
		}
		if role == "input" {
			in = append(in, p)
		} else {
			out = append(out, p)
		}
	}
	return in, out, rows.Err()
}

type tensor struct{ name, sqlType string }

// Endpoint takes in the SavedModel in a folder and serves it. Instances are objects with its inputs, or bare values for a single input;
// predictions are objects, or bare values for a single output, as TensorFlow Serving writes them.
func (m *Models) Endpoint(ctx context.Context, id, dir string) (vertextest.Predictor, error) {
	name := "endpoint " + id
	in, out, err := m.create(ctx, name, dir)
	if err != nil {
		return nil, fmt.Errorf("endpoint %s: %w", id, err)
	}
	return func(ctx context.Context, instances []any, _ any) ([]any, error) {
		answers, err := m.predict(ctx, name, in, out, instances)
		if err != nil && ctx.Err() == nil { // wrong instances, nearly always; Vertex says so too
			return nil, &vertextest.StatusError{Status: 400, Message: err.Error()}
		}
		return answers, err
	}, nil
}

// Embedder serves texts with a SavedModel of one string input and one vector output: vertextest.Options.Embed.
func (m *Models) Embedder(ctx context.Context, dir string) (func(context.Context, string, []string) ([][]float64, error), error) {
	in, out, err := m.create(ctx, "embedding", dir)
	if err != nil {
		return nil, err
	}
	if len(in) != 1 || len(out) != 1 || in[0].sqlType != "VARCHAR" {
		return nil, fmt.Errorf("embedding model %s: it must have one string input and one vector output", dir)
	}
	return func(ctx context.Context, _ string, texts []string) ([][]float64, error) {
		instances := make([]any, len(texts))
		for i, t := range texts {
			instances[i] = t
		}
		answers, err := m.predict(ctx, "embedding", in, out, instances)
		if err != nil {
			return nil, err
		}
		vectors := make([][]float64, len(answers))
		for i, a := range answers {
			b, err := json.Marshal(a)
			if err != nil {
				return nil, err
			}
			if err := json.Unmarshal(b, &vectors[i]); err != nil {
				return nil, err
			}
		}
		return vectors, nil
	}, nil
}

// predict runs instances through a model in one query and keeps their order.
func (m *Models) predict(ctx context.Context, name string, in, out []tensor, instances []any) ([]any, error) {
	objects := make([]map[string]any, len(instances))
	for i, v := range instances {
		o, ok := v.(map[string]any)
		if !ok {
			if len(in) != 1 {
				return nil, fmt.Errorf("instance %d is no object, and the model has %s", i, amount.Of(len(in), "input"))
			}
			o = map[string]any{in[0].name: v}
		}
		objects[i] = o
	}
	body, err := json.Marshal(objects)
	if err != nil {
		return nil, err
	}
	fields := make([]string, len(in))
	for i, p := range in {
		fields[i] = quote.Name(p.name) + " " + p.sqlType
	}
	results := make([]string, len(out))
	for i, p := range out {
		results[i] = fmt.Sprintf("%s: %s", quote.Text(p.name), quote.Name(p.name))
	}
	query := fmt.Sprintf("SELECT to_json({%s})::VARCHAR FROM ML.PREDICT(MODEL %s, (SELECT __row, __in.* FROM (SELECT "+
		"unnest(?::JSON::STRUCT(%s)[]) AS __in, generate_subscripts(?::JSON::JSON[], 1) AS __row))) ORDER BY __row",
		strings.Join(results, ", "), quote.Name(name), strings.Join(fields, ", "))
	rows, err := m.db.QueryContext(ctx, query, string(body), string(body))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []any
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		var o map[string]any
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			return nil, err
		}
		if len(out) == 1 {
			all = append(all, o[out[0].name])
		} else {
			all = append(all, o)
		}
	}
	return all, rows.Err()
}
