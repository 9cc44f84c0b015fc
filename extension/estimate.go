package extension

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/quote"
)

// estimateKey marks the context of a statement that only counts what it would ask.
type estimateKey struct{}

// estimateText runs a query over a connection of its own, sending nothing, and writes the query behind ml_estimate('…'):
// what each call would ask, and what that would cost. The connection sees what is committed. Rows that wait for an answer
// to pass a filter count as they come, so a filter on results makes the estimate too high.
func (in *instance) estimateText(id uint64, query string) (text string, err error) {
	n, ctx, err := in.caller(id)
	if err != nil {
		return "", err
	}
	if err := noParameters(query, n.c.lang); err != nil {
		return "", err
	}
	all := dialect.Split(query, n.c.lang)
	if len(all) != 1 {
		return "", errors.New("ml_estimate needs one query")
	}
	node, err := dialect.Parse(query, all[0])
	if err != nil {
		return "", inputFault(query, err)
	}
	if q, ok := node.(*dialect.Query); !ok || q.Verb != "SELECT" && q.Verb != "WITH" && q.Verb != "FROM" {
		return "", errors.New("only a SELECT can be estimated; give the query of a CREATE TABLE … AS or INSERT")
	}
	dc, err := n.c.Connect(context.WithoutCancel(ctx))
	if err != nil {
		return "", err
	}
	own := dc.(*conn)
	defer func() { err = errors.Join(err, own.Close()) }()
	n.mu.Lock()
	where := catalog.QualifiedName{Database: n.db, Schema: n.schema}
	n.mu.Unlock()
	if _, err := own.Conn.ExecContext(ctx, "USE "+quote.Path(where.Database, where.Schema), nil); err != nil {
		return "", err
	}
	if err := own.readSchema(ctx); err != nil {
		return "", err
	}
	var found []remote.Estimate
	ctx = context.WithValue(ctx, estimateKey{}, &found)
	ctx = context.WithValue(ctx, progressKey{}, nil)
	ctx = context.WithValue(ctx, noticeKey{}, nil)
	rows, err := own.QueryContext(ctx, query, nil)
	if err != nil {
		return "", err
	}
	if err := rows.Close(); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("SELECT * FROM (VALUES ")
	for _, e := range found {
		fmt.Fprintf(&b, "(%s, %s, %s, %d, %d, %d, %d, %d, %d, %s, to_milliseconds(%d)), ", quote.Text(e.Func), quote.Text(e.Model), quote.Text(e.Endpoint),
			e.Rows, e.Distinct, e.Cached, e.Requests, e.InputTokens, e.OutputTokens, moneyOrNull(e.Money, e.Priced), e.Time.Milliseconds())
	}
	b.WriteString("(NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, NULL::DOUBLE, NULL::INTERVAL))" +
		" AS estimate(function, model, endpoint, \"rows\", distinct_rows, cached, requests, input_tokens, output_tokens, money, \"time\") WHERE model IS NOT NULL")
	return b.String(), nil
}

// usageText writes the query behind ml_usage(): what the statements of this process asked, by model.
func (in *instance) usageText() string {
	var b strings.Builder
	b.WriteString("SELECT * FROM (VALUES ")
	for _, u := range in.remote.session.Usage() {
		fmt.Fprintf(&b, "(%s, %s, %s, %d, %d, %d, %d, %d, %d, %d, %d, %d, %s), ", quote.Text(u.Model), quote.Text(u.Endpoint), quote.Text(u.Connection),
			u.Rows, u.Failed, u.Cached, u.Repeated, u.Requests, u.Retries, u.Throttled, u.InputTokens, u.OutputTokens, moneyOrNull(u.Money, u.Priced))
	}
	b.WriteString("(NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, " +
		"NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, NULL::DOUBLE)) AS usage(model, endpoint, connection, answered, failed, cached, repeated, requests, retries, " +
		"throttled, input_tokens, output_tokens, money) WHERE model IS NOT NULL")
	return b.String()
}
