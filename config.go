package mallard

import (
	_ "embed"

	"github.com/mallardml/mallard/internal/config"
)

//go:embed config.example.toml
var exampleConfig string

// ConfigTemplate gives config.example.toml: every key with its default, each with what it means.
func ConfigTemplate() string { return exampleConfig }

// Config is the configuration: one TOML file, or a value of this type. The zero value works without a file and without a cloud
// account. config.example.toml names every key with its default. Do not change it once a connector has it.
type Config = config.Config

// The parts of a [Config].
type (
	BigQueryConfig   = config.BigQueryConfig   // names and dialect
	StoreConfig      = config.StoreConfig      // where the files of models are kept
	TensorFlowConfig = config.TensorFlowConfig // the library, its threads, what graphs may do
	GoogleSQLConfig  = config.GoogleSQLConfig  // the analyzer of GoogleSQL
	CacheConfig      = config.CacheConfig      // of the answers of remote models
	BudgetConfig     = config.BudgetConfig     // what remote models may be asked
	ObjectsConfig    = config.ObjectsConfig    // how objects are read
	ModelConfig      = config.ModelConfig      // a model that belongs to no database
	ConnectionConfig = config.ConnectionConfig // a provider of remote models
	RetryConfig      = config.RetryConfig
	ConnectionBudget = config.ConnectionBudget
	LimitConfig      = config.LimitConfig
	PriceConfig      = config.PriceConfig
	Duration         = config.Duration // a time span that TOML spells as Go does
)

// DefaultConfig is the configuration without a file.
func DefaultConfig() *Config { return config.DefaultConfig() }

// LoadConfig reads and checks a file. An unknown key, a wrong type or an impossible value is an error with the file's line
// and column.
func LoadConfig(file string) (*Config, error) { return config.LoadConfig(file) }

// FindConfig gives the file to read when none is named: MALLARD_CONFIG, then mallard.toml in the current folder, then
// mallard/config.toml in the user's configuration folder; "" when there is none. env is os.Getenv.
func FindConfig(env func(string) string) string { return config.FindConfig(env) }
