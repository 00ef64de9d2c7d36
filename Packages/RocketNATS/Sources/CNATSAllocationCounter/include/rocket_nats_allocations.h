#ifndef ROCKET_NATS_ALLOCATIONS_H
#define ROCKET_NATS_ALLOCATIONS_H

#include <stdint.h>

/// Heap allocations of the calling thread so far; always 0 with a sanitizer, which replaces malloc itself.
/// For tests only: replaces libc's malloc in the program that links it.
uint64_t rocket_nats_allocations(void);

#endif
