package isolated

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lane is one way to a worker, or to the process that started it: a socket for calls, and memory that both see. One call is on it at a
// time.
type lane struct {
	socket *os.File
	memory *os.File
	mem    []byte
	past   [][]byte // earlier views of memory, which tensors of this call may lie in
	in     *bufio.Reader
}

func newLane(socket, memory *os.File) *lane {
	return &lane{socket: socket, memory: memory, in: bufio.NewReaderSize(socket, 4+maxAnswer)}
}

// lanePair makes a lane, and the two files of its other end.
func lanePair() (_ *lane, other []*os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket for the process of the engine: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "socket of an engine"), os.NewFile(uintptr(fds[1]), "socket of an engine")
	fd, err := unix.MemfdCreate("mallard", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make memory for the process of the engine: %w", err), ours.Close(), theirs.Close())
	}
	memory := os.NewFile(uintptr(fd), "memory of an engine")
	// What cannot shrink cannot fault: the worker, in whatever state, has the same rights to it as we have.
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("seal memory for the process of the engine: %w", err),
			ours.Close(), theirs.Close(), memory.Close())
	}
	return newLane(ours, memory), []*os.File{theirs, memory}, nil
}

// reach maps the memory up to a size, and makes it larger where grow says so.
func (l *lane) reach(size int, grow bool) error {
	if size <= len(l.mem) {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(l.memory.Fd()), &st); err != nil {
		return err
	}
	if int64(size) > st.Size {
		if !grow {
			return errForeign
		}
		const step = 1 << 20
		st.Size = (int64(size) + int64(size)/4 + step) &^ (step - 1)
		if err := unix.Ftruncate(int(l.memory.Fd()), st.Size); err != nil {
			return fmt.Errorf("memory shared with the process of the engine: %w", err)
		}
	}
	mem, err := unix.Mmap(int(l.memory.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("memory shared with the process of the engine: %w", err)
	}
	if l.mem != nil {
		l.past = append(l.past, l.mem)
	}
	l.mem = mem
	return nil
}

// kept is what a lane keeps of its memory between calls.
const kept = 16 << 20

// trim ends a call: it gives back what only a large one needs.
func (l *lane) trim() {
	l.trimViews()
	if len(l.mem) > kept {
		_ = unix.Fallocate(int(l.memory.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, kept, int64(len(l.mem)-kept))
	}
}

// send writes one message. A signal of the broken pipe would end a host that is not Go's.
func (l *lane) send(message []byte) error {
	b := append(binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(message)), uint32(len(message))), message...)
	raw, err := l.socket.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		for len(b) > 0 {
			n, err := unix.SendmsgN(int(fd), b, nil, nil, unix.MSG_NOSIGNAL)
			switch {
			case errors.Is(err, unix.EINTR):
			case errors.Is(err, unix.EAGAIN):
				return false
			case err != nil:
				failed = err
				return true
			default:
				b = b[n:]
			}
		}
		return true
	})
	return errors.Join(err, failed)
}

// answer reads one message of a worker; it is valid until the next. One that the deadline cut can be read again from its start.
func (l *lane) answer() ([]byte, error) {
	head, err := l.in.Peek(4)
	if err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(head)
	if size > maxAnswer {
		return nil, errForeign
	}
	b, err := l.in.Peek(4 + int(size))
	if err != nil {
		return nil, err
	}
	own := append([]byte(nil), b[4:]...)
	_, err = l.in.Discard(len(b))
	return own, err
}

// answerWithin is answer until the context ends: then it is [os.ErrDeadlineExceeded], and the answer is still to be read.
func (l *lane) answerWithin(ctx context.Context) ([]byte, error) {
	if ctx.Done() == nil {
		return l.answer()
	}
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(over)
		_ = l.socket.SetReadDeadline(time.Unix(1, 0)) // a socket that is closed fails at the read
	})
	b, err := l.answer()
	if !stop() {
		<-over
		_ = l.socket.SetReadDeadline(time.Time{})
	}
	return b, err
}

// request reads one message of the process that started the worker, which is trusted.
func (l *lane) request() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(l.in, head[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.LittleEndian.Uint32(head[:]))
	_, err := io.ReadFull(l.in, b)
	return b, err
}

// trimViews gives back earlier views of the memory.
func (l *lane) trimViews() {
	for _, m := range l.past {
		_ = unix.Munmap(m) // it is ours, and whole
	}
	l.past = nil
}

func (l *lane) close() error {
	l.trim()
	var err error
	if l.mem != nil {
		err = unix.Munmap(l.mem)
		l.mem = nil
	}
	return errors.Join(err, l.socket.Close(), l.memory.Close())
}
