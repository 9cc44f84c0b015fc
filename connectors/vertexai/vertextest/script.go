package vertextest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Rule answers the prompts that match all its conditions. Rules are tried in order.
//
// Answer is a template: {{prompt}}, {{model}}, {{uri}} (of the first file), {{mime}}, and {{0}}, {{1}}, … for the groups of Regexp.
type Rule struct {
	Model    string `json:"model,omitempty"`    // part of the model's name; empty: any
	Contains string `json:"contains,omitempty"` // part of the prompt
	Regexp   string `json:"regexp,omitempty"`   // Go syntax, anywhere in the prompt
	URI      string `json:"uri,omitempty"`      // part of a file's URI

	Answer       string `json:"answer"`
	FinishReason string `json:"finishReason,omitempty"` // default STOP
	BlockReason  string `json:"blockReason,omitempty"`  // the prompt is blocked, there is no answer
	Status       int    `json:"status,omitempty"`       // an error instead, with Answer as its text
}

type rule struct {
	Rule
	re *regexp.Regexp
}

// SetScript replaces the script.
func (s *Server) SetScript(rules ...Rule) error {
	list := make([]*rule, len(rules))
	for i, r := range rules {
		list[i] = &rule{Rule: r}
		if r.Regexp != "" {
			re, err := regexp.Compile(r.Regexp)
			if err != nil {
				return fmt.Errorf("vertextest: rule %d: %w", i+1, err)
			}
			list[i].re = re
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = list
	return nil
}

// Prompt is what a text model is asked.
type Prompt struct {
	Model  string
	System string // the system instruction
	Text   string // the text parts of all turns, joined
	Files  []File
	JSON   bool // JSON is wanted
	Schema any  // decoded responseSchema, or nil
}

// File is a part that is no text.
type File struct {
	MIME string
	URI  string // gs://…; empty for inline data
	Data []byte // inline data
}

// match finds the rule for a prompt.
func (s *Server) match(p Prompt) (*rule, string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.script {
		if !strings.Contains(p.Model, r.Model) || !strings.Contains(p.Text, r.Contains) || r.URI != "" && !p.hasURI(r.URI) {
			continue
		}
		var groups []string
		if r.re != nil {
			if groups = r.re.FindStringSubmatch(p.Text); groups == nil {
				continue
			}
		}
		return r, p.fill(r.Answer, groups)
	}
	return nil, ""
}

func (p Prompt) hasURI(part string) bool {
	for _, f := range p.Files {
		if strings.Contains(f.URI, part) {
			return true
		}
	}
	return false
}

func (p Prompt) fill(template string, groups []string) string {
	if !strings.Contains(template, "{{") {
		return template
	}
	file := File{}
	if len(p.Files) > 0 {
		file = p.Files[0]
	}
	pairs := []string{"{{prompt}}", p.Text, "{{model}}", p.Model, "{{uri}}", file.URI, "{{mime}}", file.MIME}
	for i, g := range groups {
		pairs = append(pairs, "{{"+strconv.Itoa(i)+"}}", g)
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

// echo is the default answer: the prompt and what came with it.
func (p Prompt) echo() string {
	b := "Echo: " + p.Text
	for _, f := range p.Files {
		where := f.URI
		if where == "" {
			where = strconv.Itoa(len(f.Data)) + " bytes"
		}
		b += " [" + f.MIME + " " + where + "]"
	}
	return b
}
