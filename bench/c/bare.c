/* The bare C API without a line of Mallard's: LIBRARY FRAMEWORK MODEL ROWS INTER INPUT... OUTPUT, where INTER is -1 for
   operations on the calling thread and 0 for TensorFlow's pool, and INPUT is "tensor name=file": the file holds float32
   numbers or, if it ends in .txt, one text a line. Commands on stdin, "batch threads", are answered by the seconds that
   one pass over all rows took: passed, and of processors. Built against our own declarations. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { void *oper; int index; } TF_Output;
#define FUNCTIONS(F)                                                                                       \
  F(void *, TF_NewStatus, (void))                                                                          \
  F(int, TF_GetCode, (const void *))                                                                       \
  F(const char *, TF_Message, (const void *))                                                              \
  F(void *, TF_NewGraph, (void))                                                                           \
  F(void *, TF_NewSessionOptions, (void))                                                                  \
  F(void, TF_SetConfig, (void *, const void *, size_t, void *))                                            \
  F(void *, TF_LoadSessionFromSavedModel,                                                                  \
    (const void *, const void *, const char *, const char *const *, int, void *, void *, void *))          \
  F(void *, TF_GraphOperationByName, (void *, const char *))                                               \
  F(void *, TF_NewTensor, (int, const int64_t *, int, void *, size_t, void (*)(void *, size_t, void *), void *)) \
  F(void, TF_DeleteTensor, (void *))                                                                       \
  F(void, TF_DeleteStatus, (void *))                                                                       \
  F(void, TF_SessionRun,                                                                                   \
    (void *, const void *, const TF_Output *, void *const *, int, const TF_Output *, void **, int,         \
     const void *const *, int, void *, void *))
#define DECLARE(result, name, args) static result(*name) args;
FUNCTIONS(DECLARE)

enum { MAX_INPUTS = 16, TF_FLOAT = 1, TF_STRING = 7 };
typedef struct { uint64_t size_and_kind; const char *data; uint64_t unused; } TString; /* the kind "view" is 3 */

static struct { const char *text; float *numbers; uint64_t *starts; } columns[MAX_INPUTS];
static TF_Output inputs[MAX_INPUTS], output;
static int ninputs, batch;
static int64_t rows;
static void *graph, *session;
static atomic_llong next;

static void die(const char *what, const char *why) { fprintf(stderr, "%s: %s\n", what, why); exit(1); }
static void keep(void *data, size_t len, void *arg) { (void)data; (void)len; (void)arg; }

static TF_Output find(char *name) {
  TF_Output o = {NULL, 0};
  char *colon = strrchr(name, ':');
  if (colon) { *colon = 0; o.index = atoi(colon + 1); }
  if (!(o.oper = TF_GraphOperationByName(graph, name))) die(name, "not in the graph");
  return o;
}

static void *slurp(const char *path, size_t *len) {
  FILE *f = fopen(path, "rb");
  if (!f) die(path, "cannot be read");
  fseek(f, 0, SEEK_END);
  *len = (size_t)ftell(f);
  rewind(f);
  void *p = aligned_alloc(64, (*len + 64) / 64 * 64);
  if (!p || fread(p, 1, *len, f) != *len) die(path, "cannot be read");
  fclose(f);
  return p;
}

static void load(int i, const char *path) {
  size_t len;
  char *p = slurp(path, &len);
  if (!strstr(path, ".txt")) { columns[i].numbers = (float *)p; return; }
  columns[i].text = p;
  columns[i].starts = malloc((size_t)(rows + 1) * sizeof(uint64_t));
  int64_t r = 0;
  columns[i].starts[0] = 0;
  for (size_t k = 0; k < len && r < rows; k++)
    if (p[k] == '\n') columns[i].starts[++r] = k + 1;
  if (r != rows) die(path, "has too few lines");
}

static void *work(void *arg) {
  (void)arg;
  void *status = TF_NewStatus();
  TString *views = malloc((size_t)batch * sizeof(TString));
  for (;;) {
    int64_t from = atomic_fetch_add(&next, batch);
    if (from >= rows) break;
    int64_t n = rows - from < batch ? rows - from : batch;
    void *in[MAX_INPUTS], *out = NULL;
    for (int i = 0; i < ninputs; i++) {
      if (columns[i].numbers) {
        in[i] = TF_NewTensor(TF_FLOAT, &n, 1, columns[i].numbers + from, (size_t)n * 4, keep, NULL);
        continue;
      }
      const uint64_t *at = columns[i].starts + from;
      for (int64_t k = 0; k < n; k++) {
        views[k].size_and_kind = (at[k + 1] - at[k] - 1) << 2 | 3;
        views[k].data = columns[i].text + at[k];
      }
      in[i] = TF_NewTensor(TF_STRING, &n, 1, views, (size_t)n * sizeof(TString), keep, NULL);
    }
    TF_SessionRun(session, NULL, inputs, in, ninputs, &output, &out, 1, NULL, 0, NULL, status);
    if (TF_GetCode(status)) die("run", TF_Message(status));
    for (int i = 0; i < ninputs; i++) TF_DeleteTensor(in[i]);
    TF_DeleteTensor(out);
  }
  free(views);
  TF_DeleteStatus(status);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 9) die("bare", "too few arguments");
  if (*argv[2] && !dlopen(argv[2], RTLD_NOW | RTLD_LOCAL)) die(argv[2], dlerror());
  void *lib = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (!lib) die(argv[1], dlerror());
#define RESOLVE(result, name, args) \
  if (!(*(void **)&name = dlsym(lib, #name))) die(#name, "not in the library");
  FUNCTIONS(RESOLVE)
  void *status = TF_NewStatus();
  const char *tags[] = {"serve"};
  graph = TF_NewGraph();
  void *options = TF_NewSessionOptions();
  /* ConfigProto{inter_op_parallelism_threads: -1, intra_op_parallelism_threads: 1} */
  static const unsigned char own[] = {5 << 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2 << 3, 1};
  int inter = atoi(argv[5]) < 0 ? 11 : 0, intra = atoi(argv[6]) == 1 ? 2 : 0;
  TF_SetConfig(options, own + 11 - inter, (size_t)(inter + intra), status);
  session = TF_LoadSessionFromSavedModel(options, NULL, argv[3], tags, 1, graph, NULL, status);
  if (TF_GetCode(status)) die(argv[3], TF_Message(status));
  rows = atoll(argv[4]);
  for (int a = 7; a < argc - 1; a++) {
    char *eq = strchr(argv[a], '=');
    if (!eq || ninputs == MAX_INPUTS) die(argv[a], "is no input");
    *eq = 0;
    inputs[ninputs] = find(argv[a]);
    load(ninputs++, eq + 1);
  }
  output = find(argv[argc - 1]);
  int threads;
  while (scanf("%d %d", &batch, &threads) == 2) {
    struct timespec begin, end;
    pthread_t ids[256];
    if (threads < 1 || threads > 256 || batch < 1) die("command", "out of range");
    atomic_store(&next, 0);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    clock_t before = clock();
    for (int t = 0; t < threads; t++) pthread_create(&ids[t], NULL, work, NULL);
    for (int t = 0; t < threads; t++) pthread_join(ids[t], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.9f %.6f\n", (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9,
           (double)(clock() - before) / CLOCKS_PER_SEC);
    fflush(stdout);
  }
  return 0;
}
