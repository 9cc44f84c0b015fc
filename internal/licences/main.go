// Command licences checks under which licences the modules stand that our packages link: `go run ./internal/licences [PACKAGES]`. A module
// without a licence that it knows, or with one that is not on its list, is an error.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// allowed are licences whose terms a program that is given away in source or as a binary meets by keeping their texts.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}

// covered is how many percent of a text must be words of known licences.
const covered = 75

func main() {
	packages := os.Args[1:]
	if len(packages) == 0 {
		packages = []string{"./..."}
	}
	n, err := check(packages)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d modules stand under licences that are allowed\n", n)
}

type module struct {
	Path, Dir string
	Main      bool
	Replace   *module
}

// check looks at the modules of the packages and of all that they import.
func check(packages []string) (int, error) {
	list := exec.Command("go", append([]string{"list", "-deps", "-json=Module"}, packages...)...)
	list.Stderr = os.Stderr
	text, err := list.Output()
	if err != nil {
		return 0, fmt.Errorf("go list: %w", err)
	}
	seen := map[string]bool{}
	var wrong []error
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var p struct{ Module *module }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return len(seen), errors.Join(wrong...)
		} else if err != nil {
			return 0, fmt.Errorf("go list: %w", err)
		}
		m := p.Module
		if m == nil || m.Main || seen[m.Path] { // the standard library has none
			continue
		}
		seen[m.Path] = true
		if m.Replace != nil {
			m.Dir = m.Replace.Dir
		}
		if err := judge(m); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", m.Path, err))
		}
	}
}

// judge reads the licences of a module: the first of each file must be allowed, and one must be there.
func judge(m *module) error {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		if e.IsDir() || !strings.HasPrefix(name, "LICENSE") && !strings.HasPrefix(name, "LICENCE") && !strings.HasPrefix(name, "COPYING") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.Dir, e.Name()))
		if err != nil {
			return err
		}
		c := licensecheck.Scan(text)
		if len(c.Match) == 0 {
			continue
		}
		// Behind the first one stand those of what the module has taken in, in C as well.
		if l := c.Match[0]; !slices.Contains(allowed, l.ID) {
			return fmt.Errorf("%s is %s, which is not among %s", e.Name(), l.ID, strings.Join(allowed, ", "))
		}
		found = found || c.Percent >= covered
	}
	if !found {
		return errors.New("no file has the text of a known licence")
	}
	return nil
}
