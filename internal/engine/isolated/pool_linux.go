package isolated

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/engine"
)

// Pool shares a worker among the models of a database. The worker is started with the first model that is opened, and again with the first
// run after its end. It is safe for concurrent use.
type Pool struct {
	options Options
	lanes   int
	permits *semaphore.Weighted // one for each call; all for a call that is to be alone

	mu     sync.Mutex
	now    *process
	closed bool
	burial sync.WaitGroup // of workers that ended
	last   atomic.Uint32  // number given to a model
}

// NewPool makes a pool; nothing is started.
func NewPool(o Options) (*Pool, error) {
	n := min(max(4, 2*runtime.GOMAXPROCS(0)), 64)
	return &Pool{options: o, lanes: n, permits: semaphore.NewWeighted(int64(n))}, nil
}

// Close ends the worker.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	w := p.now
	p.now = nil
	var err error
	if w != nil {
		err = w.close()
	}
	p.burial.Wait()
	return err
}

// program is what is run as the worker.
func (p *Pool) program() (string, error) {
	if os.Getenv(Environment) != "" {
		return "", errors.New("this process is itself the worker of another, and did not call RunWorker at the start of its main function")
	}
	if p.options.Program != "" {
		return p.options.Program, nil
	}
	if isCommand() {
		return "/proc/self/exe", nil // also when its file has been replaced
	}
	program, err := exec.LookPath("mallard")
	if err != nil {
		return "", errors.New("[tensorflow] isolation = \"process\" needs a program for the engine's process: set [tensorflow] worker to the " +
			"path of the command mallard, or to a program that calls RunWorker at the start of its main function")
	}
	return program, nil
}

// worker gives the worker, which is started if there is none.
func (p *Pool) worker(ctx context.Context) (*process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errors.New("the database is closed")
	}
	if w := p.now; w != nil {
		select {
		case <-w.dead:
			p.burial.Go(func() { _ = w.close() }) // what it leaves is ours, and whole
			p.now = nil
		default:
			return w, nil
		}
	}
	program, err := p.program()
	if err != nil {
		return nil, err
	}
	w, err := start(program, p.lanes, p.options.Memory)
	if err != nil {
		return nil, err
	}
	l := <-w.lanes
	_, err = w.call(ctx, l, append([]byte{callConfigure}, p.options.Config...))
	w.lanes <- l
	if err != nil {
		if c, ok := errors.AsType[*crash](err); ok {
			err = fmt.Errorf("the process of the engine, %s, did not start: %s; [tensorflow] worker names the command mallard, or a program that "+
				"calls RunWorker at the start of its main function", program, c.cause)
		}
		return nil, errors.Join(err, w.close())
	}
	p.now = w
	return w, nil
}

// loan is a lane of the worker for one call.
type loan struct {
	*lane
	w       *process
	pool    *Pool
	permits int64
}

// lend waits for a lane, and with all permits until nobody else has one.
func (p *Pool) lend(ctx context.Context, permits int64) (*loan, error) {
	if err := p.permits.Acquire(ctx, permits); err != nil {
		return nil, err
	}
	w, err := p.worker(ctx)
	if err != nil {
		p.permits.Release(permits)
		return nil, err
	}
	return &loan{<-w.lanes, w, p, permits}, nil
}

func (l *loan) release() {
	l.trim()
	l.w.lanes <- l.lane
	l.pool.permits.Release(l.permits)
}

// settle gives the lane of a call back that failed. One whose answer is still to come does so when that is there, after then.
func (l *loan) settle(ctx context.Context, err error, then func()) {
	if _, ended := errors.AsType[*crash](err); !ended && ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		l.w.abandon(l.lane, then, l.release)
		return
	}
	l.release()
}

// alone calls f, and again where the worker ended for what may be another's fault: then no other call is under way, so that only
// the statement whose run ends the worker fails.
func (p *Pool) alone(f func(permits int64) error) error {
	err := f(1)
	if c, ok := errors.AsType[*crash](err); ok && c.unsent {
		err = f(1)
	}
	if c, ok := errors.AsType[*crash](err); ok && c.others {
		err = f(int64(p.lanes))
	}
	return err
}

// model is a model of a worker, loaded into whichever is there.
type model struct {
	pool  *Pool
	what  []byte // an opening
	count int    // of outputs

	mu sync.Mutex
	w  *process // that has it loaded
	id uint32
}

// open loads a model.
func (p *Pool) open(ctx context.Context, o *opening) (engine.Engine, error) {
	what, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	m := &model{pool: p, what: what, count: len(o.Spec.Outputs)}
	err = p.alone(func(permits int64) error {
		l, err := p.lend(ctx, permits)
		if err != nil {
			return err
		}
		_, err = m.load(ctx, l)
		if err == nil {
			l.release()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// number writes the beginning of a message about a model.
func number(call byte, id uint32) []byte { return binary.LittleEndian.AppendUint32([]byte{call}, id) }

// load gives the model's number in the worker of a loan, where it is loaded if it is not. It gives the lane back where it fails.
func (m *model) load(ctx context.Context, l *loan) (uint32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.w == l.w {
		return m.id, nil
	}
	id := m.pool.last.Add(1)
	if _, err := l.w.call(ctx, l.lane, append(number(callOpen, id), m.what...)); err != nil {
		l.settle(ctx, err, func() { _, _ = l.w.call(context.Background(), l.lane, number(callClose, id)) })
		return 0, err
	}
	m.w, m.id = l.w, id
	return id, nil
}

// Run implements [functions.Engine].
func (m *model) Run(ctx context.Context, in []functions.Tensor) (out functions.Batch, err error) {
	err = m.pool.alone(func(permits int64) error {
		out, err = m.run(ctx, in, permits)
		return err
	})
	return out, err
}

func (m *model) run(ctx context.Context, in []functions.Tensor, permits int64) (functions.Batch, error) {
	l, err := m.pool.lend(ctx, permits)
	if err != nil {
		return nil, err
	}
	id, err := m.load(ctx, l)
	if err != nil {
		return nil, err
	}
	message := append(number(callRun, id), make([]byte, 8)...)
	message, end, err := place(message, in, 0)
	if err == nil {
		err = l.reach(end, true)
	}
	if err != nil {
		l.release()
		return nil, err
	}
	binary.LittleEndian.PutUint64(message[5:], uint64(end))
	fill(l.mem, in, 0)
	answer, err := l.w.call(ctx, l.lane, message)
	if err != nil {
		l.settle(ctx, err, func() {})
		return nil, err
	}
	all, err := l.outputs(answer)
	if err == nil && len(all) != m.count {
		err = errForeign
	}
	if err != nil {
		l.w.kill("its answers could not be read")
		l.release()
		return nil, err
	}
	return &batch{l, all}, nil
}

// maxShared is the most bytes of the tensors of a run.
const maxShared = math.MaxInt64 >> 29 // 16 GiB

// outputs reads the answer to a run.
func (l *lane) outputs(answer []byte) ([]functions.Tensor, error) {
	if len(answer) < 8 {
		return nil, errForeign
	}
	end := binary.LittleEndian.Uint64(answer)
	if end > maxShared {
		return nil, errForeign
	}
	if err := l.reach(int(end), false); err != nil {
		return nil, err
	}
	return tensors(answer[8:], l.mem)
}

// Close implements [engine.Engine].
func (m *model) Close() error {
	m.mu.Lock()
	w := m.w
	m.w = nil
	m.mu.Unlock()
	if w == nil {
		return nil
	}
	if err := m.pool.permits.Acquire(context.Background(), 1); err != nil {
		return err
	}
	defer m.pool.permits.Release(1)
	select {
	case <-w.dead: // and the model with it
		return nil
	case l := <-w.lanes:
		defer func() { w.lanes <- l }()
		_, err := w.call(context.Background(), l, number(callClose, m.id))
		if _, ended := errors.AsType[*crash](err); ended {
			return nil
		}
		return err
	}
}

// batch is the outputs of a run, in the memory of its lane.
type batch struct {
	l   *loan
	all []functions.Tensor
}

// Output implements [functions.Batch].
func (b *batch) Output(i int) (functions.Tensor, error) {
	if i < 0 || i >= len(b.all) {
		return functions.Tensor{}, fmt.Errorf("read output %d: the model has %d", i, len(b.all))
	}
	return b.all[i], nil
}

// Close implements [functions.Batch].
func (b *batch) Close() {
	if b.l != nil {
		b.l.release()
		b.l, b.all = nil, nil
	}
}
