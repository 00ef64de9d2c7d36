#ifndef ROCKET_ALLOCATION_COUNT_H
#define ROCKET_ALLOCATION_COUNT_H

#include <stdint.h>

/// Whether allocations are counted: not with a sanitizer, which replaces malloc itself.
int rocket_allocation_is_counted(void);
/// Heap allocations of the calling thread so far. For tests only: replaces libc's malloc in the program
/// that links it.
uint64_t rocket_allocation_count(void);
/// The most bytes that the calling thread has held at once since rocket_allocation_start.
int64_t rocket_allocation_peak(void);
/// Begins to count the bytes of the calling thread from 0.
void rocket_allocation_start(void);

#endif
