package editor

import "unicode/utf8"

// searching is the search through the history that Ctrl-R begins.
type searching struct {
	on     bool
	text   string
	at     int // the entry that is shown
	failed bool
	before snapshot
}

func (s *searching) prompt() string {
	if s.failed {
		return "not found '" + s.text + "': "
	}
	return "search '" + s.text + "': "
}

// searchKey does a key while searching. A key that ends the search and means something else is left to others.
func (e *Editor) searchKey(ev event) bool {
	s := &e.search
	from := len(e.history.list)
	switch ev.key {
	case text:
		s.text += string(ev.text)
		from = min(from, s.at+1)
	case backspace:
		_, n := utf8.DecodeLastRuneInString(s.text)
		s.text = s.text[:len(s.text)-n]
	case search:
		from = s.at
	case escape:
		e.history.rewind()
		e.buffer.set(s.before.text)
		e.buffer.cursor = s.before.cursor
		*s = searching{}
		return true
	default:
		*s = searching{}
		return false
	}
	if s.text == "" {
		return true
	}
	at := e.history.find(s.text, from)
	if s.failed = at < 0; !s.failed {
		s.at = at
		e.history.show(&e.buffer, at)
	}
	return true
}
