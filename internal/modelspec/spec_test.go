package modelspec

import (
	"reflect"
	"strings"
	"testing"
)

func fuzzed() *Spec {
	return &Spec{ID: "x", Type: "TENSORFLOW", Path: "it's", Digest: "d", Signature: "s",
		Inputs:  []Port{{Name: "a", DType: "string", Shape: []int64{-1}}},
		Outputs: []Port{{Name: "b", DType: "float32", Shape: []int64{-1, 2}}}}
}

// TestView: a spec is read again out of the text of its view, with quotes in it.
func TestView(t *testing.T) {
	want := fuzzed()
	got, ok := OfView(`CREATE VIEW m AS ` + want.ViewSQL() + ";")
	if !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, ok)
	}
	if _, ok := OfView("CREATE VIEW m AS SELECT 1"); ok {
		t.Error("a view of somebody else's")
	}
	if got := PortsText(want.Outputs); got != "b DOUBLE[]" {
		t.Errorf("ports: %s", got)
	}
}

// TestDecode: a spec that is not whole is refused.
func TestDecode(t *testing.T) {
	for _, tt := range []struct {
		format, give, want string
	}{
		{"mallard/9", "{}", `has format "mallard/9"`},
		{Format, "{", "cannot be read"},
		{Format, "{}", "lacks inputs, outputs or the digest"},
		{Format, `{"type":"REMOTE"}`, "lacks endpoint or connection"},
		{Format, `{"inputs":[{"name":"a","dtype":"complex64"}]}`, "`a` the unknown type \"complex64\""},
	} {
		if _, err := Decode(tt.format, tt.give); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.give, err, tt.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(fuzzed().Encode())
	f.Add(`{"type":"REMOTE","endpoint":"e","connection":"c"}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Decode(Format, text)
		if err != nil {
			return
		}
		if again, ok := OfView(s.ViewSQL()); !ok || again.Encode() != s.Encode() {
			t.Errorf("%s does not come back from its view", text)
		}
	})
}
