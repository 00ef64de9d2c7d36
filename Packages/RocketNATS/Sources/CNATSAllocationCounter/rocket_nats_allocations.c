#include "rocket_nats_allocations.h"

#include <stddef.h>

static __thread uint64_t count __attribute__((tls_model("initial-exec")));

uint64_t rocket_nats_allocations(void) { return count; }

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

// Those that Swift's objects and buffers come from.
void *malloc(size_t size) {
    count++;
    return __libc_malloc(size);
}
void *calloc(size_t items, size_t size) {
    count++;
    return __libc_calloc(items, size);
}
void *realloc(void *memory, size_t size) {
    count++;
    return __libc_realloc(memory, size);
}
#endif
