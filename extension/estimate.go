package extension

import (
	"context"
	"errors"

	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/planner"
	"github.com/mallardml/mallard/internal/quote"
)

// estimateText runs a query over a connection of its own, sending nothing, and writes the query behind ml_estimate('…'):
// what each call would ask, and what that would cost. The connection sees what is committed. Rows that wait for an answer
// to pass a filter count as they come, so a filter on results makes the estimate too high.
func (in *instance) estimateText(id uint64, query string) (text string, err error) {
	s, ctx, err := in.caller(id)
	if err != nil {
		return "", err
	}
	if err := planner.Estimable(query, s.lang); err != nil {
		return "", err
	}
	dc, err := s.another(context.WithoutCancel(ctx))
	if err != nil {
		return "", err
	}
	own := dc.(connection)
	defer func() { err = errors.Join(err, own.Close()) }()
	if _, err := own.Conn.ExecContext(ctx, "USE "+quote.Path(s.where()), nil); err != nil {
		return "", err
	}
	if err := own.session.readSchema(ctx); err != nil {
		return "", err
	}
	var found []dispatch.Estimate
	rows, err := own.QueryContext(estimating(ctx, &found), query, nil)
	if err != nil {
		return "", err
	}
	if err := rows.Close(); err != nil {
		return "", err
	}
	return planner.EstimateText(found), nil
}

// estimating makes a statement under the context send nothing, and tell what it would ask.
func estimating(ctx context.Context, found *[]dispatch.Estimate) context.Context {
	ctx = context.WithValue(ctx, estimateKey{}, found)
	ctx = context.WithValue(ctx, progressKey{}, nil)
	return context.WithValue(ctx, noticeKey{}, nil)
}
