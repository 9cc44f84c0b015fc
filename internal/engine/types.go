package engine

import (
	"fmt"
	"slices"
	"strings"
)

// types are the MODEL_TYPEs that there are kinds for, upper-case. What only checks a name, such as the configuration, need not
// load an engine.
var types = [...]string{"TENSORFLOW"}

// DefaultType is that of a model which names none.
func DefaultType() string { return types[0] }

// CheckType refuses a MODEL_TYPE that there is no kind for; "" is the default one.
func CheckType(name string) error {
	if name == "" || slices.ContainsFunc(types[:], func(t string) bool { return strings.EqualFold(t, name) }) {
		return nil
	}
	return fmt.Errorf("type %q is not supported; use %s", name, strings.Join(types[:], " or "))
}
