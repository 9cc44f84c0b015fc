package mallard

import "github.com/mallardml/mallard/extension"

// Config is the configuration: one TOML file, or a value of this type. The zero value works without a file and without a cloud
// account. config.example.toml names every key with its default. Do not change it once a connector has it.
type Config = extension.Config

// The parts of a [Config].
type (
	BigQueryConfig   = extension.BigQueryConfig   // names and dialect
	StoreConfig      = extension.StoreConfig      // where the files of models are kept
	TensorFlowConfig = extension.TensorFlowConfig // the library, its threads, what graphs may do
	GoogleSQLConfig  = extension.GoogleSQLConfig  // the analyzer of GoogleSQL
	CacheConfig      = extension.CacheConfig      // of the answers of remote models
	BudgetConfig     = extension.BudgetConfig     // what remote models may be asked
	ObjectsConfig    = extension.ObjectsConfig    // how objects are read
	ModelConfig      = extension.ModelConfig      // a model that belongs to no database
	ConnectionConfig = extension.ConnectionConfig // a provider of remote models
	RetryConfig      = extension.RetryConfig
	ConnectionBudget = extension.ConnectionBudget
	LimitConfig      = extension.LimitConfig
	PriceConfig      = extension.PriceConfig
	Duration         = extension.Duration // a time span that TOML spells as Go does
)

// DefaultConfig is the configuration without a file.
func DefaultConfig() *Config { return extension.DefaultConfig() }

// LoadConfig reads and checks a file. An unknown key, a wrong type or an impossible value is an error with the file's line
// and column.
func LoadConfig(file string) (*Config, error) { return extension.LoadConfig(file) }

// FindConfig gives the file to read when none is named: MALLARD_CONFIG, then mallard.toml in the current folder, then
// mallard/config.toml in the user's configuration folder; "" when there is none. env is os.Getenv.
func FindConfig(env func(string) string) string { return extension.FindConfig(env) }
