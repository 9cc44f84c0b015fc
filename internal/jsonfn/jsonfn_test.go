package jsonfn

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

const null = "<NULL>"

func sqlText(s string, ok bool) string {
	if !ok {
		return null
	}
	return s
}

// The expected values are those of BigQuery's documentation where it has the example, else of its rules.
func TestQueryAndValue(t *testing.T) {
	poster := "\n{\n \"title\": \"Little Annie Rooney\",\n \"year\": 1912\n}\n"
	for _, c := range []struct{ give, path, query, value string }{
		{`{"hello": "world"`, "$.hello", `"world"`, "world"}, // not closed
		{poster, "$.title", `"Little Annie Rooney"`, "Little Annie Rooney"},
		{poster + "```\n", "$.year", "1912", "1912"}, // garbage behind
		{`{"class" : {"students" : [{"name" : "Jane"}]}}`, "$", `{"class":{"students":[{"name":"Jane"}]}}`, null},
		{`{"class" : {"students" : []}}`, "$.class.students", "[]", null},
		{`{"class" : {"students" : [{"name" : "John"}, {"name": "Jamie"}]}}`, "$.class.students[1].name", `"Jamie"`, "Jamie"},
		{`{"class" : {"students" : [{"name" : "Jane"}]}}`, "$.class['students']", "error", "error"},
		{`{"a.b": {"c": "world"}}`, `$."a.b".c`, `"world"`, "world"},
		{`{"a": null}`, "$.a", null, null},
		{`{"a": null}`, "$.b", null, null},
		{`{"a": {"b": null}}`, "$.a", `{"b":null}`, null},
		{`{"b": 1, "a": 2, "b": 3}`, "$", `{"b":1,"a":2,"b":3}`, null},
		{`{"b": 1, "b": 3}`, "$.b", "1", "1"},
		{`[1, 2.50, true]`, "$[1]", "2.50", "2.50"},
		{`[1, 2.50, true]`, "$[2]", "true", "true"},
		{`[1, 2.50, true]`, "$[3]", null, null},
		{`{"a": 1}`, "$[0]", null, null},
		{`[1]`, "$.a", null, null},
		{`{"a": {"b": 1`, "$.a", null, null},
		{`{"a": x, "b": 1}`, "$.b", null, null},
		{`{"a": [1,], "b": 1}`, "$.b", null, null},
		{"not JSON", "$", null, null},
		{"", "$", null, null},
		{`"a\"\n\u00e9\ud83d\ude00\/"`, "$", `"a\"\né😀/"`, "a\"\né😀/"},
		{`"\ud83d"`, "$", `"` + "\uFFFD" + `"`, "\uFFFD"},
		{`"\q"`, "$", null, null},
		{"\"a\x01\"", "$", `"a\u0001"`, "a\x01"},
		{`{"":1}`, `$.""`, "1", "1"},
		{`1`, "", "error", "error"},
		{`1`, "$.", "error", "error"},
		{`1`, "$..a", "error", "error"},
		{`1`, "$.*", "error", "error"},
		{`1`, "$[*]", "error", "error"},
		{`1`, "$[-1]", "error", "error"},
		{`1`, "$[", "error", "error"},
		{`1`, `$."a`, "error", "error"},
		{`1`, "a", "error", "error"},
		{`1`, "lax $.a", "error", "error"},
		{`01`, "$", null, null},
		{`-`, "$", null, null},
		{`-1.5e+3 `, "$", "-1.5e+3", "-1.5e+3"},
	} {
		q, ok, err := Query(c.give, c.path)
		if got := sqlText(q, ok); (err != nil) != (c.query == "error") || err == nil && got != c.query {
			t.Errorf("Query(%q, %q) = %s, %v; want %s", c.give, c.path, got, err, c.query)
		}
		v, ok, err := Value(c.give, c.path)
		if got := sqlText(v, ok); (err != nil) != (c.value == "error") || err == nil && got != c.value {
			t.Errorf("Value(%q, %q) = %s, %v; want %s", c.give, c.path, got, err, c.value)
		}
	}
}

func TestDeepTextNeedsNoStack(t *testing.T) {
	deep := strings.Repeat("[", 5_000_000)
	if _, ok, err := Query(deep, "$"); ok || err != nil {
		t.Errorf("an open text of brackets gave %v, %v", ok, err)
	}
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":"\u00e9"}]}`, "\n{\"a\": 1}\n```", `[[[`, `"\ud800"`, `{"a":1,}`, "1e5 x"} {
		for _, p := range []string{"$", "$.a", "$.a[1].b", `$."a"`, "$[0]"} {
			f.Add(s, p)
		}
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		out, ok, err := Query(text, path)
		_, vok, verr := Value(text, path)
		if (err == nil) != (verr == nil) {
			t.Fatalf("one finds the path malformed, the other not: %v, %v", err, verr)
		}
		if ok && !utf8.ValidString(out) && utf8.ValidString(text) {
			t.Fatalf("broken UTF-8: %q", out)
		}
		if !ok {
			if vok && err == nil {
				t.Fatal("a value without a query result")
			}
			return
		}
		if utf8.ValidString(text) && !json.Valid([]byte(out)) {
			t.Fatalf("not JSON: %q", out)
		}
		if again, ok, err := Query(out, "$"); !ok || err != nil || again != out {
			t.Fatalf("not a fixed point: %q, %q", out, again)
		}
		// What the standard library accepts whole must be readable here.
		if json.Valid([]byte(text)) && path == "$" && strings.TrimSpace(text) == "null" {
			t.Fatal("JSON null must be SQL NULL")
		}
	})
}

// FuzzReads checks that every text the standard library takes for JSON is read, to the same value.
func FuzzReads(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":"\u00e9"}]}`, `[[[]]]`, `"\ud800"`, `{}`, `-0.1e5`, ` [ true , false ] `} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) || strings.TrimSpace(text) == "null" {
			return
		}
		out, ok, err := Query(text, "$")
		if !ok || err != nil {
			t.Fatalf("valid JSON not read: %q, %v", text, err)
		}
		var want, got any
		if json.Unmarshal([]byte(text), &want) != nil {
			return
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
		w, _ := json.Marshal(want)
		g, _ := json.Marshal(got)
		if string(w) != string(g) {
			t.Fatalf("%q became %q", text, out)
		}
	})
}
