package dialect

import "fmt"

// Parenthesize puts an expression from elsewhere into parentheses, to stand in a statement. A text that would not stay within them is an
// error: one with a semicolon, with brackets that do not match, or with a literal or comment that has no end. Whether it is an
// expression is for the statement's reader to say.
func Parenthesize(expression string, lang Lang) (string, error) {
	var open []byte
	blank := true
	for _, t := range lex(expression, 0, len(expression), lang) {
		if t.bad != "" {
			return "", fmt.Errorf("it has %s", t.bad)
		}
		blank = blank && (t.kind == kindSpace || t.kind == kindComment)
		if t.kind != kindPunct {
			continue
		}
		switch c := expression[t.Pos]; c {
		case ';':
			return "", fmt.Errorf("it has a semicolon, and must be one expression")
		case '(', '[', '{':
			open = append(open, c)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != openOf[c] {
				return "", fmt.Errorf("its %q has no bracket to close", c)
			}
			open = open[:len(open)-1]
		}
	}
	switch {
	case len(open) > 0:
		return "", fmt.Errorf("its %q is not closed", open[len(open)-1])
	case blank:
		return "", fmt.Errorf("it is empty")
	}
	return "(\n" + expression + "\n)", nil // a line comment may stand last
}

var openOf = map[byte]byte{')': '(', ']': '[', '}': '{'}
