package analyzer

import "github.com/mallardml/mallard/internal/googlesql/resolved"

// lacking are the features of GoogleSQL that BigQuery does not have.
var lacking = map[resolved.LanguageFeature]bool{}
