package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/functiontable"
)

// openCall is a call whose bracket is not closed yet.
type openCall struct {
	name   string // as it is written, with its dots
	inside int    // where its arguments begin
}

// openCalls gives the calls that a text is in, the innermost last.
func openCalls(text string) (calls []openCall) {
	start, end := 0, 0 // of the name that was read last
	for _, p := range dialect.Pieces(text, dialect.Auto) {
		switch c := text[p.Pos]; {
		case p.Class == dialect.Word || c == '.' && p.Pos == end:
			if p.Pos != end || p.Class == dialect.Word && end > 0 && text[end-1] != '.' {
				start = p.Pos
			}
			end = p.End
		case p.Class == dialect.Punctuation && c == '(':
			name := ""
			if strings.TrimSpace(text[end:p.Pos]) == "" {
				name = text[start:end]
			}
			calls = append(calls, openCall{name, p.End})
		case p.Class == dialect.Punctuation && c == ')' && len(calls) > 0:
			calls = calls[:len(calls)-1]
		}
	}
	return calls
}

var (
	afterAs       = regexp.MustCompile(`(?i)\bAS\s+(\w*)$`)
	argumentStart = regexp.MustCompile(`(?:^|,)\s*(\w*)$`)
	anyWord       = regexp.MustCompile(`\w+`)
)

// suggestArguments gives the arguments of a function of ours that are given by name and are not given yet: in the STRUCT of a function of
// models each with a value of its type before it, else each with its arrow.
func suggestArguments(text string) (list []shell.Suggestion) {
	calls := openCalls(text)
	if len(calls) == 0 {
		return nil
	}
	last := calls[len(calls)-1]
	inStruct := strings.EqualFold(last.name, "STRUCT") && len(calls) > 1
	name := last.name
	if inStruct {
		name = calls[len(calls)-2].name
	}
	f, ok := functiontable.Named(name)
	if !ok {
		return nil
	}
	given := text[last.inside:]
	form, at := "%name => ", argumentStart.FindStringSubmatchIndex(given)
	if inStruct {
		form = "%value AS %name"
		if m := afterAs.FindStringSubmatchIndex(given); m != nil {
			form, at = "%name", m
		}
	}
	if at == nil || !inStruct && f.Kind == functiontable.Model {
		return nil
	}
	typed, already := strings.ToLower(given[at[2]:]), anyWord.FindAllString(strings.ToLower(given[:at[2]]), -1)
	for _, a := range f.Named("") {
		if slices.Contains(already, a.Name) || !strings.HasPrefix(a.Name, typed) {
			continue
		}
		text := strings.NewReplacer("%value", example(a.Type), "%name", a.Name).Replace(form)
		list = append(list, shell.Suggestion{Text: text, Start: last.inside + at[2]})
	}
	return list
}

// example is a value of a type, to be written over.
func example(typ string) string {
	switch {
	case strings.HasPrefix(typ, "INT"):
		return "1"
	case strings.HasPrefix(typ, "FLOAT"), strings.HasPrefix(typ, "NUMERIC"):
		return "0.5"
	case strings.HasPrefix(typ, "BOOL"):
		return "TRUE"
	case strings.HasPrefix(typ, "ARRAY"):
		return "['']"
	}
	return "''"
}
