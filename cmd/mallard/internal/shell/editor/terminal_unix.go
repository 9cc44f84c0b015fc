//go:build unix

package editor

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// terminal is the line discipline of the terminal that is read.
type terminal struct {
	fd       int
	old, raw unix.Termios
}

// openTerminal takes the lines apart: bytes come as they are typed, none is echoed, Ctrl-C is a byte. Output is left alone, so
// that a newline that anybody prints begins a line. Nothing that waits in the kernel is dropped.
func openTerminal(f *os.File) (*terminal, error) {
	t := &terminal{fd: int(f.Fd())}
	old, err := unix.IoctlGetTermios(t.fd, getTermios)
	if err != nil {
		return nil, err
	}
	t.old, t.raw = *old, *old
	t.raw.Iflag &^= unix.BRKINT | unix.ICRNL | unix.INLCR | unix.IGNCR | unix.INPCK | unix.ISTRIP | unix.IXON
	t.raw.Lflag &^= unix.ECHO | unix.ICANON | unix.IEXTEN
	t.raw.Lflag |= unix.ISIG | unix.NOFLSH // for Ctrl-Z
	t.raw.Cc[unix.VINTR], t.raw.Cc[unix.VQUIT] = disabled, disabled
	t.raw.Cc[unix.VMIN], t.raw.Cc[unix.VTIME] = 1, 0
	return t, t.enter()
}

func (t *terminal) enter() error { return unix.IoctlSetTermios(t.fd, setTermios, &t.raw) }
func (t *terminal) leave() error { return unix.IoctlSetTermios(t.fd, setTermios, &t.old) }

// notifyChange tells of a terminal of another size, or that the shell goes on after Ctrl-Z.
func notifyChange(c chan<- os.Signal) { signal.Notify(c, unix.SIGWINCH, unix.SIGCONT) }
