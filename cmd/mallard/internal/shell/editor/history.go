package editor

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"
)

const (
	maxHistory = 10_000
	// maxKept is the longest text that goes into the file: a paste of a megabyte is no line to come back to.
	maxKept = 64 << 10
)

// history is what was typed, the newest last.
type history struct {
	list []string
	file string // empty: it is kept in memory
	at   int    // which is shown; len(list) is the text being typed
	// typed is that text, and what was changed in entries, until one of them is entered.
	typed map[int]string
}

// entry is a line of the file.
type entry struct {
	Time time.Time `json:"datetime"`
	Text string    `json:"block"`
}

// load reads the file; a line that is none of ours is passed over. A file that has grown long is cut.
func (h *history) load(file string) error {
	b, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	h.file = file
	lines := bytes.SplitAfter(b, []byte("\n"))
	if len(lines) > 2*maxHistory {
		lines = lines[len(lines)-maxHistory:]
		if err := replaceFile(file, bytes.Join(lines, nil)); err != nil {
			return err
		}
	}
	for _, l := range lines {
		var e entry
		if json.Unmarshal(l, &e) == nil && e.Text != "" {
			h.list = append(h.list, e.Text)
		}
	}
	h.list = h.list[max(0, len(h.list)-maxHistory):]
	return nil
}

func replaceFile(file string, b []byte) error {
	if err := os.WriteFile(file+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// add keeps a text; the same one twice in a row is kept once. A file that cannot be written costs the entry, not the statement.
func (h *history) add(s string) {
	if s = strings.TrimSpace(s); s != "" && (len(h.list) == 0 || h.list[len(h.list)-1] != s) {
		h.list = append(h.list, s)
		h.write(s)
	}
	h.rewind()
}

// rewind goes back to a new text.
func (h *history) rewind() { h.at, h.typed = len(h.list), map[int]string{} }

func (h *history) write(s string) {
	if h.file == "" || len(s) > maxKept {
		return
	}
	b, err := json.Marshal(entry{time.Now(), s})
	if err != nil {
		return
	}
	f, err := os.OpenFile(h.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = f.Write(append(b, '\n'))
	_ = f.Close()
}

// show puts another entry into the buffer.
func (h *history) show(b *buffer, at int) bool {
	if at < 0 || at > len(h.list) || at == h.at {
		return false
	}
	h.typed[h.at] = string(b.text)
	h.at = at
	if s, ok := h.typed[at]; ok {
		b.set(s)
	} else {
		b.set(h.list[at])
	}
	return true
}

// find gives the newest entry before from that has the text, whatever its case; -1 if there is none.
func (h *history) find(text string, from int) int {
	text = strings.ToLower(text)
	for i := min(from, len(h.list)) - 1; i >= 0; i-- {
		if strings.Contains(strings.ToLower(h.list[i]), text) {
			return i
		}
	}
	return -1
}
