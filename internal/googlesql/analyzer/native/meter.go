package native

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// meter charges calls for the processor time of the library's threads: a busy machine makes no statement wrong. Which thread
// serves which call is not known, but the system gives all of them the same, so calls share the time by how long they were
// under way. One that its caller has given up stays until the library answers it.
type meter struct {
	threads func() (map[int]time.Duration, bool) // the time that each has used; false where that is not told

	mu      sync.Mutex
	calls   map[*charge]bool
	gone    time.Duration // how long calls were under way that have ended since last
	last    time.Time
	used    map[int]time.Duration // at last
	running bool
}

// charge is what a call has used.
type charge struct {
	since       time.Time
	used, limit time.Duration
	spent       chan struct{} // closed when it has used more than its limit
}

// period is how often the meter looks.
const period = 100 * time.Millisecond

func (m *meter) begin(limit time.Duration) *charge {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &charge{since: time.Now(), limit: limit, spent: make(chan struct{})}
	if m.calls == nil {
		m.calls = map[*charge]bool{}
	}
	m.calls[c] = true
	if !m.running {
		m.running, m.last, m.gone = true, c.since, 0
		m.used, _ = m.threads()
		go m.run()
	}
	return c
}

func (m *meter) end(c *charge) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.calls, c)
	m.gone += time.Since(m.from(c))
}

// from is since when a call was under way in this period.
func (m *meter) from(c *charge) time.Time {
	if c.since.After(m.last) {
		return c.since
	}
	return m.last
}

// run looks as long as there are calls.
func (m *meter) run() {
	for m.look() {
		time.Sleep(period)
	}
}

func (m *meter) look() (more bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	threads, told := m.threads()
	present := m.gone
	for c := range m.calls {
		present += now.Sub(m.from(c))
	}
	var grown time.Duration
	for id, used := range threads {
		grown += max(0, used-m.used[id])
	}
	for c := range m.calls {
		share := now.Sub(m.from(c))
		if told && present > 0 {
			share = time.Duration(float64(grown) * float64(share) / float64(present))
		}
		before := c.used
		if c.used += share; c.used > c.limit && before <= c.limit {
			close(c.spent)
		}
	}
	m.last, m.used, m.gone = now, threads, 0
	m.running = len(m.calls) > 0
	return m.running
}

// served is the name that gRPC gives to the threads that run calls, as Linux keeps it.
const served = "grpcpp_sync_ser"

// threads reads the processor time of the library's threads from Linux, in hundredths of a second.
func threads() (map[int]time.Duration, bool) {
	files, err := filepath.Glob("/proc/self/task/[0-9]*/stat")
	if err != nil || len(files) == 0 {
		return nil, false
	}
	used := map[int]time.Duration{}
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // of the process itself
		if err != nil {
			continue // it has ended
		}
		name, rest, ok := bytes.Cut(text, []byte(") "))
		fields := bytes.Fields(rest)
		if !ok || !bytes.HasSuffix(name, []byte("("+served)) || len(fields) < 13 {
			continue
		}
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		for _, ticks := range fields[11:13] { // in user mode, in the kernel
			n, _ := strconv.ParseInt(string(ticks), 10, 64)
			used[id] += time.Duration(n) * time.Second / 100
		}
	}
	return used, len(used) > 0
}
