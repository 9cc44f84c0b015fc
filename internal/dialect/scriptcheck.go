package dialect

import (
	"slices"
	"strings"
)

// Check looks at what of a statement of the procedural language is wrong before it runs: labels that are there twice or not at all,
// BREAK and CONTINUE outside of loops, and DECLARE behind other statements of a block. The words are Google's.
func (s *ScriptStatement) Check(src string) error {
	c := checker{src: src}
	c.statement(s)
	if c.err == nil {
		return nil
	}
	return c.err
}

// Walk calls f for a statement and all those inside it.
func (s *ScriptStatement) Walk(f func(*ScriptStatement)) {
	f(s)
	for _, list := range s.lists() {
		for _, inner := range list {
			inner.Walk(f)
		}
	}
}

// lists are the lists of statements inside a statement.
func (s *ScriptStatement) lists() [][]*ScriptStatement {
	all := [][]*ScriptStatement{s.Body, s.Else, s.Handler}
	for _, c := range s.Clauses {
		all = append(all, c.Body)
	}
	return all
}

type checker struct {
	src    string
	around []*ScriptStatement // blocks and loops, the innermost last
	err    *Error
}

func (c *checker) wrong(at Span, format string, args ...any) {
	if c.err == nil {
		c.err = errorf(at, format, args...)
	}
}

// keyword is the first word of a statement, as it is written.
func (c *checker) keyword(s *ScriptStatement) string {
	word, _, _ := strings.Cut(strings.Fields(c.src[s.Pos:s.End])[0], ";")
	return strings.ToUpper(word)
}

func (c *checker) statement(s *ScriptStatement) {
	switch {
	case s.Kind == Leave, s.Kind == Iterate:
		c.jump(s)
		return
	case s.Kind >= Loop && s.Kind <= Begin:
		if s.Label != "" && slices.ContainsFunc(c.around, func(o *ScriptStatement) bool { return strings.EqualFold(o.Label, s.Label) }) {
			c.wrong(Span{s.Pos, s.Pos + len(s.Label)}, "Label %s already exists", s.Label)
		}
		c.around = append(c.around, s)
		defer func() { c.around = c.around[:len(c.around)-1] }()
	}
	for _, list := range s.lists() {
		first := true
		for _, inner := range list {
			if inner.Kind != Declare {
				first = false
			} else if !first || s.Kind != Begin {
				c.wrong(inner.Span, "Variable declarations are allowed only at the start of a block or script")
			}
			c.statement(inner)
		}
	}
}

func (c *checker) jump(s *ScriptStatement) {
	loop := func(o *ScriptStatement) bool { return o.Kind != Begin }
	if len(s.Names) == 0 {
		switch inside := slices.ContainsFunc(c.around, loop); {
		case !inside && s.Kind == Leave:
			c.wrong(s.Span, "%s without label is only allowed inside of a loop body", c.keyword(s))
		case !inside:
			c.wrong(s.Span, "%s is only allowed inside of a loop body", c.keyword(s))
		}
		return
	}
	i := slices.IndexFunc(c.around, func(o *ScriptStatement) bool { return strings.EqualFold(o.Label, s.Names[0]) })
	switch {
	case i < 0:
		c.wrong(s.Span, "Label %s does not exist or is out of scope", s.Names[0])
	case s.Kind == Iterate && !loop(c.around[i]):
		c.wrong(s.Span, "%s with label must refer to a loop", c.keyword(s))
	}
}
