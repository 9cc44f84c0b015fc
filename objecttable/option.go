package objecttable

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/functiontable"
)

// Value is a constant of OPTIONS(…), with its place in the statement. V is a string (also for INTERVAL, as "30 MINUTE"),
// an int64, a float64, a bool, nil, or a []Value (also for the pairs of labels).
type Value struct {
	V        any
	Pos, End int
}

// Option is one option of OPTIONS(…).
type Option struct {
	Name     string
	Value    Value
	Pos, End int
}

// OptionError is an option that is wrong. Pos and End are its place in the statement.
type OptionError struct {
	Pos, End int
	Msg      string
	Hint     string
}

// Error is the text for people.
func (e *OptionError) Error() string {
	if e.Hint == "" {
		return e.Msg
	}
	return e.Msg + ". " + e.Hint
}

var optionNames = functiontable.OptionNames(functiontable.CreateObjectTable)

// otherNames are options of external tables that are not object tables.
var otherNames = []string{
	"format", "allow_jagged_rows", "allow_quoted_newlines", "compression", "encoding", "field_delimiter", "hive_partition_uri_prefix",
	"ignore_unknown_values", "null_marker", "quote", "require_hive_partition_filter", "sheet_range", "skip_leading_rows", "file_set_spec_type",
}

// NewTable checks the options of CREATE EXTERNAL TABLE. authorizer is the connection that reads the objects. stmtPos and
// stmtEnd are the place to blame for an option that is missing.
func NewTable(options []Option, authorizer string, stmtPos, stmtEnd int) (*Table, error) {
	t := &Table{Authorizer: authorizer}
	seen := map[string]Option{}
	for _, o := range options {
		name := strings.ToLower(o.Name)
		switch {
		case slices.Contains(otherNames, name):
			return nil, &OptionError{o.Pos, o.End, fmt.Sprintf("Option %s is not for object tables", o.Name),
				"Leave it out; CSV, JSON and Parquet files are read with DuckDB's read_csv, read_json and read_parquet"}
		case !slices.Contains(optionNames, name):
			return nil, &OptionError{o.Pos, o.End, "Unknown option: " + o.Name, "Object tables have " + strings.Join(optionNames, ", ")}
		case seen[name].Name != "":
			return nil, &OptionError{o.Pos, o.End, fmt.Sprintf("Option %s is given twice", o.Name), ""}
		}
		seen[name] = o
		if err := t.set(name, o); err != nil {
			return nil, err
		}
	}
	if _, ok := seen["object_metadata"]; !ok {
		return nil, &OptionError{stmtPos, stmtEnd, "Option object_metadata is missing",
			"Write object_metadata = 'SIMPLE': of the external tables, only object tables are supported"}
	}
	if _, ok := seen["uris"]; !ok {
		return nil, &OptionError{stmtPos, stmtEnd, "Option uris is missing", "Write uris = ['gs://bucket/folder/*']"}
	}
	stale, isStale := seen["max_staleness"]
	_, isCached := seen["metadata_cache_mode"]
	switch {
	case t.MaxStaleness > 0 && !isCached:
		return nil, &OptionError{stale.Pos, stale.End, "Option max_staleness needs metadata_cache_mode",
			"Add metadata_cache_mode = 'AUTOMATIC' or 'MANUAL'"}
	case isCached && !isStale:
		o := seen["metadata_cache_mode"]
		return nil, &OptionError{o.Pos, o.End, "Option metadata_cache_mode needs max_staleness", "Add max_staleness = INTERVAL 1 HOUR"}
	}
	return t, nil
}

func (t *Table) set(name string, o Option) error {
	bad := func(want string) error {
		return &OptionError{o.Value.Pos, o.Value.End, fmt.Sprintf("Option %s must be %s", o.Name, want), ""}
	}
	text, isText := o.Value.V.(string)
	switch name {
	case "object_metadata":
		if t.ObjectMetadata = strings.ToUpper(text); !isText || t.ObjectMetadata != "SIMPLE" && t.ObjectMetadata != "DIRECTORY" {
			return bad("'SIMPLE'")
		}
	case "uris":
		list, ok := o.Value.V.([]Value)
		if !ok || len(list) == 0 {
			return bad("a list of one or more texts, as ['gs://bucket/folder/*']")
		}
		for _, v := range list {
			uri, ok := v.V.(string)
			if !ok {
				return &OptionError{v.Pos, v.End, "Option uris holds something that is not a text", "Write uris = ['gs://bucket/folder/*']"}
			}
			if _, err := ParsePattern(uri); err != nil {
				e := err.(*patternError)
				return &OptionError{v.Pos, v.End, fmt.Sprintf("URI '%s': %s", uri, e.Msg), strings.ToUpper(e.Hint[:1]) + e.Hint[1:]}
			}
			t.URIs = append(t.URIs, uri)
		}
	case "max_staleness":
		d, ok := interval(o.Value.V)
		if !ok {
			return bad("an interval, as INTERVAL 30 MINUTE")
		}
		if d != 0 && (d < 30*time.Minute || d > 7*24*time.Hour) {
			return bad("0, or between 30 minutes and 7 days")
		}
		t.MaxStaleness = int64(d / time.Second)
	case "metadata_cache_mode":
		if t.CacheMode = strings.ToUpper(text); !isText || t.CacheMode != "AUTOMATIC" && t.CacheMode != "MANUAL" {
			return bad("'AUTOMATIC' or 'MANUAL'")
		}
	case "description":
		if t.Description = text; !isText && o.Value.V != nil {
			return bad("a text")
		}
	case "friendly_name":
		if t.FriendlyName = text; !isText && o.Value.V != nil {
			return bad("a text")
		}
	case "expiration_timestamp":
		if t.Expires = text; !isText && o.Value.V != nil {
			return bad("a timestamp")
		}
	case "labels":
		list, ok := o.Value.V.([]Value)
		if !ok && o.Value.V != nil {
			return bad(`a list of pairs, as [("key", "value")]`)
		}
		for _, v := range list {
			pair, _ := v.V.([]Value)
			if len(pair) != 2 {
				return bad(`a list of pairs, as [("key", "value")]`)
			}
			k, ok1 := pair[0].V.(string)
			w, ok2 := pair[1].V.(string)
			if !ok1 || !ok2 {
				return bad(`a list of pairs of texts, as [("key", "value")]`)
			}
			t.Labels = append(t.Labels, [2]string{k, w})
		}
	}
	return nil
}

var units = map[string]time.Duration{"SECOND": time.Second, "MINUTE": time.Minute, "HOUR": time.Hour, "DAY": 24 * time.Hour,
	"WEEK": 7 * 24 * time.Hour}

// interval reads "n UNIT", with or without INTERVAL before it, BigQuery's "Y-M D H:M:S", or 0.
func interval(v any) (time.Duration, bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case int64:
		return 0, v == 0
	case time.Duration:
		return v, true
	case string:
		f := strings.Fields(strings.ToUpper(v))
		if len(f) > 0 && f[0] == "INTERVAL" {
			f = f[1:]
		}
		if len(f) == 3 && f[0] == "0-0" {
			var h, m, s int64
			d, err := strconv.ParseInt(f[1], 10, 32)
			if n, _ := fmt.Sscanf(f[2], "%d:%d:%d", &h, &m, &s); n != 3 || err != nil || max(h, m, s) > 1<<31 {
				return 0, false
			}
			return time.Duration(d)*24*time.Hour + time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second, true
		}
		if len(f) != 2 {
			return 0, false
		}
		n, err := strconv.ParseInt(strings.Trim(f[0], `'"`), 10, 32)
		unit, ok := units[strings.TrimSuffix(f[1], "S")]
		if err != nil || !ok || n < 0 || n > int64(365*24*time.Hour/unit) {
			return 0, false
		}
		return time.Duration(n) * unit, true
	}
	return 0, false
}
