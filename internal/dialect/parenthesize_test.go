package dialect_test

import (
	"strings"
	"testing"

	"github.com/mallardml/mallard/internal/dialect"
)

func TestParenthesize(t *testing.T) {
	for _, good := range []string{
		"a > 5", "a IN (1, 2) AND b[OFFSET(0)] = ')'", "a = ';' -- ; )", "`)` = \"(\"", "a = '''x\n)''' /* ) */", "a = r'x' # (",
	} {
		if got, err := dialect.Parenthesize(good, dialect.GoogleSQL); err != nil || !strings.HasPrefix(got, "(") {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "  ", "-- nothing", "TRUE) OR (TRUE", "TRUE); DROP TABLE t; SELECT (1", "(a", "a)", "[a)", "a = 'x", "a /* b", "TRUE;", "'''a''",
	} {
		if got, err := dialect.Parenthesize(bad, dialect.GoogleSQL); err == nil {
			t.Errorf("%s: %s", bad, got)
		}
	}
}
