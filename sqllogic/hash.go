package sqllogic

import (
	"crypto/md5"
	"fmt"
	"regexp"
	"slices"
)

var hashLine = regexp.MustCompile(`^[0-9]+ values hashing to [0-9a-f]{32}$`)

// isHash tells that an expected result is a hash, as DuckDB's and SQLite's runners write it.
func isHash(line string) bool { return hashLine.MatchString(line) }

// hash gives the hash of a result as those runners do: the MD5 of the values in their order, each with a line end.
func (t table) hash(sort string) string {
	rows := make([][]string, len(t))
	for i, row := range t {
		for _, v := range row {
			rows[i] = append(rows[i], v.hashed)
		}
	}
	if sort == "rowsort" {
		slices.SortStableFunc(rows, slices.Compare)
	}
	all := slices.Concat(rows...)
	if sort == "valuesort" {
		slices.Sort(all)
	}
	h := md5.New()
	for _, v := range all {
		fmt.Fprintln(h, v)
	}
	return fmt.Sprintf("%d values hashing to %x", len(all), h.Sum(nil))
}
