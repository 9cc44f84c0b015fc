package jsonfn

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
)

// step is one part of a path: a key of an object or an index of an array.
type step struct {
	key   string
	index int // -1 for a key
}

// lastPath remembers the path read last: a query has one or two, and asks for them once per row.
var lastPath atomic.Pointer[parsedPath]

type parsedPath struct {
	text  string
	steps []step
}

// parsePath reads $, .key, ."key" and [n].
func parsePath(path string) ([]step, error) {
	if p := lastPath.Load(); p != nil && p.text == path {
		return p.steps, nil
	}
	steps, err := readPath(path)
	if err != nil {
		return nil, err
	}
	lastPath.Store(&parsedPath{path, steps})
	return steps, nil
}

func readPath(path string) ([]step, error) {
	bad := func(why string) ([]step, error) {
		return nil, fmt.Errorf("invalid JSONPath %q: %s", path, why)
	}
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		if strings.HasPrefix(strings.ToLower(path), "lax") {
			return bad("the lax modes are not supported")
		}
		return bad("it must start with $")
	}
	var steps []step
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, `."`):
			end := 2
			for end < len(rest) && rest[end] != '"' {
				if rest[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(rest) {
				return bad("a quoted key has no end")
			}
			key, ok := unquote(rest[2:end])
			if !ok {
				return bad("a quoted key has a wrong escape")
			}
			steps = append(steps, step{key, -1})
			rest = rest[end+1:]
		case rest[0] == '.':
			end := 1
			for end < len(rest) && rest[end] != '.' && rest[end] != '[' {
				end++
			}
			key := rest[1:end]
			switch {
			case key == "":
				return bad("a key is missing behind a dot")
			case key == "*":
				return bad("the operator * is not supported")
			case strings.ContainsAny(key, "\"'] \t\n\r"):
				return bad(fmt.Sprintf("the key %s needs double quotes", key))
			}
			steps = append(steps, step{key, -1})
			rest = rest[end:]
		case rest[0] == '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return bad("a bracket is not closed")
			}
			n, err := strconv.ParseUint(strings.TrimSpace(rest[1:end]), 10, 31)
			if err != nil {
				return bad(fmt.Sprintf("[%s] is not the index of an array", rest[1:end]))
			}
			steps = append(steps, step{index: int(n)})
			rest = rest[end+1:]
		default:
			return bad("a part must start with a dot or a bracket")
		}
	}
	return steps, nil
}
