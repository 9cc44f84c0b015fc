package extension

import (
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
)

// Config is Mallard's configuration, one TOML file. The zero value, and [DefaultConfig], work without a file and without
// a cloud account. config.example.toml at the root of the repository names every key with its default.
//
// A connector reads it when it is made: do not change it, nor its maps, from then on.
type Config = config.Config

// The parts of a [Config].
type (
	BigQueryConfig   = config.BigQueryConfig
	StoreConfig      = config.StoreConfig
	TensorFlowConfig = config.TensorFlowConfig
	GoogleSQLConfig  = config.GoogleSQLConfig
	CacheConfig      = config.CacheConfig
	BudgetConfig     = config.BudgetConfig
	ObjectsConfig    = config.ObjectsConfig
	ModelConfig      = config.ModelConfig
	ConnectionConfig = config.ConnectionConfig
	RetryConfig      = config.RetryConfig
	ConnectionBudget = config.ConnectionBudget
	LimitConfig      = config.LimitConfig
	PriceConfig      = config.PriceConfig
	Dialect          = config.Dialect
	Duration         = config.Duration
)

// ParseDialect reads the name of a dialect: "auto", "duckdb" or "bigquery"; "" is "auto".
func ParseDialect(s string) (dialect.Lang, error) { return config.ParseDialect(s) }

// DefaultConfig is the configuration without a file.
func DefaultConfig() *Config { return config.DefaultConfig() }

// FindConfig gives the file to read when none is named: MALLARD_CONFIG, then mallard.toml in the current folder, then
// mallard/config.toml in the user's configuration folder. It is "" when there is none.
func FindConfig(env func(string) string) string { return config.FindConfig(env) }

// LoadConfig reads and checks a file. An unknown key, a wrong type or an impossible value is an error with the file's
// line and column.
func LoadConfig(file string) (*Config, error) { return config.LoadConfig(file) }
