package shell

import (
	"bufio"
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
func (s *script) next(start func() Completion) (text string, first int, err error) {
	var b strings.Builder
	var c Completion
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
			c = start()
		}
		b.WriteString(l)
		if err != nil {
			return b.String(), first, err
		}
		if c.Add(l) {
			return b.String(), first, nil
		}
	}
}
