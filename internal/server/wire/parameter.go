package wire

import (
	"database/sql"
	"encoding/json"
	"strconv"
	"strings"

	bigquery "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/googlesql"
)

// QueryParameter is a parameter of a query in the API's JSON. The API's generated type cannot tell the empty STRING from NULL.
type QueryParameter struct {
	Name           string                       `json:"name"`
	ParameterType  *bigquery.QueryParameterType `json:"parameterType"`
	ParameterValue *ParameterValue              `json:"parameterValue"`
}

// ParameterValue is the value of a parameter or of a part of one; NULL where nothing is given.
type ParameterValue struct {
	Value        *Scalar                    `json:"value"`
	ArrayValues  []*ParameterValue          `json:"arrayValues"`
	StructValues map[string]*ParameterValue `json:"structValues"`
}

// Scalar is the text of a scalar value. A JSON number, true and false are taken for their text.
type Scalar string

// UnmarshalJSON implements [json.Unmarshaler].
func (s *Scalar) UnmarshalJSON(b []byte) error {
	var text string
	switch {
	case len(b) > 0 && b[0] == '"':
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
	case len(b) > 0 && (b[0] == '{' || b[0] == '['):
		return failed("The value of a query parameter must be a string")
	default:
		text = string(b)
	}
	*s = Scalar(text)
	return nil
}

// Parameters gives the arguments of a statement for database/sql: a [sql.NamedArg] for each named parameter, a
// [mallard.TypedValue] for each one by position. mode is POSITIONAL, NAMED or "", for which the parameters tell.
func Parameters(mode string, given []QueryParameter) ([]any, error) {
	named := strings.EqualFold(mode, "NAMED")
	switch {
	case mode == "":
		named = len(given) > 0 && given[0].Name != ""
	case !named && !strings.EqualFold(mode, "POSITIONAL"):
		return nil, failed("Invalid value for parameterMode: %s is not a valid value", shortened(mode))
	}
	args := make([]any, len(given))
	seen := map[string]bool{}
	for i, p := range given {
		name := p.Name
		switch key := strings.ToLower(name); {
		case named && name == "":
			return nil, failed("Query parameter %d has no name, and the others are named", i+1)
		case !named && name != "":
			return nil, failed("Query parameter %d has the name %s, and the others are by position", i+1, name)
		case named && seen[key]:
			return nil, failed("Duplicate query parameter: %s", name)
		case named:
			seen[key] = true
		default:
			name = strconv.Itoa(i + 1)
		}
		v, err := parameter(p)
		if err != nil {
			return nil, within("Query parameter "+name, err)
		}
		if args[i] = v; named {
			args[i] = sql.Named(name, v)
		}
	}
	return args, nil
}

func parameter(p QueryParameter) (mallard.TypedValue, error) {
	t, err := parameterType(p.ParameterType, 0)
	if err != nil {
		return mallard.TypedValue{}, err
	}
	v, err := parameterValue(t, p.ParameterValue)
	return mallard.TypedValue{Type: t, Value: v}, err
}

func parameterType(p *bigquery.QueryParameterType, depth int) (googlesql.Type, error) {
	if p == nil || p.Type == "" {
		return googlesql.Type{}, failed("The parameter has no type")
	}
	if depth > deepest {
		return googlesql.Type{}, failed("The type is nested more than %d levels deep", deepest)
	}
	kind, ok := typeWords[strings.ToUpper(p.Type)]
	t := googlesql.Type{Kind: kind}
	switch {
	case !ok:
		return t, failed("Invalid value for type: %s is not a valid value", shortened(p.Type))
	case kind == googlesql.Geography, kind == googlesql.Range:
		return t, refused(kind.String())
	case kind == googlesql.Array:
		elem, err := parameterType(p.ArrayType, depth+1)
		if err == nil && elem.Kind == googlesql.Array {
			err = failed("An ARRAY of ARRAY is no type")
		}
		return googlesql.ArrayOf(elem), err
	case kind == googlesql.Struct:
		if len(p.StructTypes) == 0 {
			return t, failed("The STRUCT has no fields")
		}
		seen := map[string]bool{}
		for i, f := range p.StructTypes {
			if f == nil {
				return t, failed("Field %d has no type", i+1)
			}
			of, err := parameterType(f.Type, depth+1)
			key := strings.ToLower(f.Name)
			switch {
			case err != nil:
				return t, within(f.Name, err)
			case key != "" && seen[key]:
				return t, failed("Duplicate field name: %s", shortened(f.Name))
			}
			seen[key] = true
			t.Fields = append(t.Fields, googlesql.Field{Name: f.Name, Type: of})
		}
	}
	return t, nil
}

func parameterValue(t googlesql.Type, p *ParameterValue) (any, error) {
	if p == nil {
		p = &ParameterValue{}
	}
	switch t.Kind {
	case googlesql.Array:
		items := make([]any, len(p.ArrayValues)) // none given is the empty array, as at Google
		for i, item := range p.ArrayValues {
			var err error
			if items[i], err = parameterValue(*t.Elem, item); err != nil {
				return nil, err
			}
		}
		return items, nil
	case googlesql.Struct:
		if p.StructValues == nil {
			return nil, nil
		}
		fields := make([]any, len(t.Fields))
		taken := 0
		for i, f := range t.Fields {
			v, ok := p.StructValues[f.Name]
			if ok {
				taken++
			}
			var err error
			if fields[i], err = parameterValue(f.Type, v); err != nil {
				return nil, within(fieldName(f, i), err)
			}
		}
		if taken < len(p.StructValues) {
			return nil, failed("The value of the STRUCT has fields that its type lacks")
		}
		return fields, nil
	}
	if p.Value == nil {
		return nil, nil
	}
	return parse(t.Kind, string(*p.Value))
}
