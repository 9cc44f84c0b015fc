package main

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// startServe runs `mallard serve` until the returned function is called, which gives its exit code.
func startServe(t *testing.T, out, errs io.Writer, args ...string) (stop func() int) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"} {
		t.Setenv(name, filepath.Join(dir, name))
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append([]string{"serve"}, args...), terminal{in: strings.NewReader(""), out: out, err: errs})
	}()
	return func() int {
		cancel()
		return <-done
	}
}

// shown waits for what is written.
func shown(t *testing.T, out *console, re *regexp.Regexp) []string {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if m := re.FindStringSubmatch(out.String()); m != nil {
			return m
		}
		if time.Now().After(end) {
			t.Fatalf("%v is not in %q", re, out)
		}
	}
}

// TestServeEnvironment: -env prints variables of a server that runs, which a shell reads, and fails for one that does not, or wants a token.
func TestServeEnvironment(t *testing.T) {
	var errs console
	stop := startServe(t, io.Discard, &errs, "-listen", "127.0.0.1:0", "-project", "it's", "-token", "secret")
	listen := shown(t, &errs, regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`))[1]
	env := func(args ...string) (int, string, string) {
		var out, errs console
		code := run(t.Context(), append([]string{"serve", "-env", "-listen", listen}, args...), terminal{in: strings.NewReader(""), out: &out, err: &errs})
		return code, out.String(), errs.String()
	}
	if code, out, said := env(); code != exitFailed || out != "" || !strings.Contains(said, "wants its -token") {
		t.Errorf("without the token: %d, %q, %q", code, out, said)
	}
	code, exports, said := env("-token", "secret")
	if code != exitDone || said != "" {
		t.Fatalf("%d, %q", code, said)
	}
	var out console
	dir := t.TempDir()
	inner := run(t.Context(), []string{"serve", "--", "sh", "-c", exports + `
echo "host $BIGQUERY_EMULATOR_HOST project $GOOGLE_CLOUD_PROJECT proxy $https_proxy"
cat "$GOOGLE_APPLICATION_CREDENTIALS" > ` + dir + `/key && cat "$SSL_CERT_FILE" > ` + dir + `/roots && cat "$BIGQUERYRC"`},
		terminal{in: strings.NewReader(""), out: &out, err: &errs})
	want := "host http://" + listen + " project it's proxy "
	if inner != exitDone || !strings.HasPrefix(out.String(), want) || !strings.Contains(out.String(), "project_id = it's") {
		t.Errorf("%d, %q, want %q", inner, out.String(), want)
	}
	for name, part := range map[string]string{"key": `"private_key"`, "roots": "BEGIN CERTIFICATE"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(text), part) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if code := stop(); code != exitDone {
		t.Errorf("the server ends with %d: %s", code, &errs)
	}
	if code, out, said := env(); code != exitFailed || out != "" || !strings.Contains(said, "no server at "+listen) {
		t.Errorf("of one that has ended: %d, %q, %q", code, out, said)
	}
}

// TestServeProgram: a program's exit code is that of serve, which ends with it, and the other way round.
func TestServeProgram(t *testing.T) {
	for _, tt := range []struct {
		name    string
		program []string
		code    int
		out     string
		errs    string // a part
	}{
		{"its code", []string{"sh", "-c", `read x || echo "no input"; exit 7`}, 7, "no input\n", ""},
		{"a signal", []string{"sh", "-c", "kill -9 $$"}, exitFailed, "", ""},
		{"flags are its own", []string{"sh", "-c", `echo "$@"`, "x", "-env", "--", "-v"}, exitDone, "-env -- -v\n", ""},
		{"none of the name", []string{"./no-such-program"}, exitFailed, "", "no-such-program"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := runMallard(t, "", append([]string{"serve", "--"}, tt.program...)...)
			if code != tt.code || out != tt.out || !strings.Contains(errs, tt.errs) {
				t.Errorf("%d, %q, %q", code, out, errs)
			}
		})
	}
	t.Run("is interrupted", func(t *testing.T) {
		var out, errs console
		stop := startServe(t, &out, &errs, "--", "sh", "-c", `trap 'echo "interrupted"; exit 3' INT; echo "at $BIGQUERY_EMULATOR_HOST"; while :; do sleep 0.05; done`)
		at := shown(t, &out, regexp.MustCompile(`at http://(\S+)`))[1]
		if code := stop(); code != 3 || !strings.HasSuffix(out.String(), "interrupted\n") {
			t.Errorf("%d, %q, %q", code, &out, &errs)
		}
		if c, err := net.Dial("tcp", at); err == nil {
			c.Close()
			t.Error("the server still listens")
		}
	})
}
