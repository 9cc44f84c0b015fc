package dialect

import "strings"

// Completion tells whether a text is complete while it grows, as [complete] does for a whole text. It reads each line once, where
// asking anew at each line would take quadratic time. It is for one goroutine.
//
// At the end of a line a token is either over or open, and an open one goes on as if it had begun there. So what has to be kept of a
// text is how the statement stands by the rules of each dialect.
type Completion struct {
	lang    Lang
	read    Lang            // what the first line says, if it was seen
	begun   bool            // it was
	all     strings.Builder // whole lines
	tail    string          // what follows the last of them
	whole   bool            // the dialects disagree on where a statement ended, so that only the whole text can tell
	full    bool            // there was a statement
	duck    reading
	google  reading
	settled bool // google ended before duck did, which goes on
}

// NewCompletion starts an empty text.
func NewCompletion(lang Lang) *Completion {
	c := &Completion{lang: lang, read: lang}
	c.restart()
	return c
}

func (c *Completion) restart() {
	c.duck, c.google, c.settled = reading{sql: DuckDB}, reading{sql: GoogleSQL}, false
}

// Add appends to the text and reports whether all of it is complete.
func (c *Completion) Add(text string) bool {
	text = c.tail + text
	lines := strings.LastIndexByte(text, '\n') + 1
	c.tail = text[lines:]
	c.all.WriteString(text[:lines])
	c.lines(text[:lines])
	// What is no whole line yet is read on a copy.
	now := Completion{lang: c.lang, read: c.read, begun: c.begun, whole: c.whole, full: c.full, duck: c.duck, google: c.google,
		settled: c.settled}
	now.lines(c.tail)
	if now.whole {
		return complete(c.all.String()+c.tail, c.lang)
	}
	s := &now.duck
	if now.googles() {
		s = &now.google
	}
	return !s.open && !s.started && (now.full || now.read == now.lang) // a marker waits for its statement
}

// lines reads whole lines, or the last one.
func (c *Completion) lines(text string) {
	if !c.begun {
		if strings.TrimLeft(text, " \t\r\n") == "" {
			return
		}
		c.begun, c.read = true, marked(text, c.lang)
	}
	for text != "" && !c.whole {
		duck, google := 0, 0
		if c.read != DuckDB || c.lang == DuckDB {
			duck = c.duck.feed(text)
		}
		if c.read != DuckDB && !c.settled {
			google = c.google.feed(text)
		}
		if blocks[c.google.word] && c.googles() {
			c.whole = true // semicolons end no block
			return
		}
		s, next := &c.duck, duck
		if c.googles() {
			s, next = &c.google, google
		}
		switch {
		case c.settled && s == &c.google:
			c.whole = true // it had ended in a line before
		case s.ended && s == &c.google && c.undecided():
			c.whole = true
		case s.ended:
			c.full = c.full || s.started
			c.restart()
			text = text[next:]
		default:
			c.settled = c.google.ended
			return
		}
	}
}

// blocks begin statements of GoogleSQL that may hold others, with semicolons.
var blocks = map[string]bool{"IF": true, "CASE": true, "LOOP": true, "WHILE": true, "REPEAT": true, "FOR": true, "BEGIN": true}

// googles reports whether the statement, as far as it has come, is read by GoogleSQL's rules; see [scan].
func (c *Completion) googles() bool {
	d, g := &c.duck, &c.google
	switch c.read {
	case DuckDB:
		return false
	case GoogleSQL:
		return d.backtick || !engineCommands[d.word] || d.word == "SET" && !g.broken
	}
	return d.backtick || d.open && !d.ended && g.backtick && !g.broken
}

// undecided reports whether more text could still change which dialect the statement is of.
func (c *Completion) undecided() bool {
	return !c.duck.backtick && !c.duck.ended && (c.read == Auto || !c.duck.started)
}

// reading is how a statement stands by the rules of one dialect: what [cut] finds, as far as it matters here.
type reading struct {
	sql                    Lang
	started, ended         bool
	open, backtick, broken bool
	second                 bool   // there was more than its first token
	word                   string // its first, upper-case
	opener                 string // of the token that is open, as it would begin on a line of its own
}

// feed reads on and returns where the statement ended in the text.
func (r *reading) feed(text string) int {
	if r.ended {
		return 0
	}
	src := text
	if r.open {
		src = r.opener + "\n" + text
	}
	l := lexer{src: src, end: len(src), sql: r.sql}
	resumed := r.open
	r.open = false
	for t, ok := l.next(); ok; t, ok = l.next() {
		if t.bad != "" {
			if t.End == len(src) && t.kind != kindWord && t.kind != kindPunct && t.kind != kindParam {
				r.open, r.opener = true, l.opener(t)
			} else {
				r.broken = true
			}
		}
		again, first := resumed && t.Pos == 0, !r.started
		switch {
		case t.kind == kindSpace, t.kind == kindComment:
			continue
		case t.kind == kindPunct && src[t.Pos] == ';':
			r.ended = true
			return len(text) - (len(src) - t.End)
		case !r.started:
			r.started = true
			if t.kind == kindWord {
				r.word = strings.ToUpper(src[t.Pos:t.End])
			}
		case t.kind == kindPunct && !r.second && src[t.Pos] == ':':
			r.word = "BEGIN" // what has a label is a block
		case t.kind == kindWord && r.word == "CREATE" && strings.EqualFold(src[t.Pos:t.End], "PROCEDURE"):
			r.word = "BEGIN"
		}
		r.second = r.started && !first
		r.backtick = r.backtick || !again && src[t.Pos] == '`'
	}
	return len(text)
}

// opener is the beginning of a token that has no end.
func (l *lexer) opener(t token) string {
	text := l.src[t.Pos:t.End]
	switch {
	case t.kind == kindComment:
		return strings.Repeat("/*", l.depth)
	case text[0] == '$':
		return text[:strings.IndexByte(text[1:], '$')+2]
	}
	n := strings.IndexAny(text, "'\"`") + 1
	if mark := text[n-1 : n]; l.sql == GoogleSQL && mark != "`" && strings.HasPrefix(text[n:], mark+mark) {
		n += 2
	}
	return text[:n]
}
