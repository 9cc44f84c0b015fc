#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "tf.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The functions we call, with the signatures of tensorflow/c/c_api.h (unchanged since 2.4).
static struct {
  const char *(*Version)(void);
  TF_Status *(*NewStatus)(void);
  void (*DeleteStatus)(TF_Status *);
  int (*GetCode)(const TF_Status *);
  const char *(*Message)(const TF_Status *);
  TF_Tensor *(*NewTensor)(int dtype, const int64_t *dims, int ndims, void *data, size_t len,
                          void (*dealloc)(void *data, size_t len, void *arg), void *arg);
  TF_Tensor *(*AllocateTensor)(int dtype, const int64_t *dims, int ndims, size_t len);
  void (*DeleteTensor)(TF_Tensor *);
  int (*TensorType)(const TF_Tensor *);
  int (*NumDims)(const TF_Tensor *);
  int64_t (*Dim)(const TF_Tensor *, int);
  size_t (*TensorByteSize)(const TF_Tensor *);
  void *(*TensorData)(const TF_Tensor *);
  TF_Graph *(*NewGraph)(void);
  void (*DeleteGraph)(TF_Graph *);
  TF_Operation *(*GraphOperationByName)(TF_Graph *, const char *);
  int (*OperationNumOutputs)(TF_Operation *);
  int (*OperationOutputType)(TF_Output);
  TF_SessionOptions *(*NewSessionOptions)(void);
  void (*DeleteSessionOptions)(TF_SessionOptions *);
  void (*SetConfig)(TF_SessionOptions *, const void *proto, size_t len, TF_Status *);
  TF_Session *(*LoadSessionFromSavedModel)(const TF_SessionOptions *, const TF_Buffer *run_options, const char *dir,
                                           const char *const *tags, int ntags, TF_Graph *, TF_Buffer *meta_graph, TF_Status *);
  void (*CloseSession)(TF_Session *, TF_Status *);
  void (*DeleteSession)(TF_Session *, TF_Status *);
  void (*SessionRun)(TF_Session *, const TF_Buffer *run_options, const TF_Output *inputs, TF_Tensor *const *input_values, int ninputs,
                     const TF_Output *outputs, TF_Tensor **output_values, int noutputs, const TF_Operation *const *targets, int ntargets,
                     TF_Buffer *run_metadata, TF_Status *);
  TF_Library *(*LoadLibrary)(const char *, TF_Status *);
  void (*DeleteLibraryHandle)(TF_Library *);
} tf;

static atomic_llong live[MTF_KINDS];

static void born(int kind) { atomic_fetch_add_explicit(&live[kind], 1, memory_order_relaxed); }
static void died(int kind) { atomic_fetch_sub_explicit(&live[kind], 1, memory_order_relaxed); }

int64_t mtf_live(int kind) { return atomic_load(&live[kind]); }

static char *format(const char *a, const char *b) {
  size_t n = strlen(a) + strlen(b) + 3;
  char *s = malloc(n);
  if (s) snprintf(s, n, "%s%s", a, b);
  return s;
}

static char *dl_failure(void) {
  const char *e = dlerror();
  return format(e ? e : "dlopen failed", "");
}

// quiet_absl raises the level below which TensorFlow's logger (Abseil's) writes
// nothing; TF_CPP_MIN_LOG_LEVEL alone does not do it. The function is C++, named
// after Abseil's release; where we do not know the name, TensorFlow is talkative
// and nothing else is lost.
static void quiet_absl(void *lib) {
  static const char *releases[] = {"20250814", "20260107", "20250512", "20250127", "20240722", "20240116", "20230802", "20230125"};
  char name[96];
  for (size_t i = 0; i < sizeof releases / sizeof *releases; i++) {
    snprintf(name, sizeof name, "_ZN4absl12lts_%s14SetMinLogLevelENS0_18LogSeverityAtLeastE", releases[i]);
    void (*set)(int);
    void *p = dlsym(lib, name);
    if (!p) continue;
    memcpy(&set, &p, sizeof p);
    set(3); // nothing but what ends the process: errors reach us as a status
    return;
  }
}

// dlopen_quiet opens a library whose constructors write to stderr before anybody
// can stop them (an INFO line about oneDNN). It sets stderr aside meanwhile and
// writes back what other threads of the process wrote.
static void *dlopen_quiet(const char *path) {
  FILE *aside = tmpfile();
  int real = aside ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) : -1;
  if (real < 0 || dup2(fileno(aside), STDERR_FILENO) < 0) {
    if (real >= 0) close(real);
    if (aside) fclose(aside);
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
  }
  void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  dup2(real, STDERR_FILENO);
  close(real);
  rewind(aside);
  char line[8192];
  while (fgets(line, sizeof line, aside)) {
    if (strstr(line, "before absl::InitializeLog()") || strstr(line, "] oneDNN custom operations are on.")) continue;
    for (size_t at = 0, n = strlen(line); at < n;) {
      ssize_t w = write(STDERR_FILENO, line + at, n - at);
      if (w <= 0) break;
      at += (size_t)w;
    }
  }
  fclose(aside);
  return lib;
}

static const char log_level[] = "TF_CPP_MIN_LOG_LEVEL";

// Without it one pool of threads serves the operations of all sessions, as wide
// as the first asked for. TensorFlow reads it at the first session.
static const char own_pools[] = "TF_OVERRIDE_GLOBAL_THREADPOOL";

char *mtf_open(const char *framework, const char *core) {
  // Local, not global: the library exports SSL_new, curl_easy_init, inflate and
  // more, which libraries loaded later (DuckDB's extensions) must not be bound to.
  void *f = NULL, *c;
  int quiet = !getenv(log_level); // what the user has set stays
  if (quiet) setenv(log_level, "3", 1);
  setenv(own_pools, "1", 0); // what the user has set stays
  if (framework && !(f = quiet ? dlopen_quiet(framework) : dlopen(framework, RTLD_NOW | RTLD_LOCAL))) return dl_failure();
  if (f && quiet) quiet_absl(f);
  if (!(c = dlopen(core, RTLD_NOW | RTLD_LOCAL))) {
    char *msg = dl_failure();
    if (f) dlclose(f);
    return msg;
  }
  struct {
    const char *name;
    void *slot;
  } want[] = {
      {"TF_Version", &tf.Version},
      {"TF_NewStatus", &tf.NewStatus},
      {"TF_DeleteStatus", &tf.DeleteStatus},
      {"TF_GetCode", &tf.GetCode},
      {"TF_Message", &tf.Message},
      {"TF_NewTensor", &tf.NewTensor},
      {"TF_AllocateTensor", &tf.AllocateTensor},
      {"TF_DeleteTensor", &tf.DeleteTensor},
      {"TF_TensorType", &tf.TensorType},
      {"TF_NumDims", &tf.NumDims},
      {"TF_Dim", &tf.Dim},
      {"TF_TensorByteSize", &tf.TensorByteSize},
      {"TF_TensorData", &tf.TensorData},
      {"TF_NewGraph", &tf.NewGraph},
      {"TF_DeleteGraph", &tf.DeleteGraph},
      {"TF_GraphOperationByName", &tf.GraphOperationByName},
      {"TF_OperationNumOutputs", &tf.OperationNumOutputs},
      {"TF_OperationOutputType", &tf.OperationOutputType},
      {"TF_NewSessionOptions", &tf.NewSessionOptions},
      {"TF_DeleteSessionOptions", &tf.DeleteSessionOptions},
      {"TF_SetConfig", &tf.SetConfig},
      {"TF_LoadSessionFromSavedModel", &tf.LoadSessionFromSavedModel},
      {"TF_CloseSession", &tf.CloseSession},
      {"TF_DeleteSession", &tf.DeleteSession},
      {"TF_SessionRun", &tf.SessionRun},
      {"TF_LoadLibrary", &tf.LoadLibrary},
      {"TF_DeleteLibraryHandle", &tf.DeleteLibraryHandle},
  };
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    void *p = dlsym(c, want[i].name); // searches the libraries that core depends on, too
    if (!p && f) p = dlsym(f, want[i].name);
    if (!p) return format("it lacks the C API function ", want[i].name);
    memcpy(want[i].slot, &p, sizeof p);
  }
  return NULL;
}

const char *mtf_version(void) { return tf.Version(); }

char *mtf_promote(const char *framework, const char *core) {
  if (framework && !dlopen(framework, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL)) return dl_failure();
  if (!dlopen(core, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL)) return dl_failure();
  return NULL;
}

static TF_Status *new_status(void) {
  born(MTF_STATUSES);
  return tf.NewStatus();
}

static void delete_status(TF_Status *st) {
  tf.DeleteStatus(st);
  died(MTF_STATUSES);
}

// done copies code and text out and frees the status.
static mtf_err done(TF_Status *st) {
  mtf_err e = {tf.GetCode(st), NULL};
  if (e.code) e.msg = format(tf.Message(st), "");
  delete_status(st);
  return e;
}

mtf_err mtf_load_library(const char *path) {
  TF_Status *st = new_status();
  TF_Library *lib = tf.LoadLibrary(path, st);
  if (lib) tf.DeleteLibraryHandle(lib); // frees the list of ops; the library itself stays loaded
  return done(st);
}

mtf_err mtf_load(const char *dir, const char *const *tags, int ntags, const void *config, size_t config_len, mtf_model *out) {
  TF_Status *st = new_status();
  TF_SessionOptions *opt = tf.NewSessionOptions();
  born(MTF_OPTIONS);
  TF_Graph *g = NULL;
  if (config_len) tf.SetConfig(opt, config, config_len, st);
  if (!tf.GetCode(st)) {
    g = tf.NewGraph();
    born(MTF_GRAPHS);
    // TensorFlow's threads inherit this mask. oneDNN's sgemm points the stack pointer into malloc'd memory while it runs
    // (K > 128): a signal taken there on a thread without an alternate stack, such as SIGPROF of Go's CPU profiler, has the
    // kernel write its frame over the heap.
    sigset_t all, old;
    sigfillset(&all);
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&all, own[i]);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    TF_Session *s = tf.LoadSessionFromSavedModel(opt, NULL, dir, tags, ntags, g, NULL, st);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!tf.GetCode(st)) {
      born(MTF_SESSIONS);
      out->session = s;
      out->graph = g;
    } else {
      tf.DeleteGraph(g);
      died(MTF_GRAPHS);
    }
  }
  tf.DeleteSessionOptions(opt);
  died(MTF_OPTIONS);
  return done(st);
}

mtf_err mtf_free(mtf_model m) {
  TF_Status *st = new_status();
  mtf_err e = {0, NULL};
  tf.CloseSession(m.session, st);
  if (tf.GetCode(st)) {
    e.code = tf.GetCode(st);
    e.msg = format(tf.Message(st), "");
  }
  tf.DeleteSession(m.session, st);
  died(MTF_SESSIONS);
  tf.DeleteGraph(m.graph);
  died(MTF_GRAPHS);
  if (e.code) {
    delete_status(st);
    return e;
  }
  return done(st);
}

int mtf_resolve(TF_Graph *g, const char *op, int index, TF_Output *out, int *dtype) {
  TF_Operation *o = tf.GraphOperationByName(g, op);
  if (!o) return 1;
  if (index < 0 || index >= tf.OperationNumOutputs(o)) return 2;
  out->oper = o;
  out->index = index;
  *dtype = tf.OperationOutputType(*out);
  return 0;
}

// TF_TString: 24 bytes, the kind in the low two bits of the first byte.
//   0 small:  byte 0 = size<<2, then up to 22 bytes and a NUL
//   1 large:  size<<2|1, capacity, pointer (8 bytes each)
//   2 offset: size<<2|2, offset from this struct, count (4 bytes each)
//   3 view:   size<<2|3, pointer, owner or NULL (8 bytes each)
// Little-endian machines only, which all of TensorFlow's wheels are. result.go reads them.
enum { TSTRING = 24, TSTR_SMALL_MAX = 22, TSTR_LARGE = 1, TSTR_VIEW = 3, ALIGN = 64, TEXT_KEPT = 16 << 20 };

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "strings are laid out for little-endian machines"
#endif

// state: 0 ours, 1 with TensorFlow, 2 with TensorFlow and no longer wanted by us.
struct mtf_strings {
  atomic_int state;
  uint64_t cap;
  void *views;
  char *text; // the longer strings, each with a NUL behind it
  uint64_t text_cap;
};

static void strings_free(mtf_strings *s) {
  if (!s) return;
  free(s->text);
  free(s->views);
  free(s);
  died(MTF_BUFFERS);
}

static void strings_back(void *data, size_t len, void *arg) {
  (void)data, (void)len;
  mtf_strings *s = arg;
  if (atomic_exchange(&s->state, 0) == 2) strings_free(s);
}

// strings_drop gives up an array; TensorFlow frees it when it still has it.
static void strings_drop(mtf_strings *s) {
  if (!s) return;
  int with_tf = 1;
  if (!atomic_compare_exchange_strong(&s->state, &with_tf, 2)) strings_free(s);
}

int mtf_string_room(mtf_call *c, int i, uint64_t n) {
  mtf_in *in = &c->in[i];
  mtf_strings *s = in->strings;
  if (s && atomic_load(&s->state) == 0 && s->cap >= n) {
    if (s->text_cap > TEXT_KEPT) { // one huge batch must not hold its memory for ever
      free(s->text);
      s->text = NULL;
      s->text_cap = 0;
    }
    return 1;
  }
  strings_drop(s);
  in->strings = NULL;
  in->views = NULL;
  if (n > UINT64_MAX / TSTRING - ALIGN) return 0;
  if (n < 64) n = 64;
  if (!(s = calloc(1, sizeof *s))) return 0;
  // 64-byte alignment: kernels check it with CHECK, which aborts the process.
  if (posix_memalign(&s->views, ALIGN, n * TSTRING)) {
    free(s);
    return 0;
  }
  born(MTF_BUFFERS);
  s->cap = n;
  in->strings = s;
  in->views = s->views;
  return 1;
}

// terminate puts a NUL behind every string: some kernels read up to one (StringUpper in UTF-8, StringToNumber, …), and
// what Go lends has none. Short strings move into their TF_TString, longer ones into the block's own text, so that it is
// one copy and no allocation a string. It may be called again on the same block.
static int terminate(mtf_in *in) {
  mtf_strings *s = in->strings;
  unsigned char *t = in->views;
  uint64_t need = 0, word;
  for (uint64_t i = 0; i < in->len; i++) {
    memcpy(&word, t + i * TSTRING, 8);
    if ((word & 3) == TSTR_VIEW && word >> 2 > TSTR_SMALL_MAX) need += (word >> 2) + 1;
  }
  if (need > s->text_cap) {
    char *grown = malloc(need + need / 4);
    if (!grown) return 0;
    free(s->text);
    s->text = grown;
    s->text_cap = need + need / 4;
  }
  char *at = s->text;
  for (uint64_t i = 0; i < in->len; i++, t += TSTRING) {
    memcpy(&word, t, 8);
    if ((word & 3) != TSTR_VIEW) continue;
    uint64_t size = word >> 2;
    const char *p;
    memcpy(&p, t + 8, 8);
    if (size <= TSTR_SMALL_MAX) {
      memset(t, 0, TSTRING);
      t[0] = (unsigned char)(size << 2);
      memcpy(t + 1, p, size);
      continue;
    }
    if (p != at) {
      memcpy(at, p, size);
      at[size] = 0;
      memcpy(t + 8, &at, 8);
    }
    at += size + 1;
  }
  return 1;
}

static void nothing(void *data, size_t len, void *arg) { (void)data, (void)len, (void)arg; }

// copied_free frees an array of strings that we copied for TensorFlow to keep.
static void copied_free(void *data, size_t len, void *arg) {
  (void)arg;
  for (size_t i = 0; i < len / TSTRING; i++) {
    unsigned char *t = (unsigned char *)data + i * TSTRING;
    if ((*t & 3) == TSTR_LARGE) {
      void *p;
      memcpy(&p, t + 16, sizeof p);
      free(p);
    }
  }
  free(data);
  died(MTF_BUFFERS);
}

// copied_strings turns views into strings of their own: a kernel that stores an
// element copies a view as a view, and it would outlive what it points to.
static TF_Tensor *copied_strings(const mtf_in *in) {
  size_t bytes = in->len * TSTRING;
  void *mem;
  if (posix_memalign(&mem, ALIGN, bytes ? bytes : ALIGN)) return NULL;
  memset(mem, 0, bytes);
  born(MTF_BUFFERS);
  for (uint64_t i = 0; i < in->len; i++) {
    const unsigned char *v = (const unsigned char *)in->views + i * TSTRING;
    unsigned char *t = (unsigned char *)mem + i * TSTRING;
    uint64_t size;
    const char *p;
    memcpy(&size, v, 8);
    memcpy(&p, v + 8, 8);
    size >>= 2;
    if (size <= TSTR_SMALL_MAX) {
      t[0] = (unsigned char)(size << 2);
      if (size) memcpy(t + 1, p, size);
      continue;
    }
    char *own = malloc(size + 1);
    if (!own) {
      copied_free(mem, bytes, NULL);
      return NULL;
    }
    memcpy(own, p, size);
    own[size] = 0;
    uint64_t tagged = size << 2 | TSTR_LARGE;
    memcpy(t, &tagged, 8);
    memcpy(t + 8, &size, 8);
    memcpy(t + 16, &own, 8);
  }
  return tf.NewTensor(in->dtype, in->dims, in->rank, mem, bytes, copied_free, NULL);
}

static TF_Tensor *make_tensor(mtf_in *in, int copy) {
  static _Alignas(64) char empty[64];
  if (in->dtype == 7) {
    if (copy) return copied_strings(in);
    if (!terminate(in)) return NULL;
    atomic_store(&in->strings->state, 1);
    TF_Tensor *t = tf.NewTensor(in->dtype, in->dims, in->rank, in->views, in->len * TSTRING, strings_back, in->strings);
    if (!t) atomic_store(&in->strings->state, 0);
    return t;
  }
  if (copy) {
    TF_Tensor *t = tf.AllocateTensor(in->dtype, in->dims, in->rank, in->len);
    if (t && in->len) memcpy(tf.TensorData(t), (void *)in->data, in->len);
    return t;
  }
  // TensorFlow never writes to memory it does not own, and copies what is not 64-byte aligned.
  return tf.NewTensor(in->dtype, in->dims, in->rank, in->len ? (void *)in->data : empty, in->len, nothing, NULL);
}

mtf_call *mtf_call_new(int nin, int nout, TF_Output *in, TF_Output *out) {
  mtf_call *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->nin = nin;
  c->nout = nout;
  c->fetch_in = in;
  c->fetch_out = out;
  c->in = calloc(nin + 1, sizeof *c->in);
  c->out = calloc(nout + 1, sizeof *c->out);
  c->tin = calloc(nin + 1, sizeof *c->tin);
  c->tout = calloc(nout + 1, sizeof *c->tout);
  born(MTF_CALLS);
  if (!c->in || !c->out || !c->tin || !c->tout) {
    mtf_call_free(c);
    return NULL;
  }
  c->status = new_status();
  return c;
}

void mtf_call_free(mtf_call *c) {
  if (c->in)
    for (int i = 0; i < c->nin; i++) strings_drop(c->in[i].strings);
  free(c->in);
  free(c->out);
  free(c->tin);
  free(c->tout);
  if (c->status) delete_status(c->status);
  free(c);
  died(MTF_CALLS);
}

static void delete_tensors(TF_Tensor **t, int n) {
  for (int i = 0; i < n; i++) {
    if (!t[i]) continue;
    tf.DeleteTensor(t[i]);
    died(MTF_TENSORS);
    t[i] = NULL;
  }
}

void mtf_release(mtf_call *c) {
  delete_tensors(c->tout, c->nout);
  delete_tensors(c->tin, c->nin);
}

int mtf_run(TF_Session *s, mtf_call *c, int copy) {
  c->msg = NULL;
  c->code = 0;
  for (int i = 0; i < c->nin; i++) {
    if (!(c->tin[i] = make_tensor(&c->in[i], copy))) {
      mtf_release(c);
      c->msg = "no memory for an input tensor";
      return c->code = 8;
    }
    born(MTF_TENSORS);
  }
  tf.SessionRun(s, NULL, c->fetch_in, c->tin, c->nin, c->fetch_out, c->tout, c->nout, NULL, 0, NULL, c->status);
  for (int i = 0; i < c->nout; i++)
    if (c->tout[i]) born(MTF_TENSORS);
  if ((c->code = tf.GetCode(c->status))) {
    c->msg = tf.Message(c->status);
    mtf_release(c);
    return c->code;
  }
  for (int i = 0; i < c->nout; i++) {
    TF_Tensor *t = c->tout[i];
    mtf_out *o = &c->out[i];
    o->data = tf.TensorData(t);
    o->len = tf.TensorByteSize(t);
    o->dtype = tf.TensorType(t);
    o->rank = tf.NumDims(t);
    if (o->rank <= MTF_MAX_RANK)
      for (int d = 0; d < o->rank; d++) o->dims[d] = tf.Dim(t, d);
  }
  return 0;
}

int mtf_loop(TF_Session *s, mtf_call *c, int copy, int n) {
  for (int i = 0; i < n; i++) {
    if (mtf_run(s, c, copy)) return c->code;
    mtf_release(c);
  }
  return 0;
}
