package serving

import (
	"errors"
	"sync/atomic"
)

// lastVersion numbers versions over the whole process: a number in a prepared text never means another model.
var lastVersion atomic.Int64

// ErrStale says that a text names a version that is gone; the statement is planned again.
var ErrStale = errors.New("mallard: the model of this statement was replaced or dropped; prepare the statement again")
