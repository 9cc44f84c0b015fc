package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// console is a terminal's output that may be read while it is written.
type console struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (c *console) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.Write(b)
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.String()
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// emulating runs `mallard emulate`; stop ends it and gives its exit code and what it said.
func emulating(t *testing.T, args ...string) (url string, stop func() (int, string)) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	var errs console
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append([]string{"emulate", "-addr", "127.0.0.1:0"}, args...), terminal{in: strings.NewReader(""), out: io.Discard, err: &errs})
	}()
	stop = func() (int, string) {
		cancel()
		return <-done, errs.String()
	}
	for end := time.Now().Add(30 * time.Second); url == ""; url = address.FindString(errs.String()) {
		if time.Now().After(end) || len(done) > 0 {
			_, said := stop()
			t.Fatalf("mallard emulate does not start: %s", said)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return url, stop
}

// ask posts a prompt and gives status and body.
func ask(t *testing.T, url, prompt string) (int, string) {
	t.Helper()
	body := `{"contents":[{"role":"user","parts":[{"text":"` + prompt + `"}]}]}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer a-secret-token")
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// TestEmulateRecord: a second emulator asks the first and keeps its answers, a third one plays them; no file holds the caller's token.
func TestEmulateRecord(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	script := write(t, "script.jsonl", `{"contains": "duck", "answer": "quack"}`+"\n"+`{"fault": "status", "status": 429, "contains": "busy", "times": 1, "retryAfter": "3s"}`+"\n")
	log, tape := filepath.Join(t.TempDir(), "log.jsonl"), filepath.Join(t.TempDir(), "tape.jsonl")
	first, stopFirst := emulating(t, "-script", script, "-log", log)
	second, stopSecond := emulating(t, "-record", tape, "-upstream", first)
	if status, body := ask(t, second, "say duck"); status != 200 || !strings.Contains(body, "quack") {
		t.Errorf("%d %s", status, body)
	}
	if status, body := ask(t, second, "busy"); status != 429 {
		t.Errorf("%d %s", status, body)
	}
	for _, stop := range []func() (int, string){stopSecond, stopFirst} {
		if code, said := stop(); code != 0 {
			t.Errorf("%d: %s", code, said)
		}
	}
	for _, name := range []string{log, tape} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), "\n"); n != 2 || strings.Contains(string(b), "secret") {
			t.Errorf("%s: %s", name, b)
		}
	}
	third, stopThird := emulating(t, "-replay", tape)
	if status, body := ask(t, third, "say duck"); status != 200 || !strings.Contains(body, "quack") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := ask(t, third, "busy"); status != 429 {
		t.Errorf("replayed status %d", status)
	}
	if status, body := ask(t, third, "something new"); status != 404 || !strings.Contains(body, "tape.jsonl has no answer") || !strings.Contains(body, "something new") {
		t.Errorf("%d %s", status, body)
	}
	if code, said := stopThird(); code != 0 || !strings.Contains(said, "not in "+tape) || !strings.Contains(said, "something new") {
		t.Errorf("%d: %s", code, said)
	}
}

// TestEmulateFlags: -latency and -fail-every are the script's faults in short; wrong ones are named.
func TestEmulateFlags(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	url, stop := emulating(t, "-latency", "30ms", "-fail-every", "2")
	start := time.Now()
	for _, want := range []int{200, 429, 200} {
		if status, _ := ask(t, url, "a"); status != want {
			t.Errorf("%d, want %d", status, want)
		}
	}
	if d := time.Since(start); d < 90*time.Millisecond {
		t.Errorf("three answers in %s", d)
	}
	stop()
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"emulate", "-upstream", "google"}, 2, "-upstream needs -record"},
		{[]string{"emulate", "-record", "a", "-replay", "b"}, 2, "-record and -replay exclude each other"},
		{[]string{"emulate", "here"}, 2, `there is no argument "here"`},
		{[]string{"emulate", "-endpoint", "7"}, 2, "write ID=FOLDER"},
		{[]string{"emulate", "-script", "/nowhere/x"}, 1, "/nowhere/x"},
		{[]string{"emulate", "-script", write(t, "bad.jsonl", `{"fault": "flood"}`)}, 1, "script line 1: unknown kind of fault"},
		{[]string{"emulate", "-log", "/nowhere/x"}, 1, "-log: open /nowhere/x"},
		{[]string{"emulate", "-record", filepath.Join(t.TempDir(), "x"), "-upstream", "ftp://x"}, 1, "-upstream: vertexai: the base URL must be http"},
		{[]string{"emulate", "-addr", "1"}, 1, "mallard emulate: listen tcp: address 1: missing port in address; choose another place with -addr HOST:PORT"},
		{[]string{"emulate", "-replay", "/nowhere/x"}, 1, "cannot read the record"},
	} {
		if code, _, errs := runMallard(t, "", tt.args...); code != tt.code || !strings.Contains(errs, tt.want) {
			t.Errorf("%q: %d, %s, want %d, %s", tt.args, code, errs, tt.code, tt.want)
		}
	}
}

// TestEmulateHelp: the help fits a terminal, and names every kind of fault.
func TestEmulateHelp(t *testing.T) {
	code, out, _ := runMallard(t, "", "emulate", "-help")
	if code != 0 || !strings.HasPrefix(out, "mallard emulate is ") {
		t.Errorf("%d %s", code, out)
	}
	for line := range strings.Lines(out) {
		if len([]rune(line)) > 81 {
			t.Errorf("%d columns: %s", len([]rune(line))-1, line)
		}
	}
	for _, kind := range strings.Fields("latency status drop midway truncate garbage hang block_prompt block_answer miscount surplus nan wrong_type huge") {
		if !strings.Contains(out, kind) {
			t.Errorf("%s is missing", kind)
		}
	}
}
