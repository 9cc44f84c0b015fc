package isolated

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/leak"
	"github.com/mallardml/mallard/internal/modelspec"
)

func TestMain(m *testing.M) {
	Serve(func(config []byte) (engine.Kinds, error) {
		if string(config) == "refused" {
			return nil, errors.New("no kinds")
		}
		return engine.Kinds{faulty{}}, nil
	})
	leak.Main(m)
}

// faulty is a kind whose models give back their input, but for texts that say what to do instead.
type faulty struct{}

func (faulty) ModelType() string { return "FAULTY" }

func (faulty) Inspect(string, engine.Import) (*modelspec.Spec, error) {
	return nil, errors.ErrUnsupported
}

func (faulty) Describe(string) ([]engine.Tensor, error) { return nil, errors.ErrUnsupported }

func (faulty) Open(_ context.Context, dir string, _ *modelspec.Spec) (engine.Engine, error) {
	if dir == "missing" {
		return nil, errors.New("there is no such model")
	}
	return faulty{}, nil
}

func (faulty) Close() error { return nil }

func (faulty) Run(_ context.Context, in []functions.Tensor) (functions.Batch, error) {
	if len(in[0].Strings) > 0 {
		switch in[0].Strings[0] {
		case "SIGKILL":
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		case "SIGABRT":
			_ = syscall.Kill(os.Getpid(), syscall.SIGABRT)
			select {}
		case "SIGSEGV":
			_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
			select {}
		case "CHECK":
			_, _ = os.Stderr.WriteString("F0000 tensor.cc:12] Check failed: 1 == 2\x1b[31m\n")
			os.Exit(134)
		case "hang":
			select {}
		case "memory":
			var all [][]byte
			for {
				b := make([]byte, 16<<20)
				for i := 0; i < len(b); i += 4096 {
					b[i] = 1
				}
				all = append(all, b)
				runtime.KeepAlive(all)
			}
		case "error":
			return nil, errors.New("a fault of the model")
		}
	}
	return echo(in), nil
}

type echo []functions.Tensor

func (e echo) Output(i int) (functions.Tensor, error) { return e[i], nil }
func (e echo) Close()                                 {}

func pool(t *testing.T, memory int64) *Pool {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPool(Options{Program: program, Memory: memory})
	if err != nil {
		t.Fatal(err)
	}
	before := files(t)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if after := files(t); after > before {
			t.Errorf("%d files are open, %d were before", after, before)
		}
	})
	return p
}

// files counts what this process has open or mapped of a worker's.
func files(t *testing.T) int {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	n := bytes.Count(maps, []byte("memfd:mallard"))
	for _, fd := range fds {
		if name, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(name, "socket:") || strings.HasPrefix(name, "/memfd:") {
			n++
		}
	}
	return n
}

func faultyModel(t *testing.T, p *Pool, outputs int) engine.Engine {
	t.Helper()
	m, err := p.Kinds(engine.Kinds{faulty{}})[0].Open(t.Context(), "", &modelspec.Spec{Outputs: make([]modelspec.Port, outputs)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// say runs a model on one text, and gives it back.
func say(ctx context.Context, m engine.Engine, text string) (string, error) {
	b, err := m.Run(ctx, []functions.Tensor{{DType: functions.String, Shape: []int64{1}, Strings: []string{text}}})
	if err != nil {
		return "", err
	}
	defer b.Close()
	out, err := b.Output(0)
	if err != nil {
		return "", err
	}
	return out.Strings[0], nil
}

func TestTensorsComeBack(t *testing.T) {
	in := []functions.Tensor{
		{DType: functions.String, Shape: []int64{2, 2}, Strings: []string{"", "a\x00b", strings.Repeat("long ", 1000), "\xff"}},
		{DType: functions.Bool, Shape: []int64{3}, Data: []byte{1, 0, 1}},
		{DType: functions.Float32, Shape: []int64{1, 0, 3}, Data: []byte{}},
		{DType: functions.Int64, Shape: []int64{}, Data: []byte{1, 2, 3, 4, 5, 6, 7, 8}},
		{DType: functions.Float32, Shape: []int64{10 << 20}, Data: bytes.Repeat([]byte{1, 2, 3, 4}, 10<<20)},
		{DType: functions.String, Shape: []int64{0}, Strings: []string{}},
	}
	m := faultyModel(t, pool(t, 0), len(in))
	for range 2 { // in memory that grows, and that was given back
		b, err := m.Run(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for i := range in {
			if out, err := b.Output(i); err != nil || !reflect.DeepEqual(out.Shape, in[i].Shape) || !bytes.Equal(out.Data, in[i].Data) ||
				len(out.Strings) != len(in[i].Strings) || len(in[i].Strings) > 0 && !reflect.DeepEqual(out.Strings, in[i].Strings) {
				t.Errorf("tensor %d came back as %v %v, %v", i, out.DType, out.Shape, err)
			}
		}
		if _, err := b.Output(len(in)); err == nil {
			t.Error("there is an output too many")
		}
		b.Close()
	}
}

// TestEndsOfWorkers: each end fails the run that caused it, and says why; the next run is answered.
func TestEndsOfWorkers(t *testing.T) {
	m := faultyModel(t, pool(t, 512<<20), 1)
	for text, want := range map[string]string{
		"SIGKILL": "SIGKILL", "SIGABRT": "SIGABRT", "SIGSEGV": "SIGSEGV", "CHECK": "exit status 134: F0000 tensor.cc:12] Check failed: 1 == 2 [31m",
		"memory": "worker_memory allows 536870912", "error": "a fault of the model",
	} {
		_, err := say(t.Context(), m, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
		if _, ok := errors.AsType[*crash](err); ok == (text == "error") {
			t.Errorf("%s is an end of the process: %v", text, ok)
		}
		if got, err := say(t.Context(), m, "next"); err != nil || got != "next" {
			t.Errorf("after %s: %q, %v", text, got, err)
		}
	}
}

// TestOthersLive: runs beside one that ends the worker are answered.
func TestOthersLive(t *testing.T) {
	p := pool(t, 0)
	good, bad := faultyModel(t, p, 1), faultyModel(t, p, 1)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 40 {
				if got, err := say(t.Context(), good, "fine"); err != nil || got != "fine" {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	for range 3 {
		if _, err := say(t.Context(), bad, "SIGSEGV"); err == nil {
			t.Error("the run that ended the worker has an answer")
		}
	}
	wg.Wait()
}

// TestCancelled: nobody waits for a run whose context has ended, and a worker that does not come back is ended.
func TestCancelled(t *testing.T) {
	m := faultyModel(t, pool(t, 0), 1)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := say(ctx, m, "hang")
		failed <- err
	}()
	p := m.(*model).pool
	for p.now.calls.Load() == 0 {
		runtime.Gosched()
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got, err := say(t.Context(), m, "next"); err != nil || got != "next" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestParentKilledChild is the process that TestParentKilled kills: it has a worker that is busy with a run.
func TestParentKilledChild(t *testing.T) {
	if os.Getenv("MALLARD_TEST_PARENT") == "" {
		return // runs only as TestParentKilled's child
	}
	m := faultyModel(t, pool(t, 0), 1)
	go func() { _, _ = say(t.Context(), m, "hang") }()
	p := m.(*model).pool
	for p.now.calls.Load() == 0 {
		runtime.Gosched()
	}
	fmt.Printf("worker %d\n", p.now.cmd.Process.Pid)
	select {}
}

// TestParentKilled: a worker does not outlive the process that started it, however that ends and whatever the worker is at.
func TestParentKilled(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSEGV, syscall.SIGTERM} {
		parent := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestParentKilledChild$")
		parent.Env = append(os.Environ(), "MALLARD_TEST_PARENT=1")
		out, err := parent.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := parent.Start(); err != nil {
			t.Fatal(err)
		}
		var worker int
		_, scanned := fmt.Fscanf(out, "worker %d\n", &worker)
		fd := -1
		if scanned == nil {
			fd, err = unix.PidfdOpen(worker, 0)
		}
		_ = parent.Process.Signal(signal) // it runs until it is told
		_ = parent.Wait()
		if err := errors.Join(scanned, err); err != nil {
			t.Fatal(err)
		}
		ended := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} // readable once the process is gone
		for {
			if _, err = unix.Poll(ended, -1); err != unix.EINTR {
				break
			}
		}
		if err := errors.Join(err, unix.Close(fd)); err != nil {
			t.Error(err)
		}
	}
}

func TestRefusedPrograms(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		options Options
		env     string
		want    string
	}{
		"missing":       {Options{Program: "/nowhere/mallard"}, "", "start the process of the engine, /nowhere/mallard: "},
		"no worker":     {Options{Program: "/bin/false"}, "", "did not start: exit status 1; [tensorflow] worker names"},
		"configuration": {Options{Program: self, Config: []byte("refused")}, "", "no kinds"},
		"in a worker":   {Options{Program: self}, "1", "did not call RunWorker"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(Environment, tt.env)
			p, err := NewPool(tt.options)
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Kinds(engine.Kinds{faulty{}})[0].Open(t.Context(), "", &modelspec.Spec{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Error(err)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestForeignAnswers: whatever a worker answers is an error at worst.
func TestForeignAnswers(t *testing.T) {
	good, _, err := place(nil, []functions.Tensor{{DType: functions.String, Shape: []int64{2}, Strings: []string{"ab", "c"}}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	mem := make([]byte, 64)
	fill(mem, []functions.Tensor{{DType: functions.String, Shape: []int64{2}, Strings: []string{"ab", "c"}}}, 0)
	if _, err := tensors(good, mem); err != nil {
		t.Fatal(err)
	}
	changed := func(at int, v uint64) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint64(b[at:], v)
		return b
	}
	long := bytes.Clone(mem)
	long[3] = 0xff
	for name, tt := range map[string]struct{ head, mem []byte }{
		"nothing": {nil, mem}, "cut": {good[:20], mem}, "more": {append(bytes.Clone(good), 0), mem}, "no memory": {good, nil},
		"place": {changed(6, 1<<63), mem}, "size": {changed(14, 1<<63), mem}, "dimension": {changed(22, 1<<63), mem},
		"elements": {changed(22, 1<<60), mem}, "length of a text": {good, long},
	} {
		if all, err := tensors(tt.head, tt.mem); err == nil {
			t.Errorf("%s is read: %v", name, all)
		}
	}
}

// FuzzAnswer: no answer of a worker panics, and none reads outside of the memory.
func FuzzAnswer(f *testing.F) {
	head, end, _ := place(nil, []functions.Tensor{
		{DType: functions.String, Shape: []int64{1}, Strings: []string{"ab"}}, {DType: functions.Bool, Shape: []int64{1}, Data: []byte{1}},
	}, 0)
	f.Add(append([]byte{answerDone}, head...), make([]byte, end))
	f.Add(failed(errors.New("a")), []byte{})
	f.Fuzz(func(t *testing.T, answer, mem []byte) {
		rest, err := result(answer)
		if err != nil {
			return
		}
		all, err := tensors(rest, mem)
		if err != nil {
			return
		}
		again, end, err := place(nil, all, 0)
		if err != nil {
			t.Fatal(err)
		}
		to := make([]byte, end)
		fill(to, all, 0)
		if _, err := tensors(again, to); err != nil {
			t.Fatal(err)
		}
	})
}
