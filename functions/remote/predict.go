package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dispatch"
)

// predictCodec asks a custom endpoint: an instance per row, keyed by the names of INPUT.
type predictCodec struct {
	spec *Spec
	keys []string // the names as JSON, with the colon
}

func (s *Spec) initPredict() error {
	if len(s.Inputs) == 0 || len(s.Outputs) == 0 {
		return errors.New("a model on a custom endpoint needs INPUT(…) and OUTPUT(…); create it again with both")
	}
	c := &predictCodec{spec: s}
	for _, in := range s.Inputs {
		if err := custom(in); err != nil {
			return fmt.Errorf("INPUT: %w", err)
		}
		name, err := marshal(in.Name)
		if err != nil {
			return err
		}
		c.keys = append(c.keys, string(name)+":")
	}
	for _, out := range s.Outputs {
		if err := custom(out); err != nil {
			return fmt.Errorf("OUTPUT: %w", err)
		}
	}
	s.columns, s.statusAt = s.Outputs, len(s.Outputs)
	s.status, s.statusNull = "remote_model_status", true
	s.method, s.codec = "predict", c
	return nil
}

// custom checks a type that a custom endpoint may have.
func custom(c googlesql.Field) error {
	t := c.Type
	if t.Kind == googlesql.Array && t.Elem != nil {
		t = *t.Elem
	}
	switch t.Kind {
	case googlesql.Bool, googlesql.Int64, googlesql.Float64, googlesql.Numeric, googlesql.BigNumeric, googlesql.String:
		return nil
	}
	return fmt.Errorf("`%s` is %s; it may be BOOL, INT64, FLOAT64, NUMERIC, BIGNUMERIC, STRING or an ARRAY of these", c.Name, c.Type)
}

func (c *predictCodec) missing() []any { return make([]any, len(c.spec.columns)) }

func (c *predictCodec) payload(_ context.Context, row []any) (string, string) {
	var room [512]byte
	b := append(room[:0], '{')
	for i, key := range c.keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, key...)
		v := row[i]
		// BigQuery has no NULL arrays: they are empty ones.
		if v == nil && c.spec.Inputs[i].Type.Kind == googlesql.Array {
			v = []any{}
		}
		var err error
		if b, err = appendJSON(b, v); err != nil {
			return "", fmt.Sprintf("Invalid input `%s`: %v", c.spec.Inputs[i].Name, err)
		}
	}
	return string(append(b, '}')), ""
}

// finish implements codec; no row is put off.
func (c *predictCodec) finish(context.Context, deferredRow) (string, string) { return "", "" }

func (c *predictCodec) call(ctx context.Context, svc Service, payloads []string) ([]dispatch.Answer, error) {
	return predict(ctx, svc, c.spec, payloads)
}

// predict asks for rows by Vertex AI's method of that name, an instance each.
func predict(ctx context.Context, svc Service, s *Spec, payloads []string) ([]dispatch.Answer, error) {
	n := len(s.parameters) + 32
	for _, p := range payloads {
		n += len(p) + 1
	}
	body := append(make([]byte, 0, n), `{"instances":[`...)
	for i, p := range payloads {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, p...)
	}
	body = append(body, ']')
	if s.parameters != nil {
		body = append(append(body, `,"parameters":`...), s.parameters...)
	}
	raw, err := svc.Call(ctx, "predict", s.Endpoint, append(body, '}'), nil)
	if err != nil {
		return nil, err
	}
	return predictions(raw, len(payloads))
}

// predictions takes a predict response apart, a row each.
func predictions(raw json.RawMessage, rows int) ([]dispatch.Answer, error) {
	raw, err := readAnswer(raw)
	if err != nil {
		return nil, err
	}
	m := members(raw)
	list := elements(m["predictions"])
	if list == nil {
		if err := inBand(m); err != nil {
			return nil, err
		}
		return nil, &errAnswer{fmt.Errorf("the answer has no list of predictions; it has %s", listed(m))}
	}
	if len(list) != rows {
		return nil, &errCount{len(list), rows}
	}
	out := make([]dispatch.Answer, rows)
	for i, p := range list {
		out[i].Body = p
	}
	return out, nil
}

func (c *predictCodec) values(body json.RawMessage) ([][]any, string) {
	if !utf8.Valid(body) {
		return nil, errNotText
	}
	outputs := c.spec.columns
	line := make([]any, len(outputs))
	fields := map[string]json.RawMessage{}
	isObject := strings.HasPrefix(string(body), "{") && json.Unmarshal(body, &fields) == nil
	if len(outputs) == 1 {
		raw := body
		if isObject { // some servers name the only output all the same
			if len(fields) != 1 || member(fields, outputs[0].Name) == nil {
				return nil, fmt.Sprintf("Invalid answer: it has the fields %s, the model declares OUTPUT(%s %s)", listed(fields), outputs[0].Name,
					outputs[0].Type)
			}
			raw = member(fields, outputs[0].Name)
		}
		v, err := looseValue(outputs[0].Type, raw)
		if err != nil {
			return nil, fmt.Sprintf("Invalid answer: `%s` %v", outputs[0].Name, err)
		}
		line[0] = v
		return [][]any{line}, ""
	}
	if !isObject {
		return nil, fmt.Sprintf("Invalid answer: it should be an object with %d fields, but is %s", len(outputs), clip(string(body), 40))
	}
	for i, o := range outputs {
		raw, ok := fields[o.Name]
		if !ok {
			if raw = member(fields, o.Name); raw == nil {
				return nil, fmt.Sprintf("Invalid answer: it lacks `%s`; it has %s", o.Name, listed(fields))
			}
		}
		v, err := looseValue(o.Type, raw)
		if err != nil {
			return nil, fmt.Sprintf("Invalid answer: `%s` %v", o.Name, err)
		}
		line[i] = v
	}
	return [][]any{line}, ""
}

// looseValue is read for what TensorFlow's servers write: a [None, 1] output has a list of one value per row.
func looseValue(t googlesql.Type, raw json.RawMessage) (any, error) {
	v, err := jsonValue(t, raw)
	if err != nil && t.Kind != googlesql.Array {
		var one []json.RawMessage
		if json.Unmarshal(raw, &one) == nil && len(one) == 1 {
			return jsonValue(t, one[0])
		}
	}
	return v, err
}
