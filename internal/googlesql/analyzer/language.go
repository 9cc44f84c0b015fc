package analyzer

import "github.com/mallardml/mallard/internal/googlesql/resolved"

// lacking are the features of GoogleSQL that BigQuery does not have.
var lacking = map[resolved.LanguageFeature]bool{}

// added are the features of BigQuery's that are not among all of those that are complete.
var added = []resolved.LanguageFeature{
	resolved.LanguageFeature_FEATURE_LIKE_ANY_SOME_ALL_ARRAY,
	resolved.LanguageFeature_FEATURE_LIKE_ANY_SOME_ALL_SUBQUERY,
}
