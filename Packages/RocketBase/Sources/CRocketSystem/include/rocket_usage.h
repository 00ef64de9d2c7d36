// What this process uses of the machine.
#ifndef ROCKET_USAGE_H
#define ROCKET_USAGE_H
#include <stdint.h>

/// Open descriptors; -1 with errno.
int64_t rocket_open_descriptors(void);
/// Resident memory in bytes; -1 with errno.
int64_t rocket_resident_bytes(void);
/// Bytes that malloc has handed out and not got back.
int64_t rocket_heap_bytes(void);
/// RLIMIT_NOFILE, the soft one; -1 with errno.
int64_t rocket_descriptor_limit(void);
/// Sets the soft limit; 0, or -1 with errno.
int rocket_set_descriptor_limit(int64_t limit);
/// Processor time of this process in nanoseconds, user and system.
int64_t rocket_processor_nanoseconds(void);
#endif
