package shell

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// script cuts a stream into texts that end where a statement ends, and dot-commands. It holds one such text at a time.
type script struct {
	r    *bufio.Reader
	line int // lines read
}

func newScript(in io.Reader) *script { return &script{r: bufio.NewReaderSize(in, 64<<10)} }

// next gives the next text and the number of its first line; the last one comes with io.EOF.
func (s *script) next(complete func(string) bool) (text string, first int, err error) {
	var b strings.Builder
	for {
		l, err := s.r.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", 0, err
		}
		if l != "" {
			s.line++
		}
		if s.line == 1 {
			l = strings.TrimPrefix(l, "\ufeff")
			if strings.HasPrefix(l, "#!") {
				l = "\n"
			}
		}
		if b.Len() == 0 {
			if strings.TrimSpace(l) == "" && err == nil {
				continue
			}
			first = s.line
			if strings.HasPrefix(l, ".") {
				return l, first, err
			}
		}
		b.WriteString(l)
		if err != nil {
			return b.String(), first, err
		}
		if mayEnd([]byte(l)) && complete(b.String()) {
			return b.String(), first, nil
		}
	}
}

// mayEnd tells whether a statement may end with a line: behind a semicolon there are only blanks and comments, or a comment ends.
// Asking for the whole text after every line would take quadratic time, also where texts of many lines have semicolons in them.
func mayEnd(line []byte) bool {
	if bytes.Contains(line, []byte("*/")) {
		return true
	}
	for {
		i := bytes.IndexByte(line, ';')
		if i < 0 {
			return false
		}
		line = line[i+1:]
		rest := bytes.TrimSpace(line)
		if len(rest) == 0 || rest[0] == '#' || bytes.HasPrefix(rest, []byte("--")) || bytes.HasPrefix(rest, []byte("/*")) {
			return true
		}
	}
}
