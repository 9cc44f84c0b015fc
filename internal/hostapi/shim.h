#ifndef MALLARD_SHIM_H
#define MALLARD_SHIM_H
#include <stddef.h>
#include <stdint.h>

#define HIDDEN __attribute__((visibility("hidden")))

#ifdef __cplusplus
extern "C" {
#endif

// The host's table: how many functions it has, their names in its order, and where it is copied from.
HIDDEN extern const size_t host_size;
HIDDEN extern const char *const host_names[];
HIDDEN void host_set(const void *table);

// host_threw notes that the exception being handled left a function of the host; the callback under way fails with it.
HIDDEN void host_threw(const char *function);

// mallard_forget drops the number of a database that is gone.
HIDDEN void mallard_forget(uint64_t number);

#ifdef __cplusplus
}
#endif
#endif
