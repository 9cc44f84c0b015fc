// Package config is the configuration of Mallard: one TOML file, read and checked. Users know its types by the names that packages mallard
// and extension give them; what is a function here and no method is ours alone. Start with [LoadConfig].
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/engine"
)

// Config is Mallard's configuration, one TOML file. The zero value, and [DefaultConfig], work without a file and without
// a cloud account. config.example.toml at the root of the repository names every key with its default.
//
// A connector reads it when it is made: do not change it, nor its maps, from then on.
type Config struct {
	BigQuery   BigQueryConfig   `toml:"bigquery"`   // names and dialect
	Store      StoreConfig      `toml:"store"`      // of the files of models
	TensorFlow TensorFlowConfig `toml:"tensorflow"` // the library, its threads, what graphs may do
	GoogleSQL  GoogleSQLConfig  `toml:"googlesql"`  // the analyzer of GoogleSQL
	Cache      CacheConfig      `toml:"cache"`      // of the answers of remote models
	Budget     BudgetConfig     `toml:"budget"`     // what remote models may be asked
	Objects    ObjectsConfig    `toml:"objects"`    // how objects are read
	// Buckets are folders that stand for buckets of Cloud Storage, by the names of these: gs://NAME/… is read from the folder.
	Buckets map[string]string `toml:"buckets"`
	// Connections are the providers of remote models, by name; "default" is WITH CONNECTION DEFAULT.
	Connections map[string]ConnectionConfig `toml:"connections"`
	// Models are those that belong to no database, by name, such as "demo.lang".
	Models map[string]ModelConfig `toml:"models"`

	// dir is where relative paths of the file start; empty for a configuration that is no file.
	dir string
}

// BigQueryConfig says how BigQuery's names and texts are read.
type BigQueryConfig struct {
	// Project is the first part that project.dataset.name may have without naming an attached database.
	Project string `toml:"project"`
	// Dialect is "auto" (GoogleSQL where a backtick says so), "duckdb" or "bigquery".
	Dialect Dialect `toml:"dialect"`
	// Confined says that EXPORT DATA writes into the folders of Buckets and nowhere else: those who write the statements are not
	// those whose files there are, as for a server.
	Confined bool `toml:"-"`
	// Created knows connections that this configuration lacks: those that a server's clients made. They are those of its default one.
	Created ConnectionSet `toml:"-"`
}

// ConnectionSet tells whether there is a connection of a name, which may have a project and a location before it. It is safe for
// concurrent use.
type ConnectionSet interface{ Has(path []string) bool }

// StoreConfig places the store of model files, and bounds what is loaded of them.
type StoreConfig struct {
	// Path is the folder; empty means "mallard/models" in the user's cache folder.
	Path string `toml:"path"`
	// MaxLoaded is how many models are in memory at once, but for more that statements use; 0 is 64. Others are loaded again when
	// they are asked.
	MaxLoaded int `toml:"max_loaded"`
}

func (c StoreConfig) validate() error {
	if c.MaxLoaded < 0 {
		return errors.New("[store]: max_loaded cannot be negative")
	}
	return nil
}

// TensorFlowConfig finds and sets up TensorFlow.
type TensorFlowConfig struct {
	// Library is the folder of libtensorflow_cc and libtensorflow_framework; empty means to look in the known places.
	Library string `toml:"library"`
	// IntraOpThreads is each model's pool inside one operation; 0 is 1 for small models, whose operations are shorter than
	// the way to another thread, and TensorFlow's choice for others.
	// InterOpThreads is a pool over operations; 0 runs them on the thread that asks, since Mallard spreads batches itself.
	IntraOpThreads int `toml:"intra_op_threads"`
	InterOpThreads int `toml:"inter_op_threads"`
	// XLA compiles graphs for the CPU (session option cpu_global_jit). It pays for numeric models with large batches.
	XLA bool `toml:"xla"`
	// AllowOps names operations that reach outside the graph (ReadFile, PyFunc, …) and are allowed all the same.
	AllowOps []string `toml:"allow_ops"`
	// Isolation is "" to run models in this process, or "process" to run those of a database in a process of their own, which
	// may end without this one: Linux only.
	Isolation string `toml:"isolation"`
	// Worker is the program that is this process: the command mallard, or one that calls RunWorker at the start of its main
	// function. Empty is this program where it is the command mallard, else that command in $PATH.
	Worker string `toml:"worker"`
	// WorkerMemory is how many bytes of memory of its own that process may have; 0 is no bound. Beyond it the process is ended,
	// and the statement with it.
	WorkerMemory int64 `toml:"worker_memory"`
}

func (c TensorFlowConfig) validate() error {
	switch {
	case c.IntraOpThreads < 0 || c.InterOpThreads < 0:
		return errors.New("tensorflow: threads must be 0 (TensorFlow decides) or more")
	case c.Isolation != "" && c.Isolation != "process":
		return fmt.Errorf("[tensorflow]: isolation %q is none; use \"process\", or \"\" for none", c.Isolation)
	case c.WorkerMemory < 0:
		return errors.New("[tensorflow]: worker_memory cannot be negative")
	case c.Isolation == "" && (c.Worker != "" || c.WorkerMemory != 0):
		return errors.New("[tensorflow]: worker and worker_memory need isolation = \"process\"")
	}
	return nil
}

// GoogleSQLConfig finds the analyzer of GoogleSQL.
type GoogleSQLConfig struct {
	// Library is Google's native library, liblocal_service_jni.so, or the jar that holds it; empty means to look in the known
	// places.
	Library string `toml:"library"`
}

// ObjectsConfig says how the objects of buckets and folders are read.
type ObjectsConfig struct {
	// Strict fails a statement at the first object that is gone, changed, forbidden or no image; otherwise its value is
	// NULL and the statement ends with a notice.
	Strict bool `toml:"strict"`
	// MaxMemory is how many bytes of objects a database holds at once besides what queries keep; 0 is 128 MiB.
	MaxMemory int64 `toml:"max_memory"`
	// MaxObject is the size in bytes of the largest object that is read into a value; 0 is 100,000,000.
	MaxObject int64 `toml:"max_object"`
	// Concurrency is how many objects are read at once; 0 is 32.
	Concurrency int `toml:"concurrency"`
}

func (c ObjectsConfig) validate() error {
	if c.MaxMemory < 0 || c.MaxObject < 0 || c.Concurrency < 0 {
		return errors.New("[objects]: max_memory, max_object and concurrency cannot be negative")
	}
	return nil
}

// ModelConfig declares a model outside any database: for read-only databases and services. The fields are the options of
// CREATE MODEL.
type ModelConfig struct {
	Type        string            `toml:"type"`       // the MODEL_TYPE; empty is TENSORFLOW
	Path        string            `toml:"path"`       // the folder of saved_model.pb, a path or gs://…; must be given
	Signature   string            `toml:"signature"`  // empty is serving_default
	Tags        []string          `toml:"tags"`       // empty is the only tag set, or "serve"
	Outputs     []string          `toml:"outputs"`    // empty is all; "name BYTES" gives a string output as BLOB
	BatchSize   int               `toml:"batch_size"` // rows of one TensorFlow call; 0 is chosen by a short measurement
	CustomOps   []string          `toml:"custom_ops"` // libraries with operations that TensorFlow lacks
	Description string            `toml:"description"`
	Labels      map[string]string `toml:"labels"`
}

// Dialect is a [dialect.Lang] that TOML can spell.
type Dialect dialect.Lang

// UnmarshalText reads "auto", "duckdb" or "bigquery".
func (d *Dialect) UnmarshalText(b []byte) error {
	l, err := ParseDialect(string(b))
	*d = Dialect(l)
	return err
}

// MarshalText writes what UnmarshalText reads.
func (d Dialect) MarshalText() ([]byte, error) { return []byte(dialect.Lang(d).String()), nil }

// ParseDialect reads the name of a dialect: "auto", "duckdb" or "bigquery"; "" is "auto".
func ParseDialect(s string) (dialect.Lang, error) {
	switch strings.ToLower(s) {
	case "", "auto":
		return dialect.Auto, nil
	case "duckdb":
		return dialect.DuckDB, nil
	case "bigquery":
		return dialect.GoogleSQL, nil
	}
	return dialect.Auto, fmt.Errorf("unknown dialect %q: use auto, duckdb or bigquery", s)
}

// DefaultConfig is the configuration without a file.
func DefaultConfig() *Config { return &Config{} }

// FindConfig gives the file to read when none is named: MALLARD_CONFIG, then mallard.toml in the current folder, then
// mallard/config.toml in the user's configuration folder. It is "" when there is none.
func FindConfig(env func(string) string) string {
	if f := env("MALLARD_CONFIG"); f != "" {
		return f
	}
	names := []string{"mallard.toml"}
	if d, err := os.UserConfigDir(); err == nil {
		names = append(names, filepath.Join(d, "mallard", "config.toml"))
	}
	for _, n := range names {
		if _, err := os.Stat(n); err == nil {
			return n
		}
	}
	return ""
}

// LoadConfig reads and checks a file. An unknown key, a wrong type or an impossible value is an error with the file's
// line and column.
func LoadConfig(file string) (*Config, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("configuration %s: no such file; name another one with -config or MALLARD_CONFIG", file)
	}
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return parseConfig(file, b)
}

func parseConfig(file string, b []byte) (*Config, error) {
	cfg := DefaultConfig()
	if abs, err := filepath.Abs(file); err == nil {
		cfg.dir = filepath.Dir(abs)
	}
	cfg, err := cfg.With(file, string(b))
	if err != nil {
		return nil, err
	}
	const unit = `%s: %s is a text with a unit: "30s", "5m", "720h"`
	if cfg.Cache.TTL.bare() {
		return nil, fmt.Errorf(unit, file, "cache.ttl")
	}
	for n, c := range cfg.Connections {
		for key, d := range map[string]Duration{"timeout": c.Timeout, "retry.base": c.Retry.Base, "retry.cap": c.Retry.Cap,
			"retry.deadline": c.Retry.Deadline} {
			if d.bare() {
				return nil, fmt.Errorf(unit, file, "connections."+n+"."+key)
			}
		}
	}
	return cfg, nil
}

// With gives the configuration with a text in the form of the file on top: keys that the text has replace those of c, connection by
// connection and model by model. Errors name the text and its line and column. c stays as it is.
func (c *Config) With(name, text string) (*Config, error) {
	cfg := new(Config)
	*cfg = *c
	cfg.Connections, cfg.Models, cfg.Buckets = maps.Clone(c.Connections), maps.Clone(c.Models), maps.Clone(c.Buckets)
	for n, conn := range cfg.Connections {
		conn.Labels, conn.Limits, conn.Prices = maps.Clone(conn.Labels), maps.Clone(conn.Limits), maps.Clone(conn.Prices)
		conn.Capabilities = maps.Clone(conn.Capabilities)
		cfg.Connections[n] = conn
	}
	for n, m := range cfg.Models {
		m.Labels = maps.Clone(m.Labels)
		cfg.Models[n] = m
	}
	dec := toml.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(cfg); err != nil {
		var unknown *toml.StrictMissingError
		if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
			e := unknown.Errors[0]
			line, col := e.Position()
			return nil, fmt.Errorf("%s:%d:%d: %s", name, line, col, unknownKey(e.Key()))
		}
		var de *toml.DecodeError
		if errors.As(err, &de) {
			line, col := de.Position()
			return nil, fmt.Errorf("%s:%d:%d: %s", name, line, col, wrongValue(de))
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return cfg, nil
}

// Validate reports every impossible value at once.
func (c *Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	errs = append(errs, c.TensorFlow.validate(), c.Store.validate(), c.Cache.validate(), c.Budget.validate(), c.Objects.validate())
	for n, folder := range c.Buckets {
		if n == "" || strings.ContainsAny(n, "/*") || folder == "" {
			bad(`buckets: write name = "folder", without slashes in the name`)
		}
	}
	names := make([]string, 0, len(c.Models))
	for n := range c.Models {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		m := c.Models[n]
		if m.Path == "" {
			bad("models.%q: path is missing", n)
		}
		if err := engine.CheckType(m.Type); err != nil {
			bad("models.%q: %w", n, err)
		}
		if m.BatchSize < 0 {
			bad("models.%q: batch_size must be 0 (chosen by a probe) or more", n)
		}
	}
	names = names[:0]
	for n := range c.Connections {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		if err := c.Connections[n].validate(n); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Path resolves a path of the file: relative ones start at the file's folder.
func Path(c *Config, p string) string {
	if p == "" || c.dir == "" || filepath.IsAbs(p) || strings.Contains(p, "://") {
		return p
	}
	return filepath.Join(c.dir, p)
}

// BucketDirs are the folders of [Config.Buckets], resolved as [Path] does.
func BucketDirs(c *Config) map[string]string {
	dirs := make(map[string]string, len(c.Buckets))
	for n, folder := range c.Buckets {
		dirs[n] = Path(c, folder)
	}
	return dirs
}

// StoreDir is the folder of the model store.
func StoreDir(c *Config) (string, error) {
	if c.Store.Path != "" {
		return Path(c, c.Store.Path), nil
	}
	d, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("model store: no cache folder for this user (%w); set [store] path in the configuration", err)
	}
	return filepath.Join(d, "mallard", "models"), nil
}
