package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestModel: the words of `mallard model`, without a model; testdata/catalog/archive.test has what the statements do.
func TestModel(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("wrong.mallard", []byte("no tar"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"-help", exitDone, "mallard model import"},
		{"", exitUsage, "write mallard model export NAME"},
		{"export", exitUsage, "write mallard model export NAME"},
		{"import a b c -database x.db", exitUsage, "write mallard model export NAME"},
		{"import a -o b -database x.db", exitUsage, "write mallard model export NAME"},
		{"export m", exitUsage, "give the -database FILE"},
		{"export m -databse x.db", exitUsage, "did you mean"},
		{"export m -database none.db", exitFailed, "none.db: no such file"},
		{"import wrong.mallard -database new.db", exitFailed, "no archive of a model"},
		{"import wrong.mallard demo..m -database new.db", exitUsage, "demo..m"},
	} {
		var out, messages bytes.Buffer
		code := runModel(context.Background(), strings.Fields(tt.args), terminal{in: strings.NewReader(""), out: &out, err: &messages})
		if text := out.String() + messages.String(); code != tt.code || !strings.Contains(text, tt.says) {
			t.Errorf("mallard model %s: code %d, %q; want %d and %q", tt.args, code, text, tt.code, tt.says)
		}
	}
}

// TestBeamIsMissing: mallard beam says how to build the program that it hands over to, and takes its exit code.
func TestBeamIsMissing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	var messages bytes.Buffer
	on := terminal{in: strings.NewReader(""), out: &messages, err: &messages}
	if code := runBeam(context.Background(), nil, on); code != exitFailed || !strings.Contains(messages.String(), "make beam") {
		t.Errorf("code %d, %q", code, &messages)
	}
	script := "#!/bin/sh\necho \"$@\"\nexit 2\n"
	if err := os.WriteFile(filepath.Join(dir, "mallard-beam"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	messages.Reset()
	if code := runBeam(context.Background(), []string{"-f", "a b"}, on); code != exitUsage || messages.String() != "-f a b\n" {
		t.Errorf("code %d, %q", code, &messages)
	}
}
