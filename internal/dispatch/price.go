package dispatch

import "strings"

// Price is what a model costs, in the currency of the user's table.
type Price struct {
	InputPerMillion  float64 // tokens
	OutputPerMillion float64 // tokens
	PerRequest       float64
}

// Of is what requests with their tokens cost.
func (p Price) Of(requests, in, out int64) float64 {
	return float64(requests)*p.PerRequest + float64(in)/1e6*p.InputPerMillion + float64(out)/1e6*p.OutputPerMillion
}

// Prices gives prices by the model's name at its provider. The longest entry that the name begins with holds.
type Prices map[string]Price

// Of finds the price of a model, or reports that there is none. A price of zero is one, too: of a model that is free.
func (p Prices) Of(model string) (best Price, ok bool) {
	found := -1
	for name, price := range p {
		if len(name) > found && strings.HasPrefix(strings.ToLower(model), strings.ToLower(name)) {
			best, found = price, len(name)
		}
	}
	return best, found >= 0
}
