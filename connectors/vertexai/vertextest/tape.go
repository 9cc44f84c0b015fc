package vertextest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Exchange is one line of a record: what was asked and what was answered. It holds no headers, so no credentials.
type Exchange struct {
	Path       string          `json:"path"`
	Request    json.RawMessage `json:"request"`
	Status     int             `json:"status"`
	RetryAfter int             `json:"retryAfter,omitempty"` // seconds
	Response   json.RawMessage `json:"response,omitempty"`
	Text       string          `json:"text,omitempty"` // an answer that is not JSON
}

// tape writes exchanges to a file, or answers from one.
type tape struct {
	mu   sync.Mutex
	name string // of the record that is replayed
	file *os.File
	err  error
	play map[string][]Exchange // nil: not replaying
	used map[string]int
	rows map[string]json.RawMessage // predictions by path, parameters and instance
	lost []string                   // requests that the record does not hold, each once, up to mostLost
	more int                        // those beyond
}

func openTape(record, replay string) (*tape, error) {
	t := &tape{}
	if record != "" && replay != "" {
		return nil, errors.New("vertextest: Record and Replay exclude each other")
	}
	if replay != "" {
		if err := t.load(replay); err != nil {
			return nil, err
		}
	}
	if record != "" {
		f, err := os.OpenFile(record, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("vertextest: cannot write the record: %w", err)
		}
		t.file = f
	}
	return t, nil
}

func (t *tape) load(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("vertextest: cannot read the record: %w", err)
	}
	defer func() { _ = f.Close() }()
	t.name = name
	t.play, t.used, t.rows = map[string][]Exchange{}, map[string]int{}, map[string]json.RawMessage{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<30)
	for n := 1; in.Scan(); n++ {
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		var e Exchange
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			return fmt.Errorf("vertextest: %s:%d: %w", name, n, err)
		}
		k, err := key(e.Path, e.Request)
		if err != nil {
			return fmt.Errorf("vertextest: %s:%d: %w", name, n, err)
		}
		t.play[k] = append(t.play[k], e)
		t.learn(e)
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("vertextest: cannot read the record: %w", err)
	}
	return nil
}

// key is the same for bodies that differ in blanks and the order of keys only.
func key(path string, body []byte) (string, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", err
	}
	return path + "\n" + string(appendJSON(nil, v)), nil
}

// learn keeps the predictions of an exchange one by one: a caller that batches by what is at hand sends the same rows in other requests.
func (t *tape) learn(e Exchange) {
	if e.Status/100 != 2 || !strings.HasSuffix(e.Path, ":predict") {
		return
	}
	var in struct {
		Instances  []json.RawMessage
		Parameters json.RawMessage
	}
	var out struct{ Predictions []json.RawMessage }
	if json.Unmarshal(e.Request, &in) != nil || json.Unmarshal(e.Response, &out) != nil || len(in.Instances) != len(out.Predictions) {
		return
	}
	for i, instance := range in.Instances {
		if k, err := rowKey(e.Path, in.Parameters, instance); err == nil && t.rows[k] == nil {
			t.rows[k] = out.Predictions[i]
		}
	}
}

func rowKey(path string, parameters, instance json.RawMessage) (string, error) {
	if parameters == nil {
		parameters = json.RawMessage("null")
	}
	k, err := key(path, parameters)
	if err != nil {
		return "", err
	}
	return key(k, instance)
}

// assemble answers a predict request whose instances are all known, each from its own exchange; else it is nil.
func (t *tape) assemble(c *call) []byte {
	if c.Method != "predict" {
		return nil
	}
	var in struct {
		Instances  []json.RawMessage
		Parameters json.RawMessage
	}
	if json.Unmarshal(c.raw, &in) != nil || len(in.Instances) == 0 {
		return nil
	}
	all := make([]any, len(in.Instances))
	for i, instance := range in.Instances {
		k, err := rowKey(c.Path, in.Parameters, instance)
		if err != nil || t.rows[k] == nil {
			return nil
		}
		all[i] = t.rows[k]
	}
	return appendJSON(nil, map[string]any{"predictions": all})
}

// replay answers from the record; the answers to one request come in the order of the record, the last one again and again.
func (t *tape) replay(c *call) *reply {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.play == nil {
		return nil
	}
	k, err := key(c.Path, c.raw)
	if err != nil {
		return failf(400, "Invalid JSON payload received. %v", err)
	}
	list := t.play[k]
	if len(list) == 0 {
		if b := t.assemble(c); b != nil {
			return &reply{raw: b}
		}
		what := fmt.Sprintf("%s:%s %s", c.Resource, c.Method, clip(c.raw, 400))
		switch {
		case slices.Contains(t.lost, what): // a client that tries again
		case len(t.lost) < mostLost:
			t.lost = append(t.lost, what)
		default:
			t.more++
		}
		return failf(404, "The record %s has no answer to %s", t.name, what)
	}
	e := list[min(t.used[k], len(list)-1)]
	t.used[k]++
	body := []byte(e.Response)
	if body == nil {
		body = []byte(e.Text)
	}
	if e.Status/100 == 2 {
		return &reply{raw: body}
	}
	r := failf(e.Status, "recorded")
	var m struct {
		Error struct {
			Status, Message string
		}
	}
	if json.Unmarshal(body, &m) == nil && m.Error.Status != "" {
		r.err.reason, r.err.message = m.Error.Status, m.Error.Message
	}
	r.err.raw, r.err.wait = body, time.Duration(e.RetryAfter)*time.Second
	return r
}

func clip(b []byte, n int) string {
	if len(b) <= n {
		return string(b)
	}
	return strings.ToValidUTF8(string(b[:n]), "") + "…"
}

// Replay answers from a record from now on, as Options.Replay does.
func (s *Server) Replay(file string) error {
	s.tape.mu.Lock()
	defer s.tape.mu.Unlock()
	if s.tape.file != nil {
		return errors.New("vertextest: Record and Replay exclude each other")
	}
	return s.tape.load(file)
}

// mostLost bounds what a long run against the wrong record holds.
const mostLost = 100

// Missed are the requests so far that Options.Replay has no answer to, as RESOURCE:METHOD BODY, each once and the body cut at 400 bytes.
// After the hundredth a last line counts the rest.
func (s *Server) Missed() []string {
	s.tape.mu.Lock()
	defer s.tape.mu.Unlock()
	out := slices.Clone(s.tape.lost)
	if s.tape.more > 0 {
		out = append(out, fmt.Sprintf("%d more requests", s.tape.more))
	}
	return out
}

func (t *tape) record(c *call, r *reply) {
	if t.file == nil || r.fault != nil && r.fault.silent() {
		return
	}
	e := Exchange{Path: c.Path, Request: json.RawMessage(c.raw), Status: r.status()}
	if !json.Valid(c.raw) {
		return
	}
	if r.err != nil {
		e.RetryAfter = int((r.err.wait + time.Second - 1) / time.Second)
	}
	if b := r.bytes(); json.Valid(b) {
		e.Response = b
	} else {
		e.Text = string(b)
	}
	b, err := json.Marshal(e)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		_, err = t.file.Write(append(b, '\n'))
	}
	if t.err == nil {
		t.err = err
	}
}

// Close reports a write that failed earlier too.
func (t *tape) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return nil
	}
	err := errors.Join(t.err, t.file.Close())
	t.file = nil
	return err
}
