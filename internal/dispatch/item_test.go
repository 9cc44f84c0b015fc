package dispatch

import (
	"os"
	"strings"
	"testing"
)

// TestTransitions: a row's question takes the ways that doc.go shows, and no other.
func TestTransitions(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "//	state ")
	table, _, _ = strings.Cut(table, "//\n")
	shown := map[[2]string]bool{}
	for _, line := range strings.Split(table, "\n")[1:] {
		fields := strings.Fields(strings.TrimPrefix(line, "//"))
		if len(fields) < 2 {
			continue
		}
		for i := len(fields) - 1; i > 0; i-- { // the states at the end of the line, with commas between
			shown[[2]string{fields[0], strings.TrimSuffix(fields[i], ",")}] = true
			if !strings.HasSuffix(fields[i-1], ",") {
				break
			}
		}
	}
	pass := func(from, to state) (ok bool) {
		defer func() { ok = recover() == nil }()
		(&item{state: from}).to(to)
		return
	}
	n := 0
	for from := idle; from <= gone; from++ {
		for to := idle; to <= gone; to++ {
			if pass(from, to) != shown[[2]string{from.String(), to.String()}] {
				t.Errorf("from %v to %v: allowed %t, shown %t", from, to, pass(from, to), shown[[2]string{from.String(), to.String()}])
			}
			if pass(from, to) {
				n++
			}
		}
	}
	if n != len(shown) {
		t.Errorf("%d ways, %d are shown", n, len(shown))
	}
}
