package main

import (
	"flag"
	"fmt"
	"regexp"
	"strings"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
)

const completionHelp = `mallard completion prints what a system's shell completes.

  mallard completion bash > ~/.local/share/bash-completion/completions/mallard
  mallard completion fish > ~/.config/fish/completions/mallard.fish
  mallard completion zsh > ~/.zfunc/_mallard    with fpath+=~/.zfunc before compinit
`

// completions are the scripts of mallard completion, by the shell.
var completions = map[string]func(*options) string{"bash": bash, "fish": fish, "zsh": zsh}

// typedFlag is a flag as a system's shell completes it.
type typedFlag struct {
	name, doc string
	takes     string // "", or what its value is: value, file, dialect
}

// flagLine is how the help shows a flag.
var flagLine = regexp.MustCompile(`(?m)^  -([a-z-]+)(?: [A-Z=-]+)? {2,}(\S.*)$`)

// typedFlags are the flags of the shell and of the commands that have no flags of their own.
func typedFlags(o *options) (list []typedFlag) {
	docs := map[string]string{}
	for _, m := range flagLine.FindAllStringSubmatch(doctorHelp+testHelp+help, -1) {
		docs[m[1]] = m[2]
	}
	o.flags().VisitAll(func(f *flag.Flag) {
		one := typedFlag{name: f.Name, doc: docs[f.Name], takes: "value"}
		if b, ok := f.Value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
			one.takes = ""
		}
		switch f.Name {
		case "f", "init", "config", "replay":
			one.takes = "file"
		case "dialect":
			one.takes = "dialect"
		}
		list = append(list, one)
	})
	return list
}

const dialects = "auto bigquery duckdb"

// follow are the words that follow a command.
var follow = map[string]string{
	"completion": "bash fish zsh", "config": strings.Join(configActions, " "), "help": strings.Join(commandNames, " "),
}

func bash(o *options) string {
	var all, files, values []string
	for _, f := range typedFlags(o) {
		all = append(all, "-"+f.name)
		switch f.takes {
		case "file":
			files = append(files, "-"+f.name)
		case "value":
			values = append(values, "-"+f.name)
		}
	}
	var cases strings.Builder
	for _, c := range commandNames {
		if words := follow[c]; words != "" {
			fmt.Fprintf(&cases, "    %s) COMPREPLY=($(compgen -W %q -- \"$word\")); return ;;\n", c, words)
		}
	}
	return fmt.Sprintf(`# bash completion for mallard
_mallard() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  case $before in
    %s) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    -dialect) COMPREPLY=($(compgen -W %q -- "$word")); return ;;
    %s) return ;;
%s  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W %q -- "$word"))
    return
  fi
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$word"))
  if [[ $COMP_CWORD == 1 ]]; then
    COMPREPLY+=($(compgen -W %q -- "$word"))
  fi
}
complete -F _mallard mallard
`, strings.Join(files, "|"), dialects, strings.Join(values, "|"), cases.String(), strings.Join(all, " "), strings.Join(commandNames, " "))
}

func fish(o *options) string {
	var b strings.Builder
	b.WriteString("# fish completion for mallard\n")
	for _, c := range commandNames {
		fmt.Fprintf(&b, "complete -c mallard -n __fish_use_subcommand -a %s -d %s\n", c, shell.QuoteWord(about(c)))
		if words := follow[c]; words != "" {
			fmt.Fprintf(&b, "complete -c mallard -f -n '__fish_seen_subcommand_from %s' -a %s\n", c, shell.QuoteWord(words))
		}
	}
	for _, f := range typedFlags(o) {
		kind := map[string]string{"": "", "value": " -x", "file": " -r -F", "dialect": " -x -a " + shell.QuoteWord(dialects)}[f.takes]
		fmt.Fprintf(&b, "complete -c mallard -o %s -d %s%s\n", f.name, shell.QuoteWord(f.doc), kind)
	}
	return b.String()
}

func zsh(o *options) string {
	var b strings.Builder
	b.WriteString("#compdef mallard\n# zsh completion for mallard\n_mallard() {\n  local -a commands\n  commands=(\n")
	for _, c := range commandNames {
		fmt.Fprintf(&b, "    %s\n", shell.QuoteWord(c+":"+about(c)))
	}
	b.WriteString("  )\n")
	for _, c := range commandNames {
		if words := follow[c]; words != "" {
			fmt.Fprintf(&b, "  if [[ ${words[2]} == %s ]]; then compadd -- %s; return; fi\n", c, words)
		}
	}
	b.WriteString("  _arguments \\\n")
	for _, f := range typedFlags(o) {
		kind := map[string]string{"": "", "value": ":value: ", "file": ":file:_files", "dialect": ":dialect:(" + dialects + ")"}[f.takes]
		doc := strings.NewReplacer("[", "(", "]", ")", ":", " ").Replace(f.doc)
		fmt.Fprintf(&b, "    %s \\\n", shell.QuoteWord("*-"+f.name+"["+doc+"]"+kind))
	}
	b.WriteString("    '1: :{_describe command commands; _files}' '*:file:_files'\n}\n")
	b.WriteString("if [[ ${funcstack[1]} == _mallard ]]; then _mallard \"$@\"; else compdef _mallard mallard; fi\n")
	return b.String()
}

// about is the line about a command in the help.
func about(command string) string {
	for line := range strings.Lines(help) {
		if strings.HasPrefix(line, "  mallard "+command+" ") {
			line = strings.TrimSpace(line)
			return line[strings.LastIndex(line, "  ")+2:]
		}
	}
	return "show the versions"
}
