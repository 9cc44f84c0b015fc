package analyzer

// rewrites are the constructs that the analyzer itself expresses by others, by their numbers in Google's ResolvedASTRewrite.
var rewrites = []int32{
	1,  // REWRITE_FLATTEN
	5,  // REWRITE_UNPIVOT
	6,  // REWRITE_PIVOT
	8,  // REWRITE_TYPEOF_FUNCTION
	10, // REWRITE_INLINE_SQL_FUNCTIONS
	17, // REWRITE_INLINE_SQL_VIEWS
	22, // REWRITE_INLINE_SQL_UDAS
	29, // REWRITE_PIPE_IF
	31, // REWRITE_GENERALIZED_QUERY_STMT
	38, // REWRITE_PIPE_DESCRIBE
	39, // REWRITE_SUBPIPELINE_STMT
	42, // REWRITE_QUANTIFIED_COMPARISONS
}

// inlineTableFunctions is REWRITE_INLINE_SQL_TVFS. It takes the text of every table function in a catalog, also of those that
// stand for something else.
const inlineTableFunctions = 11
