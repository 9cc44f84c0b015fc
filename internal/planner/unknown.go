package planner

import (
	"errors"
	"fmt"

	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/internal/spelling"
)

// unknownFunction says that there is no function of that name, which is upper-case, and which one may have been meant.
func unknownFunction(name string) error {
	if name == "OBJ.LIST" {
		return failure.As(failure.ErrNotSupported, errors.New(name+" is not part of this version; "+
			"FROM gcs_objects('gs://bucket/prefix*') lists objects, and so does an object table; "+
			"the column ref of both has their ObjectRefs"))
	}
	return failure.As(failure.ErrNotSupported, spelling.Meant(fmt.Errorf("%s is not part of this version", name), name,
		functiontable.Names(functiontable.Model, functiontable.Asking, functiontable.Scalar)))
}
