package planner

import (
	"maps"
	"slices"
	"strconv"

	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/quote"
)

// ConnectionsText writes the query behind ml_connections(): where each connection goes, what it lacks, and what was asked of it. Nothing
// is sent. What a connection lacks may name files and variables of the machine: where statements are others' than the configuration it is
// left out.
func ConnectionsText(cfg *config.Config, spent func(connection string) dispatch.Usage) string {
	t := table{name: "connections", key: "connection", columns: []string{
		"connection VARCHAR", "address VARCHAR", "lacks VARCHAR", "requests BIGINT", "failed BIGINT", "input_tokens BIGINT",
		"output_tokens BIGINT", "money DOUBLE",
	}}
	for _, name := range slices.Sorted(maps.Keys(cfg.Connections)) {
		address, lacks := "", ""
		if p, err := config.Provider(name, cfg.Connections[name]); err != nil {
			lacks = err.Error()
		} else {
			address, lacks = p.Describe(), p.Lacks()
		}
		if cfg.BigQuery.Confined {
			lacks = ""
		}
		u := spent(name)
		t.row(quote.Text(name), textOrNull(address), textOrNull(lacks), number(u.Requests), number(u.Failed), number(u.InputTokens),
			number(u.OutputTokens), moneyOrNull(u.Money, u.Priced))
	}
	return t.String()
}

// BudgetText writes the query behind ml_budget(): the bounds of the configuration, what of them is used and what is left. What a
// statement may ask begins anew with each.
func BudgetText(cfg *config.Config, session dispatch.Usage, spent func(connection string) dispatch.Usage) string {
	t := table{name: "budget", key: "scope", columns: []string{
		"scope VARCHAR", "of VARCHAR", "most DOUBLE", "used DOUBLE", `"left" DOUBLE`,
	}}
	put := func(scope string, most dispatch.Budget, used *dispatch.Usage) {
		row := func(of string, most, spent float64) {
			bound, gone, left := "NULL", "NULL", "NULL"
			if most > 0 {
				bound = decimal(most)
			}
			if used != nil {
				gone = decimal(spent)
				if most > 0 {
					left = decimal(max(most-spent, 0))
				}
			}
			t.row(quote.Text(scope), quote.Text(of), bound, gone, left)
		}
		u := dispatch.Usage{}
		if used != nil {
			u = *used
		}
		row("requests", float64(most.Requests), float64(u.Requests))
		row("tokens", float64(most.Tokens), float64(u.InputTokens+u.OutputTokens))
		row("money", most.Money, u.Money)
	}
	put("statement", config.StatementBudget(cfg.Budget), nil)
	put("session", config.SessionBudget(cfg.Budget), &session)
	for _, name := range slices.Sorted(maps.Keys(cfg.Connections)) {
		used := spent(name)
		put("connection "+name, config.ConnectionOptions(name, cfg.Connections[name]).Budget, &used)
	}
	return t.String()
}

func decimal(f float64) string {
	return "CAST('" + strconv.FormatFloat(f, 'g', -1, 64) + "' AS DOUBLE)"
}
