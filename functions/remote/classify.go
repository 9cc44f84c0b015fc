package remote

import (
	"fmt"
	"strings"
)

// Category is one into which AI.CLASSIFY may put its input.
type Category struct{ Name, Meaning string }

// classifying says before a prompt what the answer is to be.
func classifying(list []Category) string {
	var b strings.Builder
	b.WriteString("Classify the input that follows into exactly one of these categories:\n")
	for _, c := range list {
		b.WriteString("- " + c.Name)
		if c.Meaning != "" {
			b.WriteString(": " + c.Meaning)
		}
		b.WriteByte('\n')
	}
	b.WriteString("Input: ")
	return b.String()
}

// categoryOf finds the category that an answer names, in any case.
func categoryOf(answer any, list []Category) (any, string) {
	s, ok := answer.(string)
	if !ok {
		return nil, "The answer names no category."
	}
	for _, c := range list {
		if strings.EqualFold(strings.TrimSpace(s), c.Name) {
			return c.Name, ""
		}
	}
	return nil, fmt.Sprintf("The answer %q is none of the categories.", s)
}

// choose restricts the schema of an answer to the categories.
func choose(schema map[string]any, list []Category) map[string]any {
	if len(list) == 0 {
		return schema
	}
	names := make([]any, len(list))
	for i, c := range list {
		names[i] = c.Name
	}
	schema["properties"].(map[string]any)["result"] = map[string]any{"type": "STRING", "enum": names}
	return schema
}
