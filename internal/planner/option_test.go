package planner

import (
	"reflect"
	"strings"
	"testing"
)

// FuzzOptions: what is written as JSON is read back; nothing that stands in a stored view can do more than fail.
func FuzzOptions(f *testing.F) {
	f.Add(`{"temperature":0.2,"top_k":40,"stop_sequences":["a","b"],"on":true,"none":null,"nested":{"x":[[1]]}}`)
	f.Add(`{"n":9223372036854775808,"m":-0.0,"e":1e400}`)
	f.Add(`[1]`)
	f.Fuzz(func(t *testing.T, s string) {
		options, err := readOptionsJSON(s)
		if err != nil {
			return
		}
		text := optionsJSON(options)
		again, err := readOptionsJSON(text)
		if err != nil || len(options)+len(again) > 0 && !reflect.DeepEqual(options, again) {
			t.Errorf("%q is %v, and written as %q it is %v, %v", s, options, text, again, err)
		}
	})
}

// TestDeepOptions: a text of brackets is an error, and does not use up the stack.
func TestDeepOptions(t *testing.T) {
	if _, err := readOptionsJSON(`{"a":` + strings.Repeat("[", 20_000_000)); err == nil || !strings.Contains(err.Error(), "nest") {
		t.Errorf("got %.100v", err)
	}
}
