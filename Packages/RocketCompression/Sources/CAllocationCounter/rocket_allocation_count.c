#include "rocket_allocation_count.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static __thread uint64_t count __attribute__((tls_model("initial-exec")));
static __thread int64_t held __attribute__((tls_model("initial-exec")));
static __thread int64_t peak __attribute__((tls_model("initial-exec")));

uint64_t rocket_allocation_count(void) { return count; }
int64_t rocket_allocation_peak(void) { return peak; }
void rocket_allocation_start(void) { held = peak = 0; }

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ROCKET_SANITIZED 1
#endif
#endif

#ifdef ROCKET_SANITIZED
int rocket_allocation_is_counted(void) { return 0; }
#else
int rocket_allocation_is_counted(void) { return 1; }

static void *counted(void *memory) {
    count++;
    held += (int64_t)malloc_usable_size(memory);
    if (held > peak) peak = held;
    return memory;
}

void *malloc(size_t size) { return counted(__libc_malloc(size)); }
void *calloc(size_t items, size_t size) { return counted(__libc_calloc(items, size)); }
void *realloc(void *memory, size_t size) {
    held -= (int64_t)malloc_usable_size(memory);
    return counted(__libc_realloc(memory, size));
}
void *aligned_alloc(size_t alignment, size_t size) {
    return counted(__libc_memalign(alignment, size));
}
int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = counted(__libc_memalign(alignment, size));
    return *memory ? 0 : ENOMEM;
}
void free(void *memory) {
    held -= (int64_t)malloc_usable_size(memory);
    __libc_free(memory);
}
#endif
