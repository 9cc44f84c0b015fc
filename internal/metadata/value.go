package metadata

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/quote"
)

// Kind is what a key names.
type Kind string

// The kinds. Tables, views and models share a namespace in DuckDB.
const (
	Dataset Kind = "dataset"
	Table   Kind = "table"
	View    Kind = "view"
	Model   Kind = "model"
	Routine Kind = "routine"
	Column  Kind = "column"
	// What belongs to the database, and to no dataset: the key has a Name alone.
	Connection Kind = "connection"
	Policy     Kind = "policy"
)

var kinds = []Kind{Dataset, Table, View, Model, Routine, Column, Connection, Policy}

// Key names something of a database. Names do not tell case apart, as in DuckDB.
type Key struct {
	Kind    Kind
	Dataset string
	Name    string // of a table, view, model or routine; of what a column belongs to
	Column  string // a column, or a field in it with dots between
}

// Entry is a key and what is kept of it.
type Entry struct {
	Key
	Value Value
}

// Value is what is kept. Its zero value is nothing.
type Value struct {
	Description  string            `json:"description,omitempty"`
	FriendlyName string            `json:"friendlyName,omitempty"`
	Labels       map[string]string `json:"labels,omitempty"`
	Location     string            `json:"location,omitempty"`
	// Expires is when a table is no more.
	Expires *time.Time `json:"expires,omitempty"`
	// TableLife and PartitionLife are the defaults of a dataset for how long new tables and partitions live; PartitionLife
	// also that of a table's partitions.
	TableLife     time.Duration `json:"tableLife,omitempty"`
	PartitionLife time.Duration `json:"partitionLife,omitempty"`
	Partitioning  *Partitioning `json:"partitioning,omitempty"`
	Clustering    []string      `json:"clustering,omitempty"` // columns
	// Type is what a column or a field was declared as, in GoogleSQL, where DuckDB cannot tell: STRING(10), say.
	Type string `json:"type,omitempty"`
	// Required tells of a field in a STRUCT that it takes no NULL; of columns DuckDB knows.
	Required bool `json:"required,omitempty"`
	// Default is the expression DEFAULT of a column, in GoogleSQL.
	Default string `json:"default,omitempty"`
	// Query is the text of a view, or of a materialized view, in GoogleSQL.
	Query        string `json:"query,omitempty"`
	Materialized bool   `json:"materialized,omitempty"`
	// SnapshotOf is the table of which this is a snapshot, which cannot be changed; Snapshot is when it was taken.
	SnapshotOf string     `json:"snapshotOf,omitempty"`
	Snapshot   *time.Time `json:"snapshot,omitempty"`
	Created    *time.Time `json:"created,omitempty"`
	Modified   *time.Time `json:"modified,omitempty"` // the last change of the definition, or of what is kept here
	// Options are other options of GoogleSQL's by their lower-case names, each written as GoogleSQL writes a constant.
	Options map[string]string `json:"options,omitempty"`
	// Properties are other fields of the REST API's resource, by their names there.
	Properties map[string]json.RawMessage `json:"properties,omitempty"`
}

// Partitioning is a clause PARTITION BY.
type Partitioning struct {
	By     string `json:"by"`               // the expression, in GoogleSQL
	Column string `json:"column,omitempty"` // "" by the time of ingestion
	// Unit is HOUR, DAY, MONTH or YEAR; "" where ranges of numbers are.
	Unit string `json:"unit,omitempty"`
	// Range is first, one past the last, and width, where numbers are.
	Range         []int64 `json:"range,omitempty"`
	RequireFilter bool    `json:"requireFilter,omitempty"`
}

// String is the key as messages show it.
func (k Key) String() string {
	parts := []string{k.Dataset}
	for _, p := range []string{k.Name, k.Column} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return fmt.Sprintf("%s %s", k.Kind, strings.Join(parts, "."))
}

// same compares names. A text that is empty may come back as NULL from an exported database.
func same(column, value string) string {
	return "lower(coalesce(" + column + ", '')) = lower(" + quote.Text(value) + ")"
}

func sameKey(a, b Key) bool {
	return strings.EqualFold(a.Dataset, b.Dataset) && strings.EqualFold(a.Name, b.Name) && strings.EqualFold(a.Column, b.Column)
}

// shares are the kinds of one namespace.
func (k Key) shares() string {
	switch k.Kind {
	case Table, View, Model:
		return "kind IN ('table', 'view', 'model')"
	}
	return "kind = " + quote.Text(string(k.Kind))
}

// where finds the record of a key.
func (k Key) where() string {
	return k.shares() + " AND " + same("dataset", k.Dataset) + " AND " + same("name", k.Name) + " AND " + same("field", k.Column)
}

// within finds the record of a key and those of what is in it.
func (k Key) within() string {
	switch k.Kind {
	case Dataset:
		return same("dataset", k.Dataset)
	case Routine, Connection, Policy:
		return k.where()
	case Column:
		return "kind = 'column' AND " + same("dataset", k.Dataset) + " AND " + same("name", k.Name) +
			" AND (" + same("field", k.Column) + " OR starts_with(lower(field), lower(" + quote.Text(k.Column+".") + ")))"
	}
	return "kind IN ('table', 'view', 'model', 'column') AND " + same("dataset", k.Dataset) + " AND " + same("name", k.Name)
}
