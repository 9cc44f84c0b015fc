package googlesql

import (
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode/utf8"
)

// regexps are the functions of regular expressions, which are RE2's as Go's are. Those of BYTES match bytes: each is a
// character of Latin-1.
var regexps = map[string]definition{
	"regexp_contains": perStatement(func() definition {
		var c expressions
		return binary(func(s, pattern string) (bool, error) { return c.contains(s, pattern) })
	}),
	"regexp_contains_bytes": perStatement(func() definition {
		var c expressions
		return binary(func(b, pattern []byte) (bool, error) { return c.contains(latin1(b), latin1(pattern)) })
	}),
	"regexp_extract": perStatement(func() definition {
		var c expressions
		return quaternary(func(s, pattern string, pos, nth int64) (sql.Null[string], error) {
			return c.extract(s, pattern, pos, nth)
		})
	}),
	"regexp_extract_bytes": perStatement(func() definition {
		var c expressions
		return quaternary(func(b, pattern []byte, pos, nth int64) (sql.Null[[]byte], error) {
			s, err := c.extract(latin1(b), latin1(pattern), pos, nth)
			return sql.Null[[]byte]{V: fromLatin1(s.V), Valid: s.Valid}, err
		})
	}),
	"regexp_extract_all": perStatement(func() definition {
		var c expressions
		return binary(func(s, pattern string) ([]string, error) { return c.extractAll(s, pattern) })
	}),
	"regexp_extract_all_bytes": perStatement(func() definition {
		var c expressions
		return binary(func(b, pattern []byte) ([][]byte, error) {
			all, err := c.extractAll(latin1(b), latin1(pattern))
			out := make([][]byte, len(all))
			for i, s := range all {
				out[i] = fromLatin1(s)
			}
			return out, err
		})
	}),
	"regexp_instr": perStatement(func() definition {
		var c expressions
		return quinary(func(s, pattern string, pos, nth, after int64) (int64, error) {
			return c.instr(s, pattern, pos, nth, after)
		})
	}),
	"regexp_instr_bytes": perStatement(func() definition {
		var c expressions
		return quinary(func(b, pattern []byte, pos, nth, after int64) (int64, error) {
			return c.instr(latin1(b), latin1(pattern), pos, nth, after)
		})
	}),
	"regexp_replace": perStatement(func() definition {
		var c expressions
		return ternary(func(s, pattern, by string) (string, error) { return c.replace(s, pattern, by) })
	}),
	"regexp_replace_bytes": perStatement(func() definition {
		var c expressions
		return ternary(func(b, pattern, by []byte) ([]byte, error) {
			s, err := c.replace(latin1(b), latin1(pattern), latin1(by))
			return fromLatin1(s), err
		})
	}),
}

// latin1 makes a character of each byte.
func latin1(b []byte) string {
	if isASCII(string(b)) {
		return string(b)
	}
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = rune(c)
	}
	return string(out)
}

func fromLatin1(s string) []byte {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		out = append(out, byte(r))
	}
	return out
}

// expressions keeps the expressions of a statement, compiled. Its zero value is empty.
type expressions struct {
	mu  sync.Mutex
	all map[string]*expression
}

// maxExpressions bounds how many are kept: a statement may have one for each row.
const maxExpressions = 256

type expression struct {
	*regexp.Regexp
	// context tells that the expression looks at what stands before a place, as \b does: then later finds it behind one
	// character that may be anything.
	context bool
	later   *regexp.Regexp
	// rewrites keeps the texts of REGEXP_REPLACE that were found to be right.
	rewrites sync.Map
}

func (c *expressions) compile(pattern string) (*expression, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.all[pattern]; e != nil {
		return e, nil
	}
	pattern = strings.Clone(pattern)
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, expressionError(err)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, expressionError(err)
	}
	e := &expression{Regexp: re, context: looksBack(tree)}
	if e.context {
		if e.later, err = regexp.Compile(`\A(?s:.)(?s:.*?)(?:` + pattern + `)`); err == nil {
			e.later, err = regexp.Compile(`\A(?s:.)(?s:.*?)(` + pattern + `)`)
		}
		if err != nil {
			return nil, expressionError(err)
		}
	}
	if c.all == nil || len(c.all) >= maxExpressions {
		c.all = map[string]*expression{}
	}
	c.all[pattern] = e
	return e, nil
}

// looksBack reports whether the place of a match hangs on what stands before it.
func looksBack(t *syntax.Regexp) bool {
	switch t.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	for _, s := range t.Sub {
		if looksBack(s) {
			return true
		}
	}
	return false
}

// expressionWords are RE2's words for what Go finds wrong.
var expressionWords = map[syntax.ErrorCode]string{
	syntax.ErrInvalidNamedCapture:   "invalid named capture group",
	syntax.ErrInvalidPerlOp:         "invalid perl operator",
	syntax.ErrInvalidRepeatOp:       "bad repetition operator",
	syntax.ErrInvalidRepeatSize:     "invalid repetition size",
	syntax.ErrMissingBracket:        "missing ]",
	syntax.ErrMissingParen:          "missing )",
	syntax.ErrMissingRepeatArgument: "no argument for repetition operator",
	syntax.ErrTrailingBackslash:     `trailing \`,
	syntax.ErrUnexpectedParen:       "unexpected )",
}

func expressionError(err error) error {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("Cannot parse regular expression: %w", err)
	}
	words, ok := expressionWords[e.Code]
	if !ok {
		words = string(e.Code)
	}
	if e.Expr == "" || e.Code == syntax.ErrTrailingBackslash {
		return fmt.Errorf("Cannot parse regular expression: %s", words)
	}
	return fmt.Errorf("Cannot parse regular expression: %s: %s", words, e.Expr)
}

// find gives the first match at or behind byte at of a text, as FindStringSubmatchIndex does.
func (e *expression) find(s string, at int) []int {
	if at == 0 {
		return e.FindStringSubmatchIndex(s)
	}
	if !e.context {
		return moved(e.FindStringSubmatchIndex(s[at:]), at)
	}
	_, n := utf8.DecodeLastRuneInString(s[:at])
	m := e.later.FindStringSubmatchIndex(s[at-n:])
	if m == nil {
		return nil
	}
	return moved(m[2:], at-n)
}

func moved(m []int, by int) []int {
	for i := range m {
		if m[i] >= 0 {
			m[i] += by
		}
	}
	return m
}

// each calls f with the matches of a text, until it reports false, and with the place behind each from which the next one is
// sought: one character on for a match that is empty. No match is sought from the end of a text on, but of an empty one.
func (e *expression) each(s string, f func(m []int, after int) bool) {
	for at := 0; at < len(s) || at == 0; {
		m := e.find(s, at)
		if m == nil {
			return
		}
		if at = m[1]; m[0] == m[1] {
			_, n := utf8.DecodeRuneInString(s[at:])
			at += n
		}
		if !f(m, at) || s == "" {
			return
		}
	}
}

func (c *expressions) contains(s, pattern string) (bool, error) {
	e, err := c.compile(pattern)
	return err == nil && e.MatchString(s), err
}

// extracting compiles an expression of which a function gives the group, or the match.
func (c *expressions) extracting(pattern string) (*expression, error) {
	e, err := c.compile(pattern)
	if err == nil && e.NumSubexp() > 1 {
		err = errors.New("Regular expressions passed into extraction functions must not have more than 1 capturing group")
	}
	return e, err
}

// occurrence is a match in what follows from a position of a text on; found is nil when there is none.
type occurrence struct {
	found []int // whole, then its group, if there is one
	after int   // where the next match is sought
	rest  string
}

// nth gives an occurrence of an expression.
func (c *expressions) nth(s, pattern string, pos, nth int64) (o occurrence, err error) {
	switch {
	case pos <= 0:
		return o, errors.New("Position must be positive")
	case nth <= 0:
		return o, errors.New("Occurrence must be positive")
	}
	e, err := c.extracting(pattern)
	if err != nil {
		return o, err
	}
	o.rest = skip(s, pos-1)
	if o.rest == "" && pos > 1 {
		return o, nil
	}
	e.each(o.rest, func(m []int, after int) bool {
		if nth--; nth == 0 {
			o.found, o.after = m, after
		}
		return nth > 0
	})
	return o, nil
}

func (c *expressions) extract(s, pattern string, pos, nth int64) (sql.Null[string], error) {
	o, err := c.nth(s, pattern, pos, nth)
	if err != nil || o.found == nil {
		return sql.Null[string]{}, err
	}
	m := o.found[len(o.found)-2:]
	if m[0] < 0 {
		return sql.Null[string]{}, nil
	}
	return some(o.rest[m[0]:m[1]]), nil
}

func (c *expressions) extractAll(s, pattern string) ([]string, error) {
	e, err := c.extracting(pattern)
	if err != nil {
		return nil, err
	}
	all := []string{}
	e.each(s, func(m []int, _ int) bool {
		m = m[2*e.NumSubexp():]
		all = append(all, s[max(m[0], 0):max(m[1], 0)])
		return true
	})
	return all, nil
}

// instr gives the place of the group, or of the match. An empty match has the place of the character behind it, as Google has it.
func (c *expressions) instr(s, pattern string, pos, nth, after int64) (int64, error) {
	if after != 0 && after != 1 {
		return 0, errors.New("Invalid return_position_after_match.")
	}
	o, err := c.nth(s, pattern, pos, nth)
	if err != nil || o.found == nil || s == "" || pattern == "" {
		return 0, err
	}
	m := []int{o.after - (o.found[1] - o.found[0]), o.after}
	if len(o.found) > 2 {
		m = o.found[2:]
	}
	if m[0] < 0 {
		return 0, nil
	}
	return pos + count(o.rest[:m[after]]), nil
}

// maxReplaced bounds what REGEXP_REPLACE gives, which is as long as the product of its arguments: no row of BigQuery's is larger.
const maxReplaced = 100 << 20

var errReplaced = errors.New("Output of REGEXP_REPLACE exceeds 100MB, the size of the largest row")

func (c *expressions) replace(s, pattern, by string) (string, error) {
	e, err := c.compile(pattern)
	if err != nil {
		return "", err
	}
	if err := e.checkRewrite(by); err != nil {
		return "", err
	}
	var b strings.Builder
	at := 0
	for _, m := range e.FindAllStringSubmatchIndex(s, -1) {
		b.WriteString(s[at:m[0]])
		at = m[1]
		for rest := by; ; {
			plain, escape, more := strings.Cut(rest, `\`)
			if b.WriteString(plain); b.Len() > maxReplaced {
				return "", errReplaced
			}
			if !more {
				break
			}
			if escape[0] == '\\' {
				b.WriteByte('\\')
			} else if g := m[2*(escape[0]-'0'):]; g[0] >= 0 {
				b.WriteString(s[g[0]:g[1]])
			}
			rest = escape[1:]
		}
	}
	b.WriteString(s[at:])
	return b.String(), nil
}

func (e *expression) checkRewrite(by string) error {
	if _, ok := e.rewrites.Load(by); ok || strings.IndexByte(by, '\\') < 0 {
		return nil
	}
	const subject = "Invalid REGEXP_REPLACE pattern: "
	most := 0
	for i := 0; i < len(by); i++ {
		if by[i] != '\\' {
			continue
		}
		switch i++; {
		case i == len(by):
			return errors.New(subject + `Rewrite schema error: '\' not allowed at end.`)
		case by[i] == '\\':
		case by[i] < '0' || by[i] > '9':
			return errors.New(subject + `Rewrite schema error: '\' must be followed by a digit or '\'.`)
		default:
			most = max(most, int(by[i]-'0'))
		}
	}
	if n := e.NumSubexp(); most > n {
		return fmt.Errorf(subject+"Rewrite schema requests %d matches, but the regexp only has %d parenthesized subexpressions.", most, n)
	}
	e.rewrites.Store(strings.Clone(by), true)
	return nil
}
