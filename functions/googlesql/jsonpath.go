package googlesql

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/mallardml/mallard/internal/jsonfn"
)

// path is a JSONPath: keys, and numbers of elements.
type path struct {
	steps          []jsonfn.Step
	lax, recursive bool
}

// paths keeps what was read last, of which a statement has few.
var paths = newPathCache()

func newPathCache() *cache[*path] { return newCache[*path](1000) }

// readPath reads a JSONPath. legacy is the form of JSON_EXTRACT, whose keys that need quotes are ['…'] in place of ."…".
func readPath(text string, legacy bool) (*path, error) {
	key := "s" + text
	if legacy {
		key = "l" + text
	}
	return paths.get(key, func() (*path, error) { return parsePath(strings.Clone(text), legacy) })
}

func parsePath(text string, legacy bool) (*path, error) {
	p := &path{}
	rest := text
	if !legacy {
		words := strings.Fields(text)
		for len(words) > 1 && !strings.HasPrefix(rest, "$") {
			w := strings.ToLower(words[0])
			if w == "lax" && !p.lax {
				p.lax = true
			} else if w == "recursive" && !p.recursive {
				p.recursive = true
			} else {
				break
			}
			words = words[1:]
			rest = strings.TrimLeft(rest[len(w)+strings.Index(strings.ToLower(rest), w):], " ")
		}
		if p.recursive && !p.lax {
			return nil, errors.New("JSONPath has an invalid mode: `recursive` is only allowed with `lax`")
		}
	}
	if !strings.HasPrefix(rest, "$") {
		return nil, errors.New("JSONPath must start with '$'")
	}
	for rest = rest[1:]; rest != ""; {
		step, after, err := readStep(rest, legacy)
		if err != nil {
			return nil, err
		}
		if step != nil {
			p.steps = append(p.steps, *step)
		}
		rest = after
	}
	return p, nil
}

func readStep(rest string, legacy bool) (*jsonfn.Step, string, error) {
	invalid := func() (*jsonfn.Step, string, error) { // made when needed: the rest may be long, and is read step by step
		return nil, "", fmt.Errorf("Invalid token in JSONPath at: %s", rest)
	}
	for _, op := range []string{"..", ".*", "[*", ".@", "[@", "[("} {
		if strings.HasPrefix(rest, op) {
			return nil, "", fmt.Errorf("Unsupported operator in JSONPath: %s", strings.TrimLeft(op, "[")[min(1, strings.Count(op, ".")%2):])
		}
	}
	switch {
	case rest == "." && legacy:
		return nil, "", nil // as Google reads it
	case strings.HasPrefix(rest, `."`) && !legacy, strings.HasPrefix(rest, `['`) && legacy:
		quote, end := byte('"'), ""
		if legacy {
			quote, end = '\'', "]"
		}
		key, after, ok := quotedKey(rest[2:], quote)
		if !ok || !strings.HasPrefix(after, end) {
			return invalid()
		}
		return &jsonfn.Step{Key: key, Index: index(key)}, after[len(end):], nil
	case rest[0] == '.':
		end := 1
		for end < len(rest) && rest[end] != '.' && rest[end] != '[' && rest[end] != ']' && rest[end] != '"' && rest[end] != '\'' {
			end++
		}
		if end == 1 {
			return invalid()
		}
		key := rest[1:end]
		return &jsonfn.Step{Key: key, Index: index(key)}, rest[end:], nil
	case rest[0] == '[':
		inner, after, ok := strings.Cut(rest[1:], "]")
		inner = strings.TrimFunc(inner, unicode.IsSpace)
		if _, err := strconv.ParseInt(inner, 10, 64); !ok || err != nil {
			return invalid()
		}
		return &jsonfn.Step{Key: inner, Index: index(inner), Subscript: true}, after, nil
	}
	return invalid()
}

// index gives the number that a key is; -1 when it is none.
func index(key string) int {
	n, err := strconv.ParseUint(key, 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}

func quotedKey(s string, quote byte) (key, after string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == quote || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case s[i] == quote:
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// child gives the part of a value that a step means.
func child(v any, s jsonfn.Step) (any, bool) {
	switch x := v.(type) {
	case object:
		e, ok := x[s.Key]
		return e, ok
	case *array:
		if s.Index >= 0 && s.Index < len(x.elements) {
			return x.elements[s.Index], true
		}
	}
	return nil, false
}

// get gives what a path means; ok is false when there is none.
func (p *path) get(v any) (found any, ok bool) {
	if p.lax {
		all := &array{elements: []any{}}
		p.laxly(v, p.steps, &all.elements)
		return all, true
	}
	for _, s := range p.steps {
		if v, ok = child(v, s); !ok {
			return nil, false
		}
	}
	return v, true
}

// laxly collects what the steps lead to: a key goes into the elements of an array, and a value that is no array has itself as
// its element 0.
func (p *path) laxly(v any, steps []jsonfn.Step, found *[]any) {
	if len(steps) == 0 {
		*found = append(*found, v)
		return
	}
	list, isList := v.(*array)
	byKey := steps[0].Index < 0
	switch {
	case byKey && isList:
		for _, e := range list.elements {
			if _, nested := e.(*array); !nested || p.recursive {
				p.laxly(e, steps, found)
			}
		}
	case !byKey && !isList:
		if steps[0].Index == 0 {
			p.laxly(v, steps[1:], found)
		}
	default:
		if c, ok := child(v, steps[0]); ok {
			p.laxly(c, steps[1:], found)
		}
	}
}
