//go:build unix

package editor

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// canSuspend tells whether the terminal can be given away.
const canSuspend = true

// attention waits for the terminal, until somebody else is to read it. It keeps the numbers of the files, which may be closed meanwhile.
type attention struct {
	wake, woken *os.File
	files       [2]unix.PollFd // the terminal, if it is a file, and woken
}

func newAttention(terminal io.Reader) (*attention, error) {
	woken, wake, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	a := &attention{wake: wake, woken: woken, files: [2]unix.PollFd{{Fd: -1}, {Fd: int32(woken.Fd()), Events: unix.POLLIN}}}
	if f, ok := terminal.(*os.File); ok {
		a.files[0] = unix.PollFd{Fd: int32(f.Fd()), Events: unix.POLLIN}
	}
	return a, nil
}

func (a *attention) close() { _ = errors.Join(a.wake.Close(), a.woken.Close()) }

// call makes await return.
func (a *attention) call() { _, _ = a.wake.Write([]byte{0}) }

// await returns true when the terminal can be read, false when it was called.
func (a *attention) await() bool {
	if a.files[0].Fd < 0 {
		return true
	}
	for {
		_, err := unix.Poll(a.files[:], -1)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return true // reading tells
		case a.files[1].Revents != 0:
			_, _ = a.woken.Read(make([]byte, 1))
			return false
		}
		return true
	}
}
