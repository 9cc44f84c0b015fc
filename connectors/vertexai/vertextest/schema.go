package vertextest

import (
	"slices"
	"strconv"
	"strings"
)

// sample makes a value that fits a responseSchema, from the prompt's hash.
func sample(schema any, seed string, depth int) any {
	m, _ := schema.(map[string]any)
	if m == nil || depth > 16 {
		return map[string]any{"echo": seed}
	}
	if list, _ := m["enum"].([]any); len(list) > 0 {
		return list[hash(seed)%uint64(len(list))]
	}
	if list, _ := m["anyOf"].([]any); len(list) > 0 {
		return sample(list[0], seed, depth+1)
	}
	kind, _ := m["type"].(string)
	if list, _ := m["type"].([]any); len(list) > 0 { // JSON Schema: ["string", "null"]
		kind, _ = list[0].(string)
	}
	switch strings.ToUpper(kind) {
	case "STRING":
		return "text " + strconv.FormatUint(hash(seed)%1000, 10)
	case "INTEGER":
		return int64(hash(seed) % 1000)
	case "NUMBER":
		return float64(hash(seed)%1000) / 8
	case "BOOLEAN":
		return hash(seed)%2 == 1
	case "NULL":
		return nil
	case "ARRAY":
		return []any{sample(m["items"], seed+"/0", depth+1), sample(m["items"], seed+"/1", depth+1)}
	case "OBJECT", "":
		props, _ := m["properties"].(map[string]any)
		out := make(map[string]any, len(props))
		names := make([]string, 0, len(props))
		for k := range props {
			names = append(names, k)
		}
		slices.Sort(names)
		for _, k := range names {
			out[k] = sample(props[k], seed+"/"+k, depth+1)
		}
		return out
	}
	return nil
}
