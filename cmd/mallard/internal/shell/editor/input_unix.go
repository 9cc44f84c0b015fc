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

// attention waits for the terminal, until somebody else is to read it.
type attention struct{ wake, woken *os.File }

func newAttention() (*attention, error) {
	r, w, err := os.Pipe()
	return &attention{wake: w, woken: r}, err
}

// call makes await return.
func (a *attention) call() { _, _ = a.wake.Write([]byte{0}) }

// await returns true when f can be read, false when it was called.
func (a *attention) await(f io.Reader) bool {
	file, ok := f.(*os.File)
	if !ok {
		return true
	}
	fds := []unix.PollFd{{Fd: int32(file.Fd()), Events: unix.POLLIN}, {Fd: int32(a.woken.Fd()), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return true // reading tells
		case fds[1].Revents != 0:
			_, _ = a.woken.Read(make([]byte, 1))
			return false
		}
		return true
	}
}
