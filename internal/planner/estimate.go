package planner

import (
	"errors"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/quote"
)

// EstimateText writes the query behind ml_estimate('…'): what each call would ask, and what that would cost.
func EstimateText(found []dispatch.Estimate) string {
	t := table{name: "estimate", key: "model", columns: []string{
		"function VARCHAR", "model VARCHAR", "endpoint VARCHAR", `"rows" BIGINT`, "distinct_rows BIGINT", "cached BIGINT",
		"requests BIGINT", "input_tokens BIGINT", "output_tokens BIGINT", "money DOUBLE", `"time" INTERVAL`,
	}}
	for _, e := range found {
		t.row(quote.Text(e.Func), quote.Text(e.Model), quote.Text(e.Endpoint), number(e.Rows), number(e.Distinct), number(e.Cached),
			number(e.Requests), number(e.InputTokens), number(e.OutputTokens), moneyOrNull(e.Money, e.Priced),
			"to_milliseconds("+number(e.Time.Milliseconds())+")")
	}
	return t.String()
}

// Estimable refuses what cannot be estimated.
func Estimable(query string, lang dialect.Lang) error {
	if err := noParameters(query, lang); err != nil {
		return err
	}
	all := dialect.Split(query, lang)
	if len(all) != 1 {
		return errors.New("ml_estimate needs one query")
	}
	node, err := dialect.Parse(query, all[0])
	if err != nil {
		return inputFault(query, err)
	}
	if q, ok := node.(*dialect.Query); !ok || q.Verb != "SELECT" && q.Verb != "WITH" && q.Verb != "FROM" {
		return errors.New("only a SELECT can be estimated; give the query of a CREATE TABLE … AS or INSERT")
	}
	return nil
}

// UsageText writes the query behind ml_usage(): what the statements of this process asked, by model.
func UsageText(used []dispatch.Usage) string {
	t := table{name: "usage", key: "model", columns: []string{
		"model VARCHAR", "endpoint VARCHAR", "connection VARCHAR", "answered BIGINT", "failed BIGINT", "cached BIGINT", "repeated BIGINT",
		"requests BIGINT", "retries BIGINT", "throttled BIGINT", "input_tokens BIGINT", "output_tokens BIGINT", "money DOUBLE",
	}}
	for _, u := range used {
		t.row(quote.Text(u.Model), quote.Text(u.Endpoint), quote.Text(u.Connection), number(u.Rows), number(u.Failed), number(u.Cached),
			number(u.Repeated), number(u.Requests), number(u.Retries), number(u.Throttled), number(u.InputTokens), number(u.OutputTokens),
			moneyOrNull(u.Money, u.Priced))
	}
	return t.String()
}
