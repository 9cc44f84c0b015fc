package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/mallardml/mallard/internal/spelling"
	"github.com/pelletier/go-toml/v2"
)

// unknownKey says that a key of the configuration is none, and which one was meant where that is plain.
func unknownKey(key []string) string {
	advice := "config.example.toml lists every key"
	if known := keysBeside(reflect.TypeFor[Config](), key); len(known) > 0 {
		if near := spelling.Nearest(key[len(key)-1], known); near != "" {
			advice = fmt.Sprintf("did you mean %q? config.example.toml lists every key", near)
		}
	}
	return fmt.Sprintf("unknown key %q; %s", strings.Join(key, "."), advice)
}

// keysBeside are the keys that may stand where the last of key stands; nil where nothing is known of the place.
func keysBeside(t reflect.Type, key []string) []string {
	for t.Kind() == reflect.Map {
		if len(key) < 2 {
			return nil
		}
		t, key = t.Elem(), key[1:]
	}
	if t.Kind() != reflect.Struct || len(key) == 0 {
		return nil
	}
	var names []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
		if name == "" || name == "-" {
			continue
		}
		if len(key) > 1 && name == key[0] {
			return keysBeside(f.Type, key[1:])
		}
		names = append(names, name)
	}
	// A table that is misspelt itself is the key to correct; the decoder names it without its keys.
	if len(key) > 1 {
		return nil
	}
	return names
}

// mismatch is how go-toml tells of a value of the wrong type: in words of Go that a file's author need not know.
var mismatch = regexp.MustCompile(`^cannot decode TOML (\S+) into (?:a Go value|struct field \S+) of type (\S+)$`)

// wrongValue is the text of a decoding error.
func wrongValue(de *toml.DecodeError) string {
	text := strings.TrimPrefix(de.Error(), "toml: ")
	m := mismatch.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	want := "a table"
	switch m[2] {
	case "string":
		want = "a text in quotes"
	case "bool":
		want = "true or false"
	case "int", "int64":
		want = "a whole number"
	case "float64":
		want = "a number"
	case "[]string":
		want = "a list of texts in quotes"
	}
	subject := "this"
	if key := de.Key(); len(key) > 0 {
		subject = fmt.Sprintf("%q", strings.Join(key, "."))
	}
	return fmt.Sprintf("%s must be %s, and here stands TOML's %s", subject, want, m[1])
}
