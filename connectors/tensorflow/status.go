package tensorflow

import (
	"errors"
	"regexp"
	"strings"
)

// statusError shortens TensorFlow's message to its informative part.
func statusError(op string, code Code, full string) error {
	e := &Error{Op: op, Code: code, Full: full}
	e.Msg, e.Node = shorten(full)
	if e.Msg == "" {
		e.Msg = code.String()
	}
	return e
}

var (
	// {{node a/b}}, {{function_node __inference_x_12}}: where it failed, outermost first.
	placed = regexp.MustCompile(`\{\{(node|function_node) ([^}]*)\}\}`)
	// [[{{node x}}]] and [[a/b/_3]]: the node again, and the fetch that asked for it.
	traced = regexp.MustCompile(`\s*\[\[[^\n]*?\]\]`)
	// [Op:X name: y] is Python's own addition.
	opTag = regexp.MustCompile(`\s*\[Op:[^\]]*\]`)
)

// shorten drops the trace of an error and gives the node that failed.
func shorten(full string) (msg, node string) {
	for _, m := range placed.FindAllStringSubmatch(full, -1) {
		if m[1] == "node" {
			node = m[2] // the last is the innermost
		}
	}
	msg = full
	// Several failures: TensorFlow writes "2 root error(s) found." and numbers them; the first is enough.
	if _, rest, ok := strings.Cut(msg, "root error(s) found."); ok {
		if _, first, ok := strings.Cut(rest, "(0)"); ok {
			msg, _, _ = strings.Cut(first, "\n  (1)")
			if i := strings.Index(msg, ": "); i >= 0 && !strings.Contains(msg[:i], "{{") {
				msg = msg[i+2:] // the name of the code
			}
		}
	}
	if i := strings.Index(msg, "\n\nOriginal stack trace"); i >= 0 {
		msg = msg[:i]
	}
	if i := strings.Index(msg, " Make sure the Op and Kernel are registered"); i >= 0 {
		msg = msg[:i] // advice for who compiles TensorFlow; ours is in the hint
	}
	msg = traced.ReplaceAllString(msg, "")
	msg = placed.ReplaceAllString(msg, "")
	msg = opTag.ReplaceAllString(msg, "")
	if i := strings.Index(msg, "0 successful operations."); i >= 0 {
		msg = msg[:i]
	}
	return strings.Join(strings.Fields(msg), " "), strings.TrimSpace(node)
}

// withHint adds advice to an error of ours that has none.
func withHint(err error, hint string) error {
	if e, ok := errors.AsType[*Error](err); ok && e.Hint == "" {
		e.Hint = hint
	}
	return err
}
