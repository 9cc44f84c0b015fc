// Runs the service in a WebAssembly sandbox, by wasmtime's C API, which is opened when it is first needed.
//
// The declarations are those of wasmtime's headers (wasm.h, wasi.h, wasmtime/*.h) of the release that package install pins.
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "wasm.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct config config;
typedef struct engine engine;
typedef struct store store;
typedef struct context context;
typedef struct linker linker;
typedef struct wasi wasi;
typedef struct error error;
typedef struct trap trap;

typedef struct {
  size_t size;
  char *data;
} byte_vec;

typedef struct {
  uint64_t store;
  void *private;
} func;

typedef struct {
  uint64_t store;
  uint32_t private1, private2, private3;
} memory;

typedef struct {
  uint64_t store;
  size_t private;
} wasm_instance;

typedef struct {
  uint8_t kind;
  union {
    func func;
    memory memory;
    uint64_t room[3];
  } of;
} external;

typedef union {
  int32_t i32;
  uint64_t room[2];
} raw;

_Static_assert(sizeof(external) == 32 && sizeof(memory) == 24 && sizeof(raw) == 16, "layout of wasmtime's structs");

enum { EXTERNAL_FUNC = 0, EXTERNAL_MEMORY = 3, DEADLINE_CONTINUE = 0 };

enum {
  WASM_STACK = 8 << 20, // as large as the stack that the module keeps in its memory
  THREAD_STACK = WASM_STACK + (4 << 20),
};

static struct {
  config *(*config_new)(void);
  void (*config_epoch)(config *, bool);
  void (*config_threads)(config *, bool);
  void (*config_stack)(config *, size_t);
  void (*config_async_stack)(config *, size_t);
  void (*config_unwind)(config *, bool);
  engine *(*engine_new)(config *);
  void (*engine_increment)(engine *);
  error *(*module_new)(engine *, const uint8_t *, size_t, module **);
  error *(*module_serialize)(module *, byte_vec *);
  error *(*module_load)(engine *, const char *, module **);
  void (*module_delete)(module *);
  void (*bytes_delete)(byte_vec *);
  store *(*store_new)(engine *, void *, void (*)(void *));
  context *(*store_context)(store *);
  void (*store_limit)(store *, int64_t, int64_t, int64_t, int64_t, int64_t);
  void (*store_deadline)(store *, error *(*)(context *, void *, uint64_t *, uint8_t *), void *, void (*)(void *));
  void (*store_delete)(store *);
  void (*set_deadline)(context *, uint64_t);
  wasi *(*wasi_new)(void);
  bool (*wasi_preopen)(wasi *, const char *, const char *, bool);
  error *(*set_wasi)(context *, wasi *);
  linker *(*linker_new)(engine *);
  void (*linker_delete)(linker *);
  error *(*linker_wasi)(linker *);
  error *(*instantiate)(linker *, context *, module *, wasm_instance *, trap **);
  bool (*export_get)(context *, const wasm_instance *, const char *, size_t, external *);
  error *(*call)(context *, const func *, raw *, size_t, trap **);
  uint8_t *(*memory_data)(context *, const memory *);
  size_t (*memory_size)(context *, const memory *);
  error *(*error_new)(const char *);
  void (*error_message)(const error *, byte_vec *);
  void (*error_delete)(error *);
  void (*trap_message)(const trap *, byte_vec *);
  void (*trap_delete)(trap *);
} w;

static engine *the_engine;

static char *copy(const char *s) {
  char *c = strdup(s);
  if (!c) abort();
  return c;
}

static failure words(byte_vec v) {
  char *s = malloc(v.size + 1);
  if (!s) abort();
  memcpy(s, v.data, v.size);
  s[v.size] = 0;
  w.bytes_delete(&v);
  return s;
}

// failed takes the error or the trap.
static failure failed(error *e, trap *t) {
  byte_vec v = {0};
  if (e) {
    w.error_message(e, &v);
    w.error_delete(e);
    if (t) w.trap_delete(t);
    return words(v);
  }
  if (!t) return NULL;
  w.trap_message(t, &v);
  w.trap_delete(t);
  return words(v);
}

failure mallard_wasm_open(const char *path) {
  void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!lib) return copy(dlerror());
  struct {
    const char *name;
    void *slot;
  } want[] = {
      {"wasm_config_new", &w.config_new},
      {"wasmtime_config_epoch_interruption_set", &w.config_epoch},
      {"wasmtime_config_wasm_threads_set", &w.config_threads},
      {"wasmtime_config_max_wasm_stack_set", &w.config_stack},
      {"wasmtime_config_async_stack_size_set", &w.config_async_stack},
      {"wasmtime_config_native_unwind_info_set", &w.config_unwind},
      {"wasm_engine_new_with_config", &w.engine_new},
      {"wasmtime_engine_increment_epoch", &w.engine_increment},
      {"wasmtime_module_new", &w.module_new},
      {"wasmtime_module_serialize", &w.module_serialize},
      {"wasmtime_module_deserialize_file", &w.module_load},
      {"wasmtime_module_delete", &w.module_delete},
      {"wasm_byte_vec_delete", &w.bytes_delete},
      {"wasmtime_store_new", &w.store_new},
      {"wasmtime_store_context", &w.store_context},
      {"wasmtime_store_limiter", &w.store_limit},
      {"wasmtime_store_epoch_deadline_callback", &w.store_deadline},
      {"wasmtime_store_delete", &w.store_delete},
      {"wasmtime_context_set_epoch_deadline", &w.set_deadline},
      {"wasi_config_new", &w.wasi_new},
      {"wasi_config_preopen_dir", &w.wasi_preopen},
      {"wasmtime_context_set_wasi", &w.set_wasi},
      {"wasmtime_linker_new", &w.linker_new},
      {"wasmtime_linker_delete", &w.linker_delete},
      {"wasmtime_linker_define_wasi", &w.linker_wasi},
      {"wasmtime_linker_instantiate", &w.instantiate},
      {"wasmtime_instance_export_get", &w.export_get},
      {"wasmtime_func_call_unchecked", &w.call},
      {"wasmtime_memory_data", &w.memory_data},
      {"wasmtime_memory_data_size", &w.memory_size},
      {"wasmtime_error_new", &w.error_new},
      {"wasmtime_error_message", &w.error_message},
      {"wasmtime_error_delete", &w.error_delete},
      {"wasm_trap_message", &w.trap_message},
      {"wasm_trap_delete", &w.trap_delete},
  };
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    void *p = dlsym(lib, want[i].name);
    if (!p) {
      char message[160];
      snprintf(message, sizeof message, "it lacks the C API function %s", want[i].name);
      return copy(message);
    }
    memcpy(want[i].slot, &p, sizeof p);
  }
  config *c = w.config_new();
  w.config_threads(c, true); // the module has atomic operations
  w.config_epoch(c, true);
  w.config_async_stack(c, THREAD_STACK); // not used, but it must not be smaller
  w.config_stack(c, WASM_STACK);
  w.config_unwind(c, false);
  the_engine = w.engine_new(c);
  return NULL;
}

failure mallard_wasm_compile(const void *wasm, size_t n, void **compiled, size_t *size) {
  module *m;
  error *e = w.module_new(the_engine, wasm, n, &m);
  if (e) return failed(e, NULL);
  byte_vec v;
  e = w.module_serialize(m, &v);
  w.module_delete(m);
  if (e) return failed(e, NULL);
  *compiled = v.data;
  *size = v.size;
  return NULL;
}

void mallard_wasm_free_bytes(void *compiled, size_t size) {
  byte_vec v = {size, compiled};
  w.bytes_delete(&v);
}

failure mallard_wasm_load(const char *file, module **out) { return failed(w.module_load(the_engine, file, out), NULL); }

struct instance {
  pthread_t thread;
  pthread_mutex_t mu;
  pthread_cond_t changed;
  enum { STARTING, IDLE, ASKED, ANSWERED, ENDING } state;
  atomic_int stop;
  // of the start
  module *module;
  const char *zoneinfo;
  int64_t limit;
  failure failed;
  // of a call
  const char *method;
  const void *request;
  size_t n;
  outcome out;
  // of the thread
  store *store;
  context *context;
  wasm_instance in;
  memory memory;
  func malloc, free, last_error, last_error_size;
};

static error *deadline(context *c, void *data, uint64_t *more, uint8_t *kind) {
  (void)c;
  instance *in = data;
  *more = 1;
  *kind = DEADLINE_CONTINUE; // another instance's call was meant
  return atomic_load(&in->stop) ? w.error_new("interrupted") : NULL;
}

static failure find(instance *in, const char *name, func *f) {
  external e;
  char message[160];
  if (w.export_get(in->context, &in->in, name, strlen(name), &e) && e.kind == EXTERNAL_FUNC) {
    *f = e.of.func;
    return NULL;
  }
  snprintf(message, sizeof message, "the module has no function %s", name);
  return copy(message);
}

// run calls a function; its result takes the place of the first argument.
static failure run(instance *in, const func *f, raw *args, size_t n) {
  trap *t = NULL;
  return failed(w.call(in->context, f, args, n, &t), t);
}

static failure start(instance *in) {
  failure bad;
  external e;
  in->store = w.store_new(the_engine, NULL, NULL);
  in->context = w.store_context(in->store);
  w.store_limit(in->store, in->limit, -1, 1, -1, 1);
  w.store_deadline(in->store, deadline, in, NULL);
  w.set_deadline(in->context, 1);
  wasi *files = w.wasi_new();
  if (!w.wasi_preopen(files, in->zoneinfo, "/usr/share/zoneinfo", true)) return copy("the folder of time zones cannot be opened");
  if ((bad = failed(w.set_wasi(in->context, files), NULL))) return bad;
  linker *l = w.linker_new(the_engine);
  trap *t = NULL;
  bad = failed(w.linker_wasi(l), NULL);
  if (!bad) bad = failed(w.instantiate(l, in->context, in->module, &in->in, &t), t);
  w.linker_delete(l);
  if (bad) return bad;
  if (!w.export_get(in->context, &in->in, "memory", strlen("memory"), &e) || e.kind != EXTERNAL_MEMORY) return copy("the module has no memory");
  in->memory = e.of.memory;
  func initialize;
  raw none[1] = {{0}};
  if ((bad = find(in, "_initialize", &initialize)) || (bad = run(in, &initialize, none, 1))) return bad;
  if ((bad = find(in, "wasm_malloc", &in->malloc)) || (bad = find(in, "wasm_free", &in->free)) ||
      (bad = find(in, "wasm_get_last_error", &in->last_error)) || (bad = find(in, "wasm_get_last_error_size", &in->last_error_size)))
    return bad;
  return NULL;
}

// inside tells whether n bytes at p are in the memory, and where.
static bool inside(instance *in, uint32_t p, uint64_t n, uint8_t **at) {
  if (p + n > w.memory_size(in->context, &in->memory)) return false;
  *at = w.memory_data(in->context, &in->memory) + p;
  return true;
}

static failure allocate(instance *in, size_t n, uint32_t *p) {
  raw a[1] = {{.i32 = (int32_t)n}};
  failure bad = run(in, &in->malloc, a, 1);
  *p = (uint32_t)a[0].i32;
  if (!bad && !*p) return copy("no memory is left");
  return bad;
}

static failure release(instance *in, uint32_t p) {
  raw a[1] = {{.i32 = (int32_t)p}};
  return run(in, &in->free, a, 1);
}

// take copies n bytes at p out of the memory.
static failure take(instance *in, uint32_t p, uint32_t n, outcome *o) {
  uint8_t *at;
  if (!inside(in, p, n, &at)) return copy("the answer is outside of the memory");
  if (!(o->answer = malloc(n + 1))) return copy("no memory is left");
  memcpy(o->answer, at, n);
  o->size = n;
  return NULL;
}

static failure ask(instance *in, outcome *o) {
  func method;
  char name[128];
  failure bad;
  snprintf(name, sizeof name, "ZetaSqlLocalService_%s", in->method);
  uint32_t request, size, answer, n;
  uint8_t *at;
  if ((bad = find(in, name, &method)) || (bad = allocate(in, in->n, &request)) || (bad = allocate(in, sizeof(uint32_t), &size))) return bad;
  if (!inside(in, request, in->n, &at)) return copy("the request is outside of the memory");
  memcpy(at, in->request, in->n);
  raw a[3] = {{.i32 = (int32_t)request}, {.i32 = (int32_t)in->n}, {.i32 = (int32_t)size}};
  if ((bad = run(in, &method, a, 3))) return bad;
  answer = (uint32_t)a[0].i32;
  if (answer) {
    if (!inside(in, size, sizeof n, &at)) return copy("the answer is outside of the memory");
    memcpy(&n, at, sizeof n);
    if ((bad = take(in, answer, n, o)) || (bad = release(in, answer))) return bad;
  } else {
    raw e[1] = {{0}}, s[1] = {{0}};
    if ((bad = run(in, &in->last_error, e, 1)) || (bad = run(in, &in->last_error_size, s, 1))) return bad;
    if ((bad = take(in, (uint32_t)e[0].i32, (uint32_t)s[0].i32, o))) return bad;
    o->status = CALL_ERROR;
  }
  if ((bad = release(in, request)) || (bad = release(in, size))) return bad;
  return NULL;
}

static outcome answer(instance *in) {
  outcome o = {CALL_OK};
  w.set_deadline(in->context, 1);
  failure bad = atomic_load(&in->stop) ? copy("interrupted") : ask(in, &o);
  if (bad) {
    free(o.answer);
    o = (outcome){.status = CALL_LOST, .answer = bad, .size = strlen(bad)};
  }
  o.memory = (int64_t)w.memory_size(in->context, &in->memory);
  return o;
}

static void *live(void *data) {
  instance *in = data;
  in->failed = start(in);
  pthread_mutex_lock(&in->mu);
  in->state = IDLE;
  for (;;) {
    pthread_cond_broadcast(&in->changed);
    while (in->state != ASKED && in->state != ENDING) pthread_cond_wait(&in->changed, &in->mu);
    if (in->state == ENDING) break;
    pthread_mutex_unlock(&in->mu);
    outcome o = answer(in);
    pthread_mutex_lock(&in->mu);
    in->out = o;
    in->state = ANSWERED;
  }
  pthread_mutex_unlock(&in->mu);
  if (in->store) w.store_delete(in->store);
  return NULL;
}

failure mallard_wasm_start(module *m, const char *zoneinfo, int64_t memory, instance **out) {
  instance *in = calloc(1, sizeof *in);
  if (!in) abort();
  pthread_mutex_init(&in->mu, NULL);
  pthread_cond_init(&in->changed, NULL);
  in->module = m;
  in->zoneinfo = zoneinfo;
  in->limit = memory;
  // A thread of its own has a stack of a known size; the signals of others are not for it.
  sigset_t all, old;
  sigfillset(&all);
  static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&all, own[i]);
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, THREAD_STACK);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  int failed = pthread_create(&in->thread, &attr, live, in);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attr);
  if (failed) {
    free(in);
    return copy("no thread can be started");
  }
  pthread_mutex_lock(&in->mu);
  while (in->state == STARTING) pthread_cond_wait(&in->changed, &in->mu);
  pthread_mutex_unlock(&in->mu);
  if (in->failed) {
    failure bad = in->failed;
    mallard_wasm_delete(in);
    return bad;
  }
  *out = in;
  return NULL;
}

outcome mallard_wasm_call(instance *in, const char *method, const void *request, size_t n) {
  pthread_mutex_lock(&in->mu);
  in->method = method;
  in->request = request;
  in->n = n;
  in->state = ASKED;
  pthread_cond_broadcast(&in->changed);
  while (in->state != ANSWERED) pthread_cond_wait(&in->changed, &in->mu);
  in->state = IDLE;
  outcome o = in->out;
  pthread_mutex_unlock(&in->mu);
  return o;
}

void mallard_wasm_interrupt(instance *in) {
  atomic_store(&in->stop, 1);
  w.engine_increment(the_engine);
}


int64_t mallard_wasm_cpu(instance *in) {
#ifdef __linux__
  clockid_t clock;
  struct timespec t;
  if (!pthread_getcpuclockid(in->thread, &clock) && !clock_gettime(clock, &t)) return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
#else
  (void)in;
#endif
  return -1;
}

void mallard_wasm_delete(instance *in) {
  pthread_mutex_lock(&in->mu);
  in->state = ENDING;
  pthread_cond_broadcast(&in->changed);
  pthread_mutex_unlock(&in->mu);
  pthread_join(in->thread, NULL);
  pthread_mutex_destroy(&in->mu);
  pthread_cond_destroy(&in->changed);
  free(in);
}
