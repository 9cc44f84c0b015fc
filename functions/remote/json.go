package remote

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// object reads one JSON object, with numbers as written.
func object(b []byte) (map[string]any, error) {
	var v map[string]any
	if err := decode(b, &v); err != nil {
		return nil, err
	}
	if v == nil {
		return nil, errors.New("it is null")
	}
	return v, nil
}

// decode reads one JSON value and nothing after it.
func decode(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the value")
	}
	return nil
}

// finite quotes the bare NaN and infinities that Python servers write, which JSON does not know. The second result is
// false when there are none.
func finite(b []byte) ([]byte, bool) {
	if !bytes.Contains(b, []byte("NaN")) && !bytes.Contains(b, []byte("Infinity")) {
		return b, false
	}
	out := make([]byte, 0, len(b)+16)
	found := false
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == '"':
			j := i + 1
			for j < len(b) && b[j] != '"' {
				if b[j] == '\\' {
					j++
				}
				j++
			}
			j = min(j+1, len(b))
			out = append(out, b[i:j]...)
			i = j
		case c == 'N' || c == 'I' || c == '-':
			word := ""
			for _, w := range []string{"NaN", "-NaN", "Infinity", "-Infinity"} {
				if bytes.HasPrefix(b[i:], []byte(w)) {
					word = w
				}
			}
			if word == "" {
				out = append(out, c)
				i++
				continue
			}
			found = true
			out = append(out, '"')
			out = append(out, strings.TrimPrefix(word, "-N")...)
			if word == "-NaN" {
				out = append(out[:len(out)-len("aN")], "NaN"...)
			}
			out = append(out, '"')
			i += len(word)
		default:
			out = append(out, c)
			i++
		}
	}
	return out, found
}

// lenient is json.Unmarshal for what servers really send.
func lenient(b []byte, v any) error {
	err := json.Unmarshal(b, v)
	if err == nil {
		return nil
	}
	if fixed, changed := finite(b); changed && json.Unmarshal(fixed, v) == nil {
		return nil
	}
	return err
}

// camelKeys turns the snake-case keys of a request into the camel case of the API. Names that are the user's own, below
// labels and schemas, stay.
func camelKeys(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			name := camel(k)
			switch name {
			case "labels", "responseSchema", "responseJsonSchema", "parameters", "parametersJsonSchema", "args", "properties":
				out[name] = e
			default:
				out[name] = camelKeys(e)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = camelKeys(e)
		}
		return out
	}
	return v
}

func camel(s string) string {
	parts := strings.Split(s, "_")
	for i, p := range parts[1:] {
		if p != "" {
			parts[i+1] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}

// compact gives the JSON text without blanks, for keys that must be equal for equal values.
func compact(raw json.RawMessage) (string, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return "", fmt.Errorf("the answer is not JSON: %w", err)
	}
	return b.String(), nil
}

// marshal is json.Marshal without the escapes for HTML, which would only make requests longer.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// given is raw unless it is missing or null.
func given(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	s, err := compact(raw)
	if err != nil {
		return nil
	}
	return json.RawMessage(s)
}

// member finds a field, in any case if not in its own.
func member(m map[string]json.RawMessage, name string) json.RawMessage {
	if v, ok := m[name]; ok {
		return v
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if strings.EqualFold(k, name) {
			return m[k]
		}
	}
	return nil
}

// listed names the fields of an object, for messages.
func listed(fields map[string]json.RawMessage) string {
	names := make([]string, 0, len(fields))
	for k := range fields {
		names = append(names, clip(k, 30))
	}
	slices.Sort(names)
	if len(names) == 0 {
		return "none"
	}
	return clip(strings.Join(names, ", "), 200)
}

// tidyStatistics writes token_count as an integer: protobuf's JSON makes it 4.0 on some ways.
func tidyStatistics(raw json.RawMessage) json.RawMessage {
	var st struct {
		Truncated *bool    `json:"truncated"`
		Tokens    *float64 `json:"token_count"`
	}
	if json.Unmarshal(raw, &st) != nil || st.Tokens == nil || st.Truncated == nil || *st.Tokens != float64(int64(*st.Tokens)) {
		return raw
	}
	return fmt.Appendf(nil, `{"token_count":%d,"truncated":%t}`, int64(*st.Tokens), *st.Truncated)
}
