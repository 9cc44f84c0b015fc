package remote

import (
	"fmt"
	"math"
	"strings"
)

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "NULL"
	case string:
		return "a STRING"
	case int64:
		return "an INT64"
	case float64:
		return "a FLOAT64"
	case bool:
		return "a BOOL"
	case []any:
		return "an ARRAY"
	case []Option:
		return "a STRUCT"
	}
	return fmt.Sprintf("a %T", v)
}

func wantInt(v any, lo, hi int64) (int64, error) {
	n, ok := v.(int64)
	if f, isFloat := v.(float64); isFloat && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		n, ok = int64(f), true
	}
	if !ok {
		return 0, fmt.Errorf("is %s; it must be an INT64 in [%d, %d]", typeName(v), lo, hi)
	}
	if n < lo || n > hi {
		return 0, fmt.Errorf("is %d; it must be in [%d, %d]", n, lo, hi)
	}
	return n, nil
}

func wantFloat(v any, lo, hi float64) (float64, error) {
	f, ok := v.(float64)
	if n, isInt := v.(int64); isInt {
		f, ok = float64(n), true
	}
	if !ok {
		return 0, fmt.Errorf("is %s; it must be a FLOAT64 in [%v, %v]", typeName(v), lo, hi)
	}
	if !(f >= lo && f <= hi) {
		return 0, fmt.Errorf("is %v; it must be in [%v, %v]", f, lo, hi)
	}
	return f, nil
}

func wantBool(v any) (bool, error) {
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("is %s; it must be TRUE or FALSE", typeName(v))
	}
	return b, nil
}

func wantString(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("is %s; it must be a STRING", typeName(v))
	}
	return s, nil
}

func wantOneOf(v any, values ...string) (string, error) {
	s, err := wantString(v)
	if err != nil {
		return "", err
	}
	for _, w := range values {
		if strings.EqualFold(s, w) {
			return w, nil
		}
	}
	return "", fmt.Errorf("is '%s'; it must be one of %s", s, strings.Join(values, ", "))
}

func wantStrings(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("is %s; it must be an ARRAY<STRING>, such as ['a', 'b']", typeName(v))
	}
	out := make([]string, len(list))
	for i, e := range list {
		s, ok := e.(string)
		if !ok {
			return nil, fmt.Errorf("has %s in it; it must be an ARRAY<STRING>", typeName(e))
		}
		out[i] = s
	}
	return out, nil
}

// Option is one named argument of a call, of STRUCT(value AS name).
type Option struct {
	Name string
	// Value is nil, a string, an int64, a float64, a bool, a []any of these, or an []Option for a STRUCT.
	Value    any
	Pos, End int // bytes in the source
}
