// Counts the heap allocations of the calling thread, by replacing libc's malloc.
#ifndef ALLOCATION_COUNT_H
#define ALLOCATION_COUNT_H
#include <stdint.h>
#ifdef __cplusplus
extern "C"
#endif
uint64_t allocation_count(void);
#endif
