package functions_test

import (
	"fmt"

	"github.com/mallardml/mallard/functions"
)

func ExampleModel_PredictSQL() {
	model := functions.Model{
		Version: 7,
		Inputs:  []functions.Port{{Name: "content", DType: functions.String, Shape: []int64{-1}}},
		Outputs: []functions.Port{{Name: "score", DType: functions.Float32, Shape: []int64{-1, 1}}},
	}
	before, after := model.PredictSQL("predict", functions.Native) // functions.PredictName gives the name that RegisterPredict wants
	fmt.Println(before + "SELECT 'a duck' AS content" + after)
	// Output:
	// (SELECT __p.o0 AS "score", * EXCLUDE (__p) FROM (SELECT system.main.predict(7, __q."content") AS __p, * FROM (SELECT 'a duck' AS content
	// ) AS __q))
}
