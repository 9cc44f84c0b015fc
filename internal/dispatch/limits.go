package dispatch

// Limits bound one request.
type Limits struct {
	Rows   int // rows per request
	Tokens int // tokens per request, estimated; -1 for no bound
	Bytes  int // bytes of the rows' JSON per request; -1 for no bound
}

// Or gives the limits with zero fields taken from d.
func (l Limits) Or(d Limits) Limits {
	if l.Rows > 0 {
		d.Rows = l.Rows
	}
	if l.Tokens != 0 {
		d.Tokens = l.Tokens
	}
	if l.Bytes != 0 {
		d.Bytes = l.Bytes
	}
	return d
}
