package planner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/dialect"
)

// optionsJSON writes the arguments of a call, so that a stored view can carry them. FLOAT64 keeps a decimal point.
func optionsJSON(options []dialect.Option) string {
	var b strings.Builder
	writeFields(&b, options)
	return b.String()
}

func writeFields(b *strings.Builder, fields []dialect.Option) {
	b.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		writeText(b, f.Name)
		b.WriteByte(':')
		writeValue(b, f.Value)
	}
	b.WriteByte('}')
}

func writeText(b *strings.Builder, s string) {
	t, err := json.Marshal(s)
	if err != nil { // a string always can
		t = []byte(`""`)
	}
	b.Write(t)
}

func writeValue(b *strings.Builder, v dialect.Value) {
	switch v.Kind {
	case dialect.Null:
		b.WriteString("null")
	case dialect.Int:
		b.WriteString(strconv.FormatInt(v.Int, 10))
	case dialect.Float:
		s := strconv.FormatFloat(v.Float, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		b.WriteString(s)
	case dialect.Bool:
		b.WriteString(strconv.FormatBool(v.Bool))
	case dialect.Array:
		b.WriteByte('[')
		for i, e := range v.List {
			if i > 0 {
				b.WriteByte(',')
			}
			writeValue(b, e)
		}
		b.WriteByte(']')
	case dialect.Struct:
		writeFields(b, v.Fields)
	default:
		writeText(b, v.Str)
	}
}

// readOptionsJSON reads what optionsJSON wrote, or what to_json made of a STRUCT. "" and null are no arguments.
func readOptionsJSON(s string) ([]dialect.Option, error) {
	if s == "" || s == "null" {
		return nil, nil
	}
	var whole json.RawMessage // bounds the nesting, which reading token by token does not
	if err := json.Unmarshal([]byte(s), &whole); err != nil {
		return nil, fmt.Errorf("options are no JSON, or nested too deep: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(whole))
	d.UseNumber()
	v, err := readValue(d)
	if err != nil {
		return nil, fmt.Errorf("options: %w", err)
	}
	if v.Kind != dialect.Struct {
		return nil, errors.New("options must be a STRUCT, such as {'temperature': 0.2}")
	}
	return v.Fields, nil
}

// readValue reads one value, of bounded nesting.
func readValue(d *json.Decoder) (dialect.Value, error) {
	t, err := d.Token()
	if err != nil {
		return dialect.Value{}, err
	}
	switch t := t.(type) {
	case nil:
		return dialect.Value{Kind: dialect.Null}, nil
	case bool:
		return dialect.Value{Kind: dialect.Bool, Bool: t}, nil
	case string:
		return dialect.Value{Kind: dialect.String, Str: t}, nil
	case json.Number:
		if i, err := strconv.ParseInt(t.String(), 10, 64); err == nil {
			return dialect.Value{Kind: dialect.Int, Int: i}, nil
		}
		f, err := t.Float64()
		return dialect.Value{Kind: dialect.Float, Float: f}, err
	}
	v := dialect.Value{Kind: dialect.Array}
	if t == json.Delim('{') {
		v.Kind = dialect.Struct
	}
	for d.More() {
		name := ""
		if v.Kind == dialect.Struct {
			k, err := d.Token()
			if err != nil {
				return v, err
			}
			name, _ = k.(string)
		}
		e, err := readValue(d)
		if err != nil {
			return v, err
		}
		if v.Kind == dialect.Struct {
			v.Fields = append(v.Fields, dialect.Option{Name: name, Value: e})
		} else {
			v.List = append(v.List, e)
		}
	}
	_, err = d.Token()
	return v, err
}
