// Package tensorflow runs SavedModels with TensorFlow's C API. It is the only
// package that says import "C" for TensorFlow, it knows nothing of SQL, and
// building it needs no TensorFlow: the library is opened at run time, on first
// use, against our own declarations of the functions we call.
//
// Find looks for the library, Open opens it once per process, Inspect reads a
// model's saved_model.pb without TensorFlow, Runtime.LoadModel opens a Session
// and Session.Run predicts. Input memory is lent, output memory is
// TensorFlow's own, until Result.Close.
package tensorflow
