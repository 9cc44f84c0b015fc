package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestJudge: a module is refused whose terms are not allowed, or not known.
func TestJudge(t *testing.T) {
	own, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	const gpl = "This program is free software: you can redistribute it and/or modify it under the terms of the GNU General Public License as " +
		"published by the Free Software Foundation, either version 3 of the License, or (at your option) any later version."
	for _, tt := range []struct{ name, text, want string }{
		{"LICENSE", string(own), ""},
		{"COPYING", gpl, "COPYING is GPL-3.0"},
		{"LICENSE.md", "Do what you like, but ask me first.", "no file has the text of a known licence"},
		{"README", string(own), "no file has the text of a known licence"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, tt.name), []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := judge(&module{Dir: dir})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
