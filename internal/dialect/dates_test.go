package dialect

import "testing"

func TestDates(t *testing.T) {
	src := "SELECT DATE '2020-01-01', \"DATE '2021-01-01'\", date\n/* */ r\"2022-01-01\", DATE(x), d DATE -- DATE '1'"
	var got []string
	for _, d := range Dates(src) {
		got = append(got, src[d.Pos:d.End])
	}
	if len(got) != 2 || got[0] != "DATE '2020-01-01'" || got[1] != "date\n/* */ r\"2022-01-01\"" {
		t.Errorf("%q", got)
	}
}
