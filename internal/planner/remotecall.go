package planner

import (
	"context"
	"errors"
	"fmt"

	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/spelling"
)

// remoteCall writes a call over a remote model.
func (ex *expander) remoteCall(ctx context.Context, f catalog.Entry, fn string, options []dialect.Option, in inputKind) (*called, error) {
	s, err := ex.remoteSpec(f, fn, options, in)
	if err != nil {
		return nil, err
	}
	for _, fn := range s.Functions() {
		if err := ex.Models.RemoteFunction(ctx, fn); err != nil {
			return nil, err
		}
	}
	x := &called{}
	x.open, x.after = s.SQL(ex.Models.FunctionName)
	for _, c := range s.InputColumns() {
		x.inputs = append(x.inputs, inputColumn{c.Name, c.DuckDB})
	}
	return x, nil
}

// remoteSpec describes a call of a function over a model and gets it ready.
func (ex *expander) remoteSpec(f catalog.Entry, fn string, options []dialect.Option, in inputKind) (*remote.Spec, error) {
	wrong := func(err error) error { return fmt.Errorf("model %s: %w", f.QualifiedName, err) }
	name := f.Spec.Connection
	cfg, ok := ex.Config.Connections[name]
	if !ok {
		return nil, wrong(fmt.Errorf("its connection `%s` is not in the configuration; add [connections.%q]", name, name))
	}
	p, err := config.Provider(name, cfg)
	if err != nil {
		return nil, wrong(err)
	}
	s := &remote.Spec{
		Func: fn, Model: f.QualifiedName.String(), Endpoint: f.Spec.Endpoint,
		Titled: in.titled, Objects: in.objects, Versioned: in.versioned, Media: in.media,
	}
	if s.Inputs, err = remoteColumns(f.Spec.InputColumns); err != nil {
		return nil, wrong(err)
	}
	if s.Outputs, err = remoteColumns(f.Spec.OutputColumns); err != nil {
		return nil, wrong(err)
	}
	if err := p.Address(s); err != nil {
		return nil, wrong(err)
	}
	if err := remote.Suits(fn, s.Family); err != nil {
		return nil, wrong(err)
	}
	if s.Options, err = remote.ParseOptions(fn, s.Family, remoteOptions(options)); err != nil {
		var oe *remote.OptionError
		if errors.As(err, &oe) {
			err = dialect.At(dialect.Span{Pos: oe.Pos, End: oe.End}, spelling.Meant(err, oe.Unknown, oe.Known))
		}
		return nil, err
	}
	if in.similar {
		s.Options.Compare(s.Family)
	}
	return ex.Models.RemoteCall(s, name)
}

func remoteColumns(in []modelspec.Column) ([]googlesql.Field, error) {
	var out []googlesql.Field
	for _, c := range in {
		t, err := remote.ParseType(c.Type)
		if err != nil {
			return nil, fmt.Errorf("column `%s`: type %s %w", c.Name, c.Type, err)
		}
		out = append(out, googlesql.Field{Name: c.Name, Type: t})
	}
	return out, nil
}

// remoteOptions gives options as package remote reads them.
func remoteOptions(options []dialect.Option) []remote.Option {
	list := make([]remote.Option, len(options))
	for i, o := range options {
		list[i] = remote.Option{Name: o.Name, Value: remoteValue(o.Value), Pos: o.Pos, End: o.End}
	}
	return list
}

func remoteValue(v dialect.Value) any {
	switch v.Kind {
	case dialect.Int:
		return v.Int
	case dialect.Float:
		return v.Float
	case dialect.Bool:
		return v.Bool
	case dialect.Array:
		list := make([]any, len(v.List))
		for i, e := range v.List {
			list[i] = remoteValue(e)
		}
		return list
	case dialect.Struct:
		return remoteOptions(v.Fields)
	case dialect.Null:
		return nil
	}
	return v.Str
}
