// The resources of the process, and the texts of error numbers.
#ifndef ROCKET_PROCESS_H
#define ROCKET_PROCESS_H
#include <stdint.h>

/// Returns the number of open descriptors, or -1 with errno.
int64_t rocket_open_descriptors(void);
/// Returns the resident memory in bytes, or -1 with errno.
int64_t rocket_resident_bytes(void);
/// Returns the number of bytes that are allocated by malloc and not freed.
int64_t rocket_heap_bytes(void);
/// malloc_trim(3): gives the free pages of all arenas back to the system. Returns 1 if there were any.
int rocket_trim_heap(void);
/// mallopt(3): of freed memory malloc keeps up to `kept_bytes` at the end of each arena, and blocks
/// of less than 4 MiB are not mapped one by one.
void rocket_keep_freed_memory(int kept_bytes);
/// Returns the soft limit on open descriptors (RLIMIT_NOFILE), or -1 with errno.
int64_t rocket_descriptor_limit(void);
/// Sets the soft limit on open descriptors: returns 0, or -1 with errno.
int rocket_set_descriptor_limit(int64_t limit);
/// Returns the processor time of the process in nanoseconds, user and system.
int64_t rocket_processor_nanoseconds(void);

/// strerrorname_np(3): "EAGAIN", or NULL for an undefined number. A constant string, thread-safe.
const char *rocket_errno_name(int number);
/// strerrordesc_np(3): the untranslated text, or NULL. A constant string, thread-safe.
const char *rocket_errno_text(int number);
#endif
