package completion

import (
	"context"
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

// openCalls gives the calls that a text of these pieces is in, the innermost last.
func openCalls(text string, pieces []dialect.Piece) (calls []openCall) {
	start, end := 0, 0 // of the name that was read last
	for _, p := range pieces {
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

// call is the call of ours that the cursor is in, with the place of its STRUCT if the cursor is in that.
func (p *place) call() (f functiontable.Function, inside int, inStruct, ok bool) {
	n := len(p.calls)
	if n == 0 {
		return f, 0, false, false
	}
	last := p.calls[n-1]
	name := last.name
	if inStruct = strings.EqualFold(name, "STRUCT") && n > 1; inStruct {
		name = p.calls[n-2].name
	}
	f, ok = functiontable.Named(name)
	return f, last.inside, inStruct, ok
}

// arguments gives the arguments of a function of ours that are given by name and are not given yet: in the STRUCT of a function of models
// each with a value of its type before it, else each with its arrow.
func (p *place) arguments(context.Context) (list []shell.Suggestion) {
	f, inside, inStruct, ok := p.call()
	if !ok {
		return nil
	}
	given := p.text[inside:]
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
	var names, texts []shell.Suggestion
	for _, a := range f.Named("") {
		if slices.Contains(already, a.Name) {
			continue
		}
		text := strings.NewReplacer("%value", example(a.Type), "%name", a.Name).Replace(form)
		names, texts = append(names, shell.Suggestion{Text: a.Name, Note: text}), append(texts, shell.Suggestion{Text: text, Note: about(a)})
	}
	for _, found := range matching(typed, inside+at[2], names) {
		i := slices.IndexFunc(texts, func(s shell.Suggestion) bool { return s.Text == found.Note })
		texts[i].Start = found.Start
		list = append(list, texts[i])
	}
	return list
}

// about says what an argument is.
func about(a functiontable.Argument) string {
	if a.Doc == "" {
		return a.Type
	}
	return a.Type + ", " + a.Doc
}

// Hint is a line about the call of ours that the cursor is in: how it is written, or the arguments of its STRUCT.
func (s Source) Hint(text, after string) string {
	p := newPlace(s, text, after)
	for ; len(p.calls) > 0; p.calls = p.calls[:len(p.calls)-1] {
		f, inside, inStruct, ok := p.call()
		switch {
		case !ok:
			continue
		case !inStruct:
			return f.Signature() + " → " + f.Result
		}
		current := argumentAt(text[inside:], after)
		var names []string
		for _, a := range f.Named("") {
			if strings.EqualFold(a.Name, current) {
				return a.Name + " " + about(a)
			}
			names = append(names, a.Name)
		}
		return "STRUCT(value AS " + strings.Join(names, ", ") + ")"
	}
	return ""
}

var endOfArgument = regexp.MustCompile(`(?i)^[^,()]*\bAS\s+(\w+)|^(\w*)\s*[,)]`)

// argumentAt is the name of the field of a STRUCT that the cursor is in; before is the STRUCT up to it.
func argumentAt(before, after string) string {
	part := before[strings.LastIndexByte(before, ',')+1:] + after
	if m := endOfArgument.FindStringSubmatch(part); m != nil {
		return m[1] + m[2]
	}
	words := anyWord.FindAllString(part, -1)
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
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
