package writer

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/metadata"
)

// optionTypes are the options that are kept, with the types of their values.
var optionTypes = map[string]googlesql.Kind{
	"description": googlesql.String, "friendly_name": googlesql.String, "labels": googlesql.Array, "tags": googlesql.Array,
	"location":     googlesql.String,
	"kms_key_name": googlesql.String, "default_kms_key_name": googlesql.String, "storage_billing_model": googlesql.String,
	"primary_replica":      googlesql.String,
	"expiration_timestamp": googlesql.Timestamp, "default_table_expiration_days": googlesql.Float64,
	"default_partition_expiration_days": googlesql.Float64,
	"partition_expiration_days":         googlesql.Float64, "max_time_travel_hours": googlesql.Int64,
	"require_partition_filter": googlesql.Bool,
	"enable_refresh":           googlesql.Bool, "refresh_interval_minutes": googlesql.Float64,
	"allow_non_incremental_definition": googlesql.Bool,
	"is_primary_replica":               googlesql.Bool, "max_staleness": googlesql.Interval, "privacy_policy": googlesql.String,
	"enable_change_history": googlesql.Bool,
	"strict_mode":           googlesql.Bool, "data_governance_type": googlesql.String, "failover_reservation": googlesql.String,
}

// OptionType is the type of an option as INFORMATION_SCHEMA shows it.
func OptionType(name string) string {
	if optionTypes[name] == googlesql.Array {
		return "ARRAY<STRUCT<STRING, STRING>>"
	}
	return googlesql.Type{Kind: optionTypes[name]}.String()
}

// unobserved are the options that are kept and have no effect here, which a notice says.
var unobserved = map[string]bool{"partition_expiration_days": true, "default_partition_expiration_days": true,
	"require_partition_filter": true}

// options reads a list of options. It refuses those that would change a result.
func (w *writer) options(list []*resolved.ResolvedOptionProto) []Option {
	var all []Option
	for _, o := range list {
		at := location(o.GetParent().GetParent())
		name := strings.ToLower(o.GetName())
		want, known := optionTypes[name]
		if !known {
			refuse(at, "the option %s", o.GetName())
		}
		if o.GetAssignmentOp() != resolved.ResolvedOptionEnums_DEFAULT_ASSIGN {
			refuse(at, "+= or -= of the option %s", o.GetName())
		}
		t := typeOf(o.GetValue())
		null := o.GetValue().GetResolvedLiteralNode() != nil && o.GetValue().GetResolvedLiteralNode().GetValue().GetValue().GetValue() == nil
		if number := t.Kind == googlesql.Int64 || t.Kind == googlesql.Numeric; !null && t.Kind != want && !(want == googlesql.Float64 && number) {
			refuse(at, "a value of type %s for the option %s, which takes %s,", t, o.GetName(), googlesql.Type{Kind: want})
		}
		if pairs := want == googlesql.Array && !null; pairs && (t.Elem.Kind != googlesql.Struct || len(t.Elem.Fields) != 2) {
			refuse(at, "a value of type %s for the option %s, which takes pairs of texts,", t, o.GetName())
		}
		if unobserved[name] && !null {
			w.notice("The option " + name + " is kept and has no effect here.")
		}
		all = append(all, Option{Name: name, SQL: w.expr(o.GetValue()), Text: w.source(place(o.GetValue())), Null: null})
	}
	return all
}

// source is a part of the statement as it is written.
func (w *writer) source(at *resolved.ParseLocationRangeProto) string {
	from, to := int(at.GetStart()), int(at.GetEnd())
	if from < 0 || to > len(w.names.Text) || from > to {
		return ""
	}
	return w.names.Text[from:to]
}

// change notes a change; the caller may fill it in.
func (w *writer) change(c Change) *Change {
	w.kept = append(w.kept, &c)
	return &c
}

// make notes what CREATE keeps. Of temporary things nothing is kept.
func (w *writer) make(s *resolved.ResolvedCreateStatementProto, kind metadata.Kind, options []*resolved.ResolvedOptionProto) *Change {
	c := Change{
		Action: Make, Kind: kind, Path: s.GetNamePath(), Options: w.options(options),
		IfMissing: s.GetCreateMode() == resolved.ResolvedCreateStatementEnums_CREATE_IF_NOT_EXISTS,
	}
	if s.GetCreateScope() == resolved.ResolvedCreateStatementEnums_CREATE_TEMP {
		return &c
	}
	return w.change(c)
}

// makeColumns notes what CREATE TABLE keeps of its columns.
func (w *writer) makeColumns(of *Change, list []*resolved.ResolvedColumnDefinitionProto) {
	temporary := len(w.kept) == 0 || w.kept[len(w.kept)-1] != of
	for _, d := range list {
		for _, c := range w.columnChanges(d) {
			if !temporary {
				c.Action, c.Kind, c.Path, c.IfMissing = Alter, metadata.Column, of.Path, of.IfMissing
				w.change(c)
			}
		}
	}
}

// columnChanges gives what a definition keeps of a column and of its fields.
func (w *writer) columnChanges(d *resolved.ResolvedColumnDefinitionProto) []Change {
	var all []Change
	var walk func(path string, t googlesql.Type, a *resolved.ResolvedColumnAnnotationsProto)
	walk = func(path string, t googlesql.Type, a *resolved.ResolvedColumnAnnotationsProto) {
		c := Change{Column: path, Options: w.options(a.GetOptionList())}
		c.Value.Type = declared(t, a.GetTypeParameters())
		if path == d.GetName() {
			if v := d.GetDefaultValue(); v != nil {
				c.Value.Default = v.GetSql()
			}
		} else {
			c.Value.Required = a.GetNotNull()
		}
		if len(c.Options) > 0 || c.Value.Type+c.Value.Default != "" || c.Value.Required {
			all = append(all, c)
		}
		for i, child := range a.GetChildList() {
			switch {
			case t.Kind == googlesql.Array && t.Elem != nil:
				walk(path, *t.Elem, child)
			case i < len(t.Fields):
				walk(path+"."+t.Fields[i].Name, t.Fields[i].Type, child)
			}
		}
	}
	walk(d.GetName(), analyzer.TypeOf(d.GetType()), d.GetAnnotations())
	return all
}

// declared is a type with its parameters, or "" where it has none: STRING(10), NUMERIC(5, 2).
func declared(t googlesql.Type, p *resolved.TypeParametersProto) string {
	if n := p.GetStringTypeParameters(); n != nil && !n.GetIsMaxLength() {
		return t.String() + "(" + strconv.FormatInt(n.GetMaxLength(), 10) + ")"
	}
	if n := p.GetNumericTypeParameters(); n != nil && !n.GetIsMaxPrecision() {
		s := t.String() + "(" + strconv.FormatInt(n.GetPrecision(), 10)
		if n.GetScale() != 0 {
			s += ", " + strconv.FormatInt(n.GetScale(), 10)
		}
		return s + ")"
	}
	return ""
}

// partitionError is BigQuery's word on a clause that is none of these.
const partitionError = "PARTITION BY expression must be DATE(<timestamp_column>), DATE(<datetime_column>), " +
	"DATETIME_TRUNC(<datetime_column>, DAY/HOUR/MONTH/YEAR), a DATE column, TIMESTAMP_TRUNC(<timestamp_column>, DAY/HOUR/MONTH/YEAR), " +
	"DATE_TRUNC(<date_column>, MONTH/YEAR), or RANGE_BUCKET(<int64_column>, GENERATE_ARRAY(<int64_value>, <int64_value>[, <int64_value>]))"

var (
	truncated = regexp.MustCompile("(?is)^(?:DATE_TRUNC|DATETIME_TRUNC|TIMESTAMP_TRUNC)\\s*\\(\\s*" +
		"`?(\\w+)`?\\s*,\\s*(HOUR|DAY|MONTH|YEAR)\\s*\\)$")
	dated  = regexp.MustCompile("(?is)^(?:DATE\\s*\\(\\s*`?(\\w+)`?\\s*\\)|`?(\\w+)`?)$")
	ranged = regexp.MustCompile("(?is)^RANGE_BUCKET\\s*\\(\\s*`?(\\w+)`?" +
		"\\s*,\\s*GENERATE_ARRAY\\s*\\(\\s*(-?\\d+)\\s*,\\s*(-?\\d+)\\s*(?:,\\s*(-?\\d+)\\s*)?\\)\\s*\\)$")
)

// The pseudo-columns of a table that is partitioned by the time of ingestion.
const (
	PartitionTime = "_PARTITIONTIME"
	PartitionDate = "_PARTITIONDATE"
)

// partitioning reads the clause PARTITION BY; nil where there is none.
func (w *writer) partitioning(list []*resolved.AnyResolvedExprProto) *metadata.Partitioning {
	if len(list) == 0 {
		return nil
	}
	at := place(list[0])
	by := strings.TrimSpace(w.source(at))
	p := &metadata.Partitioning{By: by, Unit: "DAY"}
	if m := truncated.FindStringSubmatch(by); m != nil {
		p.Column, p.Unit = m[1], strings.ToUpper(m[2])
	} else if m := dated.FindStringSubmatch(by); m != nil {
		p.Column = m[1] + m[2]
		if typeOf(list[0]).Kind != googlesql.Date && !strings.EqualFold(p.Column, PartitionTime) {
			w.wrong(at, partitionError)
		}
	} else if m := ranged.FindStringSubmatch(by); m != nil {
		p.Column, p.Unit = m[1], ""
		for _, s := range m[2:] {
			n, err := strconv.ParseInt(s, 10, 64)
			if s == "" {
				n, err = 1, nil
			}
			if err != nil {
				w.wrong(at, partitionError)
			}
			p.Range = append(p.Range, n)
		}
		if p.Range[2] <= 0 || p.Range[1] <= p.Range[0] {
			w.wrong(at, partitionError)
		}
	} else {
		w.wrong(at, partitionError)
	}
	if len(list) > 1 {
		w.wrong(place(list[1]), "PARTITION BY takes one expression")
	}
	if strings.EqualFold(p.Column, PartitionTime) || strings.EqualFold(p.Column, PartitionDate) {
		p.Column = ""
	}
	return p
}

// clustering reads the clause CLUSTER BY.
func (w *writer) clustering(list []*resolved.AnyResolvedExprProto) []string {
	var names []string
	for _, e := range list {
		c := e.GetResolvedColumnRefNode()
		if c == nil {
			w.wrong(place(e), "CLUSTER BY takes the names of columns")
		}
		names = append(names, c.GetColumn().GetName())
	}
	if len(names) > 4 {
		w.wrong(place(list[4]), "Too many clustering columns: at most 4 are allowed")
	}
	return names
}

// wrong ends the writing of a statement that is wrong, in words of its own.
func (w *writer) wrong(at *resolved.ParseLocationRangeProto, message string) {
	panic(&Error{What: message, Pos: int(at.GetStart()), End: int(at.GetEnd()), Wrong: true})
}
