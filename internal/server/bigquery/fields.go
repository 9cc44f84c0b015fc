package bigquery

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// mask is what fields= asks for: names with what is wanted inside them, nil for all of it
// (https://developers.google.com/workspace/drive/api/guides/fields-parameter).
type mask map[string]mask

const maskDepth = 20

// parseMask reads "a,b/c,items(d,e)".
func parseMask(s string) (mask, error) {
	m, rest, err := maskList(s, 0)
	if err == nil && rest != "" {
		err = errors.New("unbalanced parentheses")
	}
	if err != nil {
		return nil, invalid("Invalid field selection %.200s: %v", s, err)
	}
	return m, nil
}

func maskList(s string, depth int) (mask, string, error) {
	if depth > maskDepth {
		return nil, "", errors.New("too deep")
	}
	m := mask{}
	for {
		end := strings.IndexAny(s, ",/()")
		if end < 0 {
			end = len(s)
		}
		name := strings.TrimSpace(s[:end])
		if name == "" {
			return nil, "", errors.New("a name is missing")
		}
		s = s[end:]
		var inner mask
		var err error
		switch {
		case strings.HasPrefix(s, "/"):
			// The path's last part is one item of this list, whatever follows it.
			stop := pathEnd(s[1:])
			if inner, _, err = maskList(s[1:1+stop], depth+1); err != nil {
				return nil, "", err
			}
			s = s[1+stop:]
		case strings.HasPrefix(s, "("):
			if inner, s, err = maskList(s[1:], depth+1); err != nil {
				return nil, "", err
			}
			if !strings.HasPrefix(s, ")") {
				return nil, "", errors.New("unbalanced parentheses")
			}
			s = s[1:]
		}
		if have, ok := m[name]; ok && have != nil && inner != nil {
			for k, v := range inner {
				have[k] = v
			}
		} else if !ok || inner == nil {
			m[name] = inner
		}
		if !strings.HasPrefix(s, ",") {
			return m, s, nil
		}
		s = s[1:]
	}
}

// pathEnd is where an item of a list ends.
func pathEnd(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(s)
}

// apply gives what the mask wants of a JSON text. What is wanted whole is not looked into.
func (m mask) apply(text json.RawMessage) (json.RawMessage, error) {
	if m == nil {
		return text, nil
	}
	text = bytes.TrimSpace(text)
	if len(text) > 0 && text[0] == '[' {
		var items []json.RawMessage
		if err := json.Unmarshal(text, &items); err != nil {
			return nil, err
		}
		for i := range items {
			var err error
			if items[i], err = m.apply(items[i]); err != nil {
				return nil, err
			}
		}
		return json.Marshal(items)
	}
	if len(text) == 0 || text[0] != '{' {
		return text, nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, err
	}
	for k, v := range object {
		inner, ok := m[k]
		if !ok {
			if inner, ok = m["*"]; !ok {
				delete(object, k)
				continue
			}
		}
		var err error
		if object[k], err = inner.apply(v); err != nil {
			return nil, err
		}
	}
	return json.Marshal(object)
}
