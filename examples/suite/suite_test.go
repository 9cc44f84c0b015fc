// Package suite is a test suite of SQL: what a team's views say, with a model in the process and a remote one that a script answers.
// Each file of testdata runs on a database of its own.
package suite

import (
	"testing"

	"github.com/mallardml/mallard/extension/emulate"
	"github.com/mallardml/mallard/sqllogic"
)

func TestSQL(t *testing.T) {
	sqllogic.Run(t, "testdata", sqllogic.Options{
		Begin:   emulate.Suite{}.Begin,
		Require: func(name string) (bool, string) { return name == "tensorflow", "" },
		Vars:    map[string]string{"MODELS": "../../testdata/models"},
	})
}
