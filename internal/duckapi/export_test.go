package duckapi

var Failure = failure
