package isolated

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/engine"
)

// Serve is the worker where this process was started as one: it does not return then. Else it does nothing.
func Serve(kinds func(config []byte) (engine.Kinds, error)) {
	if len(os.Args) != 3 || os.Args[1] != Argument || os.Getenv(Environment) == "" {
		return
	}
	n, err := strconv.Atoi(os.Args[2])
	if err != nil || n < 1 {
		fmt.Fprintf(os.Stderr, "%s: %q is no number of lanes\n", Argument, os.Args[2])
		os.Exit(2)
	}
	signal.Ignore(os.Interrupt)
	// What is in memory is the user's rows: no file of it is left behind.
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	s := &server{make: kinds, models: map[uint32]served{}}
	for i := range n {
		socket, memory := 3+2*i, 4+2*i
		syscall.CloseOnExec(socket)
		syscall.CloseOnExec(memory)
		go s.serve(newLane(os.NewFile(uintptr(socket), "socket"), os.NewFile(uintptr(memory), "memory")))
	}
	select {}
}

// server has the models of a worker.
type server struct {
	make func(config []byte) (engine.Kinds, error)

	mu     sync.RWMutex
	kinds  engine.Kinds
	models map[uint32]served
}

// served is a model of a worker.
type served struct {
	engine.Engine
	outputs int
}

// serve answers the calls of a lane. The process ends with the one that started it, whose sockets end.
func (s *server) serve(l *lane) {
	for {
		request, err := l.request()
		if err != nil {
			os.Exit(0)
		}
		answer, err := s.call(l, request)
		if err == nil && len(answer) >= maxAnswer {
			err = errors.New("its outputs have more dimensions than the process of an engine can tell")
		}
		if err != nil {
			answer = failed(err)
		} else {
			answer = append([]byte{answerDone}, answer...)
		}
		if err := l.send(answer); err != nil {
			os.Exit(0)
		}
	}
}

func (s *server) call(l *lane, request []byte) ([]byte, error) {
	if len(request) > 0 && request[0] == callConfigure {
		kinds, err := s.make(request[1:])
		s.mu.Lock()
		defer s.mu.Unlock()
		s.kinds = kinds
		return nil, err
	}
	if len(request) < 5 {
		return nil, errors.New("a message that is none")
	}
	id, rest := binary.LittleEndian.Uint32(request[1:]), request[5:]
	switch request[0] {
	case callOpen:
		return nil, s.open(id, rest)
	case callRun:
		return s.run(l, id, rest)
	case callClose:
		s.mu.Lock()
		e := s.models[id]
		delete(s.models, id)
		s.mu.Unlock()
		if e.Engine == nil {
			return nil, nil
		}
		return nil, e.Close()
	}
	return nil, errors.New("a message that is none")
}

func (s *server) open(id uint32, what []byte) error {
	var o opening
	if err := json.Unmarshal(what, &o); err != nil {
		return err
	}
	s.mu.RLock()
	kind, err := s.kinds.Find(o.Type)
	s.mu.RUnlock()
	if err != nil {
		return err
	}
	e, err := kind.Open(context.Background(), o.Dir, o.Spec)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.models[id] = served{e, len(o.Spec.Outputs)}
	return nil
}

func (s *server) run(l *lane, id uint32, rest []byte) ([]byte, error) {
	s.mu.RLock()
	e := s.models[id]
	s.mu.RUnlock()
	if e.Engine == nil || len(rest) < 8 {
		return nil, errors.New("a model that the process of the engine does not have")
	}
	defer l.trimViews()
	used := int(binary.LittleEndian.Uint64(rest))
	if err := l.reach(used, false); err != nil {
		return nil, err
	}
	in, err := tensors(rest[8:], l.mem)
	if err != nil {
		return nil, err
	}
	out, err := e.Run(context.Background(), in)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	all := make([]functions.Tensor, e.outputs)
	for i := range all {
		if all[i], err = out.Output(i); err != nil {
			return nil, err
		}
	}
	answer, end, err := place(make([]byte, 8), all, used)
	if err == nil {
		err = l.reach(end, true)
	}
	if err != nil {
		return nil, err
	}
	fill(l.mem, all, used)
	binary.LittleEndian.PutUint64(answer, uint64(end))
	return answer, nil
}
