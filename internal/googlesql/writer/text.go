package writer

import (
	"regexp"
	"slices"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/quote"
)

// texts are the functions of STRING and BYTES
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/string_functions).
var texts = map[string]entry{
	"ascii":                        overloaded("ascii"),
	"byte_length":                  byteLength,
	"octet_length":                 byteLength,
	"char_length":                  template("length($1)"),
	"character_length":             template("length($1)"),
	"length":                       length,
	"chr":                          goFunction("chr"),
	"code_points_to_bytes":         goFunction("code_points_to_bytes"),
	"code_points_to_string":        goFunction("code_points_to_string"),
	"concat":                       concat,
	"$concat_op":                   concat,
	"contains_substr":              anyFunction("contains_substr"),
	"edit_distance":                editDistance,
	"ends_with":                    prefix("ends_with"),
	"from_base32":                  goFunction("from_base32"),
	"from_base64":                  goFunction("from_base64"),
	"from_hex":                     goFunction("from_hex"),
	"initcap":                      withDefault("initcap", 2, quote.Text(delimiters)),
	"instr":                        instr,
	"left":                         overloaded("left"),
	"lower":                        overloaded("lower"),
	"lpad":                         pad("lpad"),
	"ltrim":                        trim("ltrim"),
	"normalize":                    normalize("normalize"),
	"normalize_and_casefold":       normalize("normalize_and_casefold"),
	"repeat":                       overloaded("repeat"),
	"replace":                      overloaded("replace"),
	"reverse":                      overloaded("reverse"),
	"right":                        overloaded("right"),
	"rpad":                         pad("rpad"),
	"rtrim":                        trim("rtrim"),
	"safe_convert_bytes_to_string": goFunction("safe_convert_bytes_to_string"),
	"soundex":                      goFunction("soundex"),
	"split":                        split,
	"starts_with":                  prefix("starts_with"),
	"strpos":                       overloaded("strpos"),
	"substr":                       substr,
	"substring":                    substr,
	"to_base32":                    goFunction("to_base32"),
	"to_base64":                    goFunction("to_base64"),
	"to_code_points":               overloaded("to_code_points"),
	"to_hex":                       goFunction("to_hex"),
	"translate":                    overloaded("translate"),
	"trim":                         trim("trim"),
	"unicode":                      goFunction("unicode"),
	"upper":                        overloaded("upper"),
	"generate_uuid":                template("CAST(uuid() AS VARCHAR)"),
}

// delimiters of words are those of INITCAP without a second argument
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#initcap).
const delimiters = " \t\n\v\f\r\u0085\u00a0\u1680" +
	"\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000" +
	"[](){}/|\\<>!?@\"^#$&~_,.:;*%+-"

// overloaded makes an entry of a native function over STRING, of which the form over BYTES has _bytes behind its name.
func overloaded(name string) entry {
	return func(c *call) string { return c.forBytes(name) + "(" + strings.Join(c.args, ", ") + ")" }
}

// forBytes gives the native function for the type of the first argument.
func (c *call) forBytes(name string) string {
	if c.isBytes() {
		name += "_bytes"
	}
	return c.w.native(name)
}

func (c *call) isBytes() bool { return c.types[0].Kind == googlesql.Bytes }

func editDistance(c *call) string {
	return c.forBytes("edit_distance") + "(" + strings.Join(append(c.args[:len(c.args):len(c.args)], "NULL::BIGINT")[:3], ", ") + ")"
}

func length(c *call) string {
	if c.isBytes() {
		return "octet_length(" + c.args[0] + ")"
	}
	return "length(" + c.args[0] + ")"
}

func byteLength(c *call) string {
	if c.isBytes() {
		return "octet_length(" + c.args[0] + ")"
	}
	return "strlen(" + c.args[0] + ")"
}

// concat is NULL when an argument is, as || and not as concat.
func concat(c *call) string {
	parts := make([]string, len(c.args))
	for i, a := range c.args {
		if strings.HasPrefix(a, "NULL::") { // DuckDB would make it an INTEGER
			return "NULL::" + duckType(c.at, c.result)
		}
		parts[i] = c.w.cast(c.at, a, c.types[i], c.result)
	}
	if c.result.Kind == googlesql.Array && len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, " || ") + ")"
}

func prefix(name string) entry {
	return func(c *call) string {
		if c.isBytes() {
			return c.w.native(name+"_bytes") + "(" + strings.Join(c.args, ", ") + ")"
		}
		return name + "(" + strings.Join(c.args, ", ") + ")"
	}
}

func instr(c *call) string {
	return c.forBytes("instr") + "(" + strings.Join(append(c.args[:len(c.args):len(c.args)], "1::BIGINT", "1::BIGINT")[:4], ", ") + ")"
}

func pad(name string) entry {
	return func(c *call) string {
		by := "' '"
		if c.isBytes() {
			by = "' '::BLOB"
		}
		return c.forBytes(name) + "(" + strings.Join(append(c.args[:len(c.args):len(c.args)], by)[:3], ", ") + ")"
	}
}

func trim(name string) entry {
	return func(c *call) string {
		switch {
		case c.isBytes():
			name := name + "_bytes"
			return c.w.native(name) + "(" + c.args[0] + ", " + c.args[1] + ")"
		case len(c.args) == 1:
			return c.w.native(name) + "(" + c.args[0] + ")"
		}
		return c.w.native(name+"_set") + "(" + c.args[0] + ", " + c.args[1] + ")"
	}
}

func split(c *call) string {
	args := c.args
	if len(args) < 2 {
		args = append(args[:1:1], "','")
	}
	return c.forBytes("split") + "(" + strings.Join(args, ", ") + ")"
}

// positive matches a constant from 1 to 18 digits.
var positive = regexp.MustCompile(`^0*[1-9]\d{0,17}::BIGINT$`)

// substr is DuckDB's for constants that mean the same there.
func substr(c *call) string {
	if !c.isBytes() && positive.MatchString(c.args[1]) && (len(c.args) < 3 || positive.MatchString(c.args[2])) {
		return "substring(" + strings.Join(c.args, ", ") + ")"
	}
	return c.forBytes("substr") + "(" + strings.Join(append(c.args[:len(c.args):len(c.args)], "9223372036854775807")[:3], ", ") + ")"
}

// normalize makes an entry of a function whose second argument is the name of a form, NFC when it is left out.
func normalize(name string) entry {
	return func(c *call) string {
		mode := "NFC"
		if len(c.args) > 1 {
			n := slices.Index([]string{"0", "1", "2", "3"}, c.args[1])
			if n < 0 {
				c.refuse("%s with a mode that is no constant", strings.ToUpper(c.name))
			}
			mode = [...]string{"NFC", "NFKC", "NFD", "NFKD"}[n]
		}
		return c.w.native(name) + "(" + c.args[0] + ", " + quote.Text(mode) + ")"
	}
}
