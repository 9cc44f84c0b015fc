package native

// Threads is for a test that starts the library.
var Threads = threads
