package googlesql

import (
	"database/sql"
	"fmt"
	"math"
	"strings"
)

// integers are the functions over INT64.
var integers = map[string]definition{
	"int64_div": binary(func(a, b int64) (int64, error) {
		switch {
		case b == 0:
			return 0, fmt.Errorf("division by zero: %d / %d", a, b)
		case a == math.MinInt64 && b == -1:
			return 0, fmt.Errorf("int64 overflow: -%d", a)
		}
		return a / b, nil
	}),
	"int64_mod": binary(func(a, b int64) (int64, error) {
		switch b {
		case 0:
			return 0, fmt.Errorf("division by zero: MOD(%d, %d)", a, b)
		case -1:
			return 0, nil
		}
		return a % b, nil
	}),
	// ascending is an error when there is a first place where borders do not ascend, or where the first is null or NaN.
	"ascending": binary(func(wrong sql.Null[int64], first string) (bool, error) {
		switch {
		case first != "":
			return false, fmt.Errorf("Elements in input array to RANGE_BUCKET cannot be %s. %s element found at position 1", first,
				strings.ToUpper(first[:1])+first[1:])
		case wrong.Valid:
			return false, fmt.Errorf("Elements in input array to RANGE_BUCKET must be in ascending order. "+
				"Nonconforming elements found at position %d and %d", wrong.V, wrong.V+1)
		}
		return true, nil
	}),
}
