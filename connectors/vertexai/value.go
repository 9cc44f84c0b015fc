package vertexai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
)

// toValue reads JSON for gRPC, whose numbers are doubles: an integer that a double cannot hold is refused, never changed.
func toValue(raw json.RawMessage) (*structpb.Value, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("not JSON")
	}
	if d.More() {
		return nil, fmt.Errorf("not one JSON value")
	}
	return fromAny(v)
}

func fromAny(v any) (*structpb.Value, error) {
	switch v := v.(type) {
	case nil:
		return structpb.NewNullValue(), nil
	case bool:
		return structpb.NewBoolValue(v), nil
	case string:
		return structpb.NewStringValue(strings.ToValidUTF8(v, "\uFFFD")), nil
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return nil, fmt.Errorf("the number %s does not fit a double", v)
		}
		if i, err := v.Int64(); err == nil && (int64(f) != i || f == math.MaxInt64) || err != nil && digits(strings.TrimPrefix(v.String(), "-")) {
			return nil, fmt.Errorf("the integer %s does not fit a double, the only number of gRPC: use transport rest", v)
		}
		return structpb.NewNumberValue(f), nil
	case []any:
		l := &structpb.ListValue{Values: make([]*structpb.Value, len(v))}
		for i, e := range v {
			p, err := fromAny(e)
			if err != nil {
				return nil, err
			}
			l.Values[i] = p
		}
		return structpb.NewListValue(l), nil
	case map[string]any:
		s := &structpb.Struct{Fields: make(map[string]*structpb.Value, len(v))}
		for k, e := range v {
			p, err := fromAny(e)
			if err != nil {
				return nil, err
			}
			s.Fields[strings.ToValidUTF8(k, "\uFFFD")] = p
		}
		return structpb.NewStructValue(s), nil
	}
	return nil, fmt.Errorf("unknown JSON value %T", v)
}

// appendValue writes a Value as JSON; protojson refuses NaN and the infinities, which models do give.
func appendValue(b []byte, v *structpb.Value) []byte {
	switch k := v.GetKind().(type) {
	case *structpb.Value_BoolValue:
		return strconv.AppendBool(b, k.BoolValue)
	case *structpb.Value_NumberValue:
		return appendNumber(b, k.NumberValue)
	case *structpb.Value_StringValue:
		return appendString(b, k.StringValue)
	case *structpb.Value_ListValue:
		b = append(b, '[')
		for i, e := range k.ListValue.GetValues() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, e)
		}
		return append(b, ']')
	case *structpb.Value_StructValue:
		b = append(b, '{')
		first := true
		for _, name := range sortedKeys(k.StructValue.GetFields()) {
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(appendString(b, name), ':')
			b = appendValue(b, k.StructValue.GetFields()[name])
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

func appendNumber(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	case f == math.Trunc(f) && math.Abs(f) < 1<<53:
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

func appendString(b []byte, s string) []byte {
	q, err := json.Marshal(s)
	if err != nil { // cannot happen for a string
		return append(b, `""`...)
	}
	return append(b, q...)
}

func sortedKeys(m map[string]*structpb.Value) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
