package editor

import (
	"bytes"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// buffer is the text being edited, with a cursor that stands between graphemes.
type buffer struct {
	text   []byte
	cursor int // in bytes
	column int // that Up and Down keep to, -1 if none
	killed []byte
	undone []snapshot
}

// snapshot is a state to go back to.
type snapshot struct {
	text   string
	cursor int
}

const (
	maxUndo     = 100
	maxUndoText = 64 << 10 // a larger text is not kept once per change
)

func (b *buffer) set(s string) {
	b.text = append(b.text[:0], s...)
	b.cursor, b.column = len(b.text), -1
}

func (b *buffer) keep() {
	if len(b.text) > maxUndoText {
		return
	}
	if len(b.undone) == maxUndo {
		b.undone = slices.Delete(b.undone, 0, 1)
	}
	b.undone = append(b.undone, snapshot{string(b.text), b.cursor})
}

func (b *buffer) undo() {
	if n := len(b.undone); n > 0 {
		b.set(b.undone[n-1].text)
		b.cursor = b.undone[n-1].cursor
		b.undone = b.undone[:n-1]
	}
}

func (b *buffer) insert(s []byte) {
	b.text = slices.Insert(b.text, b.cursor, s...)
	b.cursor += len(s)
	b.column = -1
}

func (b *buffer) delete(from, to int) {
	b.text = slices.Delete(b.text, from, to)
	b.cursor, b.column = from, -1
}

func (b *buffer) kill(from, to int) {
	if from < to {
		b.killed = bytes.Clone(b.text[from:to])
		b.delete(from, to)
	}
}

// line gives where the line at a place begins and ends.
func (b *buffer) line(at int) (from, to int) {
	from = bytes.LastIndexByte(b.text[:at], '\n') + 1
	if to = bytes.IndexByte(b.text[at:], '\n'); to < 0 {
		return from, len(b.text)
	}
	return from, at + to
}

func plain(c byte) bool { return c >= ' ' && c < 0x7f || c == '\n' || c == '\t' }

// before gives where the grapheme before a place begins.
func (b *buffer) before(at int) int {
	if at == 0 {
		return 0
	}
	// Between two plain characters a grapheme begins; from there on they are counted, else the whole text had to be.
	from := at - 1
	for from > max(0, at-maxCluster) && (!plain(b.text[from]) || !plain(b.text[from-1])) {
		from--
	}
	start := from
	for rest, state := b.text[from:at], -1; len(rest) > 0; {
		start = at - len(rest)
		_, rest, _, state = uniseg.FirstGraphemeCluster(rest, state)
	}
	return start
}

// after gives where the grapheme at a place ends.
func (b *buffer) after(at int) int {
	if at == len(b.text) {
		return at
	}
	cluster, _, _, _ := uniseg.FirstGraphemeCluster(b.text[at:min(len(b.text), at+maxCluster)], -1)
	return at + len(cluster)
}

// maxCluster bounds what is looked at for one grapheme.
const maxCluster = 1 << 10

func (b *buffer) wordBefore(at int) int {
	word := false
	for at > 0 {
		r, n := utf8.DecodeLastRune(b.text[:at])
		if inWord(r) {
			word = true
		} else if word {
			break
		}
		at -= n
	}
	return at
}

func (b *buffer) wordAfter(at int) int {
	word := false
	for at < len(b.text) {
		r, n := utf8.DecodeRune(b.text[at:])
		if inWord(r) {
			word = true
		} else if word {
			break
		}
		at += n
	}
	return at
}

func inWord(r rune) bool { return r == '_' || unicode.In(r, unicode.L, unicode.N, unicode.M) }

// vertical moves the cursor by lines, -1 or 1, and tells whether there was one.
func (b *buffer) vertical(by int) bool {
	from, to := b.line(b.cursor)
	if by < 0 && from == 0 || by > 0 && to == len(b.text) {
		return false
	}
	if b.column < 0 {
		b.column = textWidth(b.text[from:b.cursor])
	}
	target := from - 1
	if by > 0 {
		target = to + 1
	}
	from, to = b.line(target)
	at, w := from, 0
	for at < to {
		next := min(b.after(at), to)
		if w += textWidth(b.text[at:next]); w > b.column {
			break
		}
		at = next
	}
	b.cursor = at
	return true
}

// transpose swaps the graphemes around the cursor.
func (b *buffer) transpose() {
	at := b.cursor
	if _, to := b.line(at); at == to {
		at = b.before(at)
	}
	from, _ := b.line(at)
	if at == from {
		return
	}
	start, stop := b.before(at), b.after(at)
	swapped := append(bytes.Clone(b.text[at:stop]), b.text[start:at]...)
	copy(b.text[start:stop], swapped)
	b.cursor = stop
}
