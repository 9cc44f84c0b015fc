package planner

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/internal/modelspec"
)

// createRemote checks a remote model and gives the statement that records it. Nothing is asked of the endpoint.
func (pl *Planner) createRemote(s *dialect.CreateModel) (*modelspec.Spec, error) {
	cfg := pl.Config
	name, err := connectionOf(cfg, s.Connection, s.Name.Span)
	if err != nil {
		return nil, err
	}
	spec := &modelspec.Spec{Type: "REMOTE", Connection: name}
	endpoint := dialect.Span{}
	for i := range s.Options {
		o := &s.Options[i]
		var err error
		switch strings.ToLower(o.Name) {
		case "endpoint":
			spec.Path, err = textOption(o)
			endpoint = o.Value.Span
		case "description":
			spec.Description, err = textOption(o)
		case "labels":
			spec.Labels, err = labelsOption(o)
		case "remote_service_type", "hugging_face_model_id", "model_garden_model_name":
			err = dialect.At(o.Span, fmt.Errorf("option `%s` is not supported; deploy the model and give its ENDPOINT", o.Name))
		default:
			err = dialect.At(o.Span, fmt.Errorf("unknown option `%s`; a remote model takes %s", o.Name,
				strings.Join(functiontable.OptionNames(functiontable.CreateRemoteModel), ", ")))
		}
		if err != nil {
			return nil, err
		}
	}
	if strings.TrimSpace(spec.Path) == "" {
		return nil, dialect.At(s.Name.Span, errors.New("a remote model needs OPTIONS(ENDPOINT='…'): "+
			"the name of a model such as 'gemini-2.5-flash', or a URL"))
	}
	p, err := config.Provider(name, cfg.Connections[name])
	if err != nil {
		return nil, dialect.At(s.Name.Span, err)
	}
	if spec.Endpoint, err = p.Endpoint(spec.Path); err != nil {
		return nil, dialect.At(endpoint, err)
	}
	for _, side := range []struct {
		to   *[]modelspec.Column
		from []dialect.ColumnDef
	}{{&spec.InputColumns, s.Input}, {&spec.OutputColumns, s.Output}} {
		for _, c := range side.from {
			t := c.Type
			if err := remote.Carries(t); err != nil {
				return nil, dialect.At(c.Span, fmt.Errorf("column `%s`: type %s %w", c.Name, t, err))
			}
			of := t
			if t.Kind == googlesql.Array {
				of = *t.Elem
			}
			if of.Kind == googlesql.JSON || of.Kind == googlesql.Struct {
				return nil, dialect.At(c.Span, fmt.Errorf("column `%s` is %s; "+
					"INPUT and OUTPUT take BOOL, INT64, FLOAT64, NUMERIC, BIGNUMERIC, STRING and ARRAYs of these", c.Name, t))
			}
			*side.to = append(*side.to, modelspec.Column{Name: c.Name, Type: t.String()})
		}
	}
	if kind := p.Model(spec.Endpoint); kind != "" && len(spec.OutputColumns) > 0 {
		return nil, dialect.At(s.Name.Span, fmt.Errorf("INPUT and OUTPUT are for custom endpoints; "+
			"`%s` is %s", remote.ModelName(spec.Endpoint), kind))
	}
	return spec, nil
}
