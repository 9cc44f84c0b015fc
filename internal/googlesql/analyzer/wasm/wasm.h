#include <stddef.h>
#include <stdint.h>

// What failed, or NULL: a text to free.
typedef char *failure;

// mallard_wasm_open opens wasmtime's library; once in a process.
failure mallard_wasm_open(const char *library);

typedef struct wasmtime_module module;

// mallard_wasm_compile gives the compiled form of a module, to be freed by mallard_wasm_free_bytes.
failure mallard_wasm_compile(const void *wasm, size_t n, void **compiled, size_t *size);
void mallard_wasm_free_bytes(void *compiled, size_t size);

// mallard_wasm_load maps a compiled module, whose bytes must be trusted.
failure mallard_wasm_load(const char *file, module **out);

// An instance runs on a thread of its own, one call at a time.
typedef struct instance instance;

// mallard_wasm_start makes an instance; zoneinfo is the folder that it sees as /usr/share/zoneinfo.
failure mallard_wasm_start(module *m, const char *zoneinfo, int64_t memory, instance **out);

enum { CALL_OK, CALL_ERROR, CALL_LOST };

typedef struct {
  int status;     // CALL_ERROR: answer is the service's error; CALL_LOST: it is why the instance can only be deleted
  void *answer;   // to free
  size_t size;    // of answer
  int64_t memory; // how much the instance has
} outcome;

outcome mallard_wasm_call(instance *in, const char *method, const void *request, size_t n);

// mallard_wasm_interrupt ends the call that runs or the next one; from another thread.
void mallard_wasm_interrupt(instance *in);

// mallard_wasm_cpu gives the processor time that the instance's thread has used, in ns; -1 where the system does not tell.
int64_t mallard_wasm_cpu(instance *in);

void mallard_wasm_delete(instance *in);
