// Our own declarations of the part of TensorFlow's C API that we call, and the
// helpers that keep a prediction to one crossing between Go and C. The library
// is opened with dlopen, so nothing here needs TensorFlow to build.
#ifndef MALLARD_TF_H
#define MALLARD_TF_H

#include <stddef.h>
#include <stdint.h>

typedef struct TF_Status TF_Status;
typedef struct TF_Buffer {
  const void *data;
  size_t length;
  void (*data_deallocator)(void *data, size_t length);
} TF_Buffer;
typedef struct TF_Tensor TF_Tensor;
typedef struct TF_Graph TF_Graph;
typedef struct TF_Operation TF_Operation;
typedef struct TF_Session TF_Session;
typedef struct TF_SessionOptions TF_SessionOptions;
typedef struct TF_Library TF_Library;
typedef struct TF_Output {
  TF_Operation *oper;
  int index;
} TF_Output;

// Kinds of live handles, counted by mtf_live.
enum { MTF_TENSORS, MTF_STATUSES, MTF_BUFFERS, MTF_GRAPHS, MTF_SESSIONS, MTF_OPTIONS, MTF_CALLS, MTF_KINDS };
int64_t mtf_live(int kind);

// mtf_open opens the libraries, keeps them from writing to stderr unless
// TF_CPP_MIN_LOG_LEVEL is set, and fills the function table. Returns NULL, or
// what failed (malloc'd). framework may be NULL.
char *mtf_open(const char *framework, const char *core);
const char *mtf_version(void);
// mtf_promote makes the opened libraries' symbols global. Returns NULL or what failed (malloc'd).
char *mtf_promote(const char *framework, const char *core);

// A result of the helpers below: code 0 is success; msg is malloc'd otherwise.
typedef struct mtf_err {
  int code;
  char *msg;
} mtf_err;

// mtf_load_library loads a custom-op library. Its ops stay registered, so it is never unloaded.
mtf_err mtf_load_library(const char *path);

typedef struct mtf_model {
  TF_Session *session;
  TF_Graph *graph;
} mtf_model;
mtf_err mtf_load(const char *dir, const char *const *tags, int ntags, const void *config, size_t config_len, mtf_model *out);
mtf_err mtf_free(mtf_model m);

// mtf_resolve finds an output of an operation: 0 found (dtype set), 1 no such operation, 2 no such output.
int mtf_resolve(TF_Graph *g, const char *op, int index, TF_Output *out, int *dtype);

enum { MTF_MAX_RANK = 8 };

// How the memory of an input is handed over.
enum { MTF_VIEW = 0, MTF_COPY = 1 };

// An element of a string input as Go writes it; the same layout as Go's string header.
typedef struct mtf_str {
  const char *ptr;
  int64_t len;
} mtf_str;

typedef struct mtf_strings mtf_strings; // a reusable, 64-byte aligned array of TF_TString

typedef struct mtf_in {
  // Numbers, viewed or copied. No pointer for Go: storing one would pass its write barrier, which reads the old value, the
  // address of a buffer that is long gone, and ends the process.
  uintptr_t data;
  uint64_t len;  // bytes of data; for strings the number of elements
  mtf_strings *strings;
  void *views;   // strings: 24-byte TF_TStrings to fill, in strings
  int64_t dims[MTF_MAX_RANK];
  int32_t rank;
  int32_t dtype;
} mtf_in;

typedef struct mtf_out {
  void *data;
  uint64_t len; // bytes
  int64_t dims[MTF_MAX_RANK];
  int32_t rank; // above MTF_MAX_RANK: dims are not filled
  int32_t dtype;
} mtf_out;

// A call block: everything one run needs, kept and used again.
typedef struct mtf_call {
  mtf_in *in;
  mtf_out *out;
  TF_Output *fetch_in, *fetch_out; // the session's
  TF_Tensor **tin, **tout;
  TF_Status *status;
  const char *msg; // of the last failed run, valid until the next use
  int nin, nout;
  int code;
} mtf_call;

mtf_call *mtf_call_new(int nin, int nout, TF_Output *in, TF_Output *out);
void mtf_call_free(mtf_call *c);
// mtf_string_room makes room for n views in input i; 0 is out of memory.
int mtf_string_room(mtf_call *c, int i, uint64_t n);
// mtf_run makes the tensors, runs and fills the outputs. Returns the code.
int mtf_run(TF_Session *s, mtf_call *c, int copy);
// mtf_loop runs and releases n times. Returns the code.
int mtf_loop(TF_Session *s, mtf_call *c, int copy, int n);
// mtf_release deletes the tensors of the last run.
void mtf_release(mtf_call *c);

#endif
