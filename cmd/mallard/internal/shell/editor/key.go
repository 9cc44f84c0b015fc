package editor

import (
	"bytes"
	"unicode/utf8"
)

// key is what an event is about.
type key int

const (
	none    key = iota // nothing to do
	text               // the event's text was typed
	newline            // Enter, or a newline in a paste
	alone              // Alt-Enter: a newline that never ends the statement
	tab
	escape
	up
	down
	left
	right
	home
	end
	wordLeft
	wordRight
	first // of the history
	last
	backspace
	deleteNext
	deleteWordLeft
	deleteWordRight
	killLeft
	killRight
	yank
	transpose
	clearScreen
	search
	searchBack
	interrupt
	endOfFile
	undo
)

// event is a key, or a run of text.
type event struct {
	key  key
	text []byte // a part of what was decoded, valid until more is read
}

const (
	pasteStart = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
	// maxSequence is how long an escape sequence may be that we wait for.
	maxSequence = 4 << 10
)

// decoder turns a terminal's bytes into events.
type decoder struct {
	pasting bool // between the marks of a paste, where nothing is a key
	cr      bool // the last byte was a carriage return: a line feed behind it is the same newline
}

// controls are the keys of the bytes below a blank.
var controls = [' ']key{
	0x01: home, 0x02: left, 0x03: interrupt, 0x04: endOfFile, 0x05: end, 0x06: right, 0x07: escape, 0x08: backspace, '\t': tab, '\n': newline,
	0x0b: killRight, 0x0c: clearScreen, '\r': newline, 0x0e: down, 0x10: up, 0x12: search, 0x13: searchBack, 0x14: transpose, 0x15: killLeft,
	0x17: deleteWordLeft, 0x19: yank, 0x1f: undo,
}

// next decodes the first event of b and gives its length; 0 asks for more bytes, unless final says that none will come soon.
func (d *decoder) next(b []byte, final bool) (event, int) {
	c := b[0]
	if c == '\n' && d.cr {
		d.cr = false
		return event{}, 1
	}
	d.cr = c == '\r'
	switch {
	case d.pasting:
		return d.pasted(b, final)
	case c == '\t':
		return tabbed(b, final)
	case c == 0x1b:
		return d.escaped(b, final)
	case c < ' ':
		return event{key: controls[c]}, 1
	case c == 0x7f:
		return event{key: backspace}, 1
	}
	n := bytes.IndexFunc(b, func(r rune) bool { return r < ' ' || r == 0x7f })
	if n < 0 {
		n = whole(b, final)
	}
	if n == 0 {
		return event{}, 0
	}
	return event{text, b[:n]}, n
}

// tabbed tells the key from the character: what follows at once was not typed but pasted, without marks.
func tabbed(b []byte, final bool) (event, int) {
	rest := bytes.TrimLeft(b, "\t")
	switch {
	case len(rest) > 0 && rest[0] != 0x1b:
		return event{text, b[:1]}, 1
	case len(rest) == 0 && !final:
		return event{}, 0
	}
	return event{key: tab}, 1
}

// whole is how much of a text that goes on later can be used: not the first bytes of a character.
func whole(b []byte, final bool) int {
	for i := 1; i < utf8.UTFMax && i <= len(b) && !final; i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-i:]) {
				return len(b) - i
			}
			break
		}
	}
	return len(b)
}

// pasted decodes within a paste: all is text but for newlines and the mark of the end.
func (d *decoder) pasted(b []byte, final bool) (event, int) {
	switch {
	case b[0] == '\r' || b[0] == '\n':
		return event{key: newline}, 1
	case bytes.HasPrefix(b, []byte(pasteEnd)):
		d.pasting = false
		return event{}, len(pasteEnd)
	case b[0] == 0x1b && !final && len(b) < len(pasteEnd) && pasteEnd[:len(b)] == string(b):
		return event{}, 0
	}
	n := bytes.IndexAny(b[1:], "\r\n\x1b") + 1
	if n == 0 {
		n = whole(b, final)
	}
	if n == 0 {
		return event{}, 0
	}
	return event{text, b[:n]}, n
}

// escaped decodes what begins with Escape. What has no meaning is passed over, but never a letter.
func (d *decoder) escaped(b []byte, final bool) (event, int) {
	if len(b) == 1 {
		if final {
			return event{key: escape}, 1
		}
		return event{}, 0
	}
	switch b[1] {
	case '[':
		return d.sequence(b, final)
	case 'O':
		if len(b) > 2 && b[2] > ' ' && b[2] < 0x7f {
			return event{key: arrows[b[2]]}, 3
		}
		return event{}, unfinished(b, final)
	case ']', 'P', '_', '^':
		// The terminal answers a question that somebody asked.
		for i := 2; i < len(b) && i < maxSequence; i++ {
			if b[i] == 0x07 {
				return event{}, i + 1
			}
			if b[i] == '\\' && b[i-1] == 0x1b {
				return event{}, i + 1
			}
		}
		return event{}, unfinished(b, final)
	}
	if k, ok := metas[b[1]]; ok {
		return event{key: k}, 2
	}
	return event{key: escape}, 1
}

// unfinished is the length of a sequence that lacks its end: 0 to wait, or of the Escape alone when it will not come.
func unfinished(b []byte, final bool) int {
	if final || len(b) >= maxSequence {
		return 1
	}
	return 0
}

// metas are the keys with Alt.
var metas = map[byte]key{
	'b': wordLeft, 'B': wordLeft, 'f': wordRight, 'F': wordRight, 'd': deleteWordRight, 'D': deleteWordRight, 0x7f: deleteWordLeft,
	0x08: deleteWordLeft,
	'<':  first, '>': last, '\r': alone, '\n': alone,
}

// arrows are the keys of sequences by their last byte.
var arrows = map[byte]key{'A': up, 'B': down, 'C': right, 'D': left, 'H': home, 'F': end, 'M': newline}

// numbered are the keys of sequences of a number and a tilde.
var numbered = map[string]key{"1": home, "7": home, "4": end, "8": end, "3": deleteNext, "5": first, "6": last}

// sequence decodes ESC [ parameters final byte.
func (d *decoder) sequence(b []byte, final bool) (event, int) {
	i := 2
	for i < len(b) && b[i] >= 0x20 && b[i] < 0x40 {
		i++
	}
	if i == len(b) {
		return event{}, unfinished(b, final)
	}
	if b[i] < 0x40 || b[i] > 0x7e {
		return event{}, 1
	}
	args, n := string(b[2:i]), i+1
	code, modifier := args, ""
	if at := bytes.IndexByte(b[2:i], ';'); at >= 0 {
		code, modifier = args[:at], args[at+1:]
	}
	k := none
	switch {
	case string(b[:n]) == pasteStart:
		d.pasting = true
	case b[i] == '~':
		k = numbered[code]
	default:
		k = arrows[b[i]]
	}
	if modifier != "" {
		switch k {
		case left:
			k = wordLeft
		case right:
			k = wordRight
		case deleteNext:
			k = deleteWordRight
		}
	}
	return event{key: k}, n
}
