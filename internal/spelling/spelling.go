// Package spelling finds what a misspelt word may have meant.
package spelling

import (
	"fmt"
	"strings"
)

// Nearest gives the name that is most like the wrong one, or "" when none is near.
func Nearest(wrong string, names []string) string {
	best, least := "", len(wrong)/4+2
	for _, n := range names {
		if d := Distance(strings.ToLower(wrong), strings.ToLower(n)); d < least {
			best, least = n, d
		}
	}
	return best
}

// Meant adds the name that is most like the wrong one to an error about it; without one near, the error stays as it is.
func Meant(err error, wrong string, names []string) error {
	if near := Nearest(wrong, names); near != "" && wrong != "" {
		return fmt.Errorf("%w; did you mean `%s`?", err, near)
	}
	return err
}

// Distance is Levenshtein's, over bytes: good enough for a hint.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			next := diagonal
			if a[i] != b[j] {
				next = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
