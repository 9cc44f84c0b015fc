package main

import (
	"os"
	"strings"
	"testing"
)

// TestConfig: a file is made, is right, and shows what holds; none is overwritten, and one that is wrong is told.
func TestConfig(t *testing.T) {
	t.Chdir(t.TempDir())
	wrong := write(t, "wrong.toml", "[cache]\nof = true\n")
	lacking := write(t, "lacking.toml", "[buckets]\npets = \"nowhere\"\n[connections.default]\nproject = \"p\"\nauth = \"token\"\ntoken_env = \"MALLARD_NO_TOKEN\"\n")
	for _, tt := range []struct {
		args      string
		code      int
		out, errs string
	}{
		{"config check", 0, "There is no configuration", ""},
		{"config init", 0, "mallard.toml has every key", ""},
		{"config init", 1, "", "mallard.toml is there already"},
		{"config init another.toml", 0, "another.toml", ""},
		{"config check", 0, "mallard.toml is right", ""},
		{"config check -config " + wrong, 1, "", "wrong.toml"},
		{"config check -config " + lacking, 1, "MALLARD_NO_TOKEN", "something is missing"},
		{"config check -config " + lacking, 1, "there is no such folder", "something is missing"},
		{"config show", 0, "# mallard.toml\n[bigquery]\nproject = ''\ndialect = 'auto'\n", ""},
		{"config show -config " + lacking, 0, "token_env = 'MALLARD_NO_TOKEN'", ""},
		{"config", 2, "", "mallard config check, init [FILE] or show"},
		{"config check mallard.toml", 2, "", "mallard config check"},
		{"completion", 2, "", "mallard completion bash, fish or zsh"},
		{"completion ksh", 2, "", "mallard completion bash, fish or zsh"},
		{"man x", 2, "", "./man"},
		{"help config", 0, "mallard config init [FILE]", ""},
	} {
		code, out, errs := runMallard(t, "", strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.errs) || tt.errs == "" && errs != "" {
			t.Errorf("%s: exit code %d, %q, %q", tt.args, code, out, errs)
		}
	}
	if info, err := os.Stat("mallard.toml"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// TestManualAndCompletions: the manual page and what shells complete have every flag and every command.
func TestManualAndCompletions(t *testing.T) {
	var texts []string
	for _, args := range [][]string{{"man"}, {"completion", "bash"}, {"completion", "fish"}, {"completion", "zsh"}} {
		code, out, errs := runMallard(t, "", args...)
		if code != 0 || errs != "" {
			t.Errorf("%v: %d %s", args, code, errs)
		}
		texts = append(texts, out)
	}
	for _, f := range typedFlags(new(options)) {
		for i, want := range []string{`\-` + strings.ReplaceAll(f.name, "-", `\-`), "-" + f.name, "-o " + f.name + " ", "'*-" + f.name + "["} {
			if !strings.Contains(texts[i], want) {
				t.Errorf("%q is not in text %d", want, i)
			}
		}
	}
	for _, c := range commandNames {
		for i, text := range texts {
			if !strings.Contains(text, c) {
				t.Errorf("%s is not in text %d", c, i)
			}
		}
		if about(c) == "" || strings.HasPrefix(about(c), "mallard") {
			t.Errorf("%s: %q", c, about(c))
		}
	}
	for line := range strings.Lines(texts[0]) {
		if strings.HasPrefix(line, ".") && !strings.HasPrefix(line, ".TP") && !strings.HasPrefix(line, ".B ") && !strings.HasPrefix(line, ".I ") &&
			!strings.HasPrefix(line, ".PP") && !strings.HasPrefix(line, ".S") && !strings.HasPrefix(line, ".nf") && !strings.HasPrefix(line, ".fi") && !strings.HasPrefix(line, ".TH ") {
			t.Errorf("a line of text is a request of troff: %q", line)
		}
	}
}

// TestDialectOfAShell: .dialect shows how SQL is read and changes it for what follows, in another database too.
func TestDialectOfAShell(t *testing.T) {
	code, out, errs := runMallard(t, ".mode list\n.headers off\n.dialect\n.dialect duckdb\nSELECT 1 AS \"a b\";\n.open\n.dialect\n.dialect nonsense\n.dialect auto\n.dialect\n")
	if code != 1 || out != "auto\n1\nduckdb\nauto\n" || !strings.Contains(errs, `unknown dialect "nonsense"`) {
		t.Errorf("%d %q %s", code, out, errs)
	}
}
