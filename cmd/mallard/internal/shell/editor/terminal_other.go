//go:build !unix

package editor

import (
	"os"

	"golang.org/x/term"
)

// terminal is the mode of the console that is read.
type terminal struct {
	fd  int
	old *term.State
}

func openTerminal(f *os.File) (*terminal, error) {
	t := &terminal{fd: int(f.Fd())}
	var err error
	t.old, err = term.MakeRaw(t.fd)
	return t, err
}

func (t *terminal) enter() error { _, err := term.MakeRaw(t.fd); return err }
func (t *terminal) leave() error { return term.Restore(t.fd, t.old) }

func notifyChange(chan<- os.Signal) {}
