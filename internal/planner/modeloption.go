package planner

import (
	"fmt"

	"github.com/mallardml/mallard/internal/dialect"
)

func textOption(o *dialect.Option) (string, error) {
	if o.Value.Kind != dialect.String && o.Value.Kind != dialect.Ident {
		return "", dialect.At(o.Value.Span, fmt.Errorf("option `%s` must be a string", o.Name))
	}
	return o.Value.Str, nil
}

func textsOption(o *dialect.Option) ([]string, error) {
	if o.Value.Kind == dialect.String {
		return []string{o.Value.Str}, nil
	}
	bad := dialect.At(o.Value.Span, fmt.Errorf("option `%s` must be an array of strings, such as ['a', 'b']", o.Name))
	if o.Value.Kind != dialect.Array {
		return nil, bad
	}
	var all []string
	for _, v := range o.Value.List {
		if v.Kind != dialect.String || v.Str == "" {
			return nil, bad
		}
		all = append(all, v.Str)
	}
	return all, nil
}

// labelsOption reads BigQuery's [("key", "value"), …]; NULL clears.
func labelsOption(o *dialect.Option) (map[string]string, error) {
	if o.Value.Kind == dialect.Null {
		return nil, nil
	}
	bad := dialect.At(o.Value.Span, fmt.Errorf("option `%s` must be an array of pairs, such as [('team', 'search')]", o.Name))
	if o.Value.Kind != dialect.Array {
		return nil, bad
	}
	labels := map[string]string{}
	for _, v := range o.Value.List {
		if v.Kind != dialect.Struct || len(v.Fields) != 2 ||
			v.Fields[0].Value.Kind != dialect.String || v.Fields[1].Value.Kind != dialect.String {
			return nil, bad
		}
		labels[v.Fields[0].Value.Str] = v.Fields[1].Value.Str
	}
	return labels, nil
}
