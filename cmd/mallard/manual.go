package main

import (
	"regexp"
	"strings"
)

var (
	manFlag  = regexp.MustCompile(`^  (-\S.*?)(?:  +(\S.*))?$`)
	manTitle = regexp.MustCompile(`^[A-Z][^.:,]*$`)
)

// manual is mallard.1: the help of the shell and of each command, as a page of man(1).
func manual() string {
	var b strings.Builder
	b.WriteString(".TH MALLARD 1\n.SH NAME\nmallard \\- DuckDB with BigQuery's machine learning statements\n")
	section(&b, "DESCRIPTION", help)
	for _, c := range commandNames {
		if text := helpOf(c); text != help {
			section(&b, strings.ToUpper("mallard "+c), text)
		}
	}
	b.WriteString(".SH FILES\n")
	for _, f := range [][2]string{
		{"mallard.toml", "the configuration, if neither -config nor $MALLARD_CONFIG names another"},
		{"~/.duckdbrc, ~/.mallardrc", "what runs first where a person is served"},
	} {
		b.WriteString(".TP\n.I " + roff(f[0]) + "\n" + roff(f[1]) + "\n")
	}
	b.WriteString(".SH ENVIRONMENT\n.TP\n.B MALLARD_CONFIG\nthe configuration\n.TP\n.B MALLARD_PAGER, DUCKDB_PAGER, PAGER\n" +
		"what shows long results\n.TP\n.B DUCKDB_EDITOR, EDITOR, VISUAL\nthe editor of .edit\n.TP\n.B NO_COLOR\nno colours\n")
	return b.String()
}

// section writes a help's text: flags as tagged paragraphs, other lines that are indented as they are.
func section(b *strings.Builder, title, text string) {
	b.WriteString(".SH " + title + "\n")
	literal, flag := false, false
	verbatim := func(on bool) {
		if on != literal {
			b.WriteString(map[bool]string{true: ".nf\n", false: ".fi\n"}[on])
		}
		literal = on
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		m := manFlag.FindStringSubmatch(line)
		continued := flag && strings.HasPrefix(line, strings.Repeat(" ", 15))
		switch {
		case line == "":
			verbatim(false)
			b.WriteString(".PP\n")
		case m != nil:
			verbatim(false)
			b.WriteString(".TP\n.B " + roff(m[1]) + "\n" + roff(m[2]) + "\n")
		case continued:
			b.WriteString(roff(strings.TrimSpace(line)) + "\n")
		case strings.HasPrefix(line, "  "):
			verbatim(true)
			b.WriteString(roff(line) + "\n")
		case i > 0 && lines[i-1] == "" && manTitle.MatchString(line):
			verbatim(false)
			b.WriteString(".SS " + roff(line) + "\n")
		default:
			verbatim(false)
			b.WriteString(roff(line) + "\n")
		}
		flag = m != nil || continued
	}
	verbatim(false)
}

// roff escapes what troff would read.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
