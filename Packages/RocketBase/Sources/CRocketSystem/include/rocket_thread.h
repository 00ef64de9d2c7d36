// Threads and their identity, which Swift's Glibc module does not show.
//
// No header here defines _GNU_SOURCE: it would change glibc's own types between modules, which
// the Swift importer refuses. What needs it is defined in the .c file of the same name.
#ifndef ROCKET_THREAD_H
#define ROCKET_THREAD_H
#include <stdint.h>
#include <sys/types.h>

/// gettid(2): the kernel's id of the calling thread.
pid_t rocket_gettid(void);

/// A number that no other living thread has: one instruction, no call.
static inline uintptr_t rocket_thread_token(void) {
    return (uintptr_t)__builtin_thread_pointer();
}

/// Starts a joinable thread that runs `body(context)`, named `name` (cut to 15 bytes), pinned to
/// `cpu` unless that is negative. 0 or an error number (EAGAIN: no more threads; EINVAL: no such
/// cpu); then the body never runs.
int rocket_thread_start(uint64_t *thread, const char *name, int cpu,
                        void (*body)(void *), void *context);
/// pthread_join(3).
int rocket_thread_join(uint64_t thread);
/// pthread_detach(3).
int rocket_thread_detach(uint64_t thread);
/// The calling thread's name into 16 bytes.
void rocket_thread_name(char *name);
/// The first processor that the calling thread may run on; -1 when unknown.
int rocket_thread_first_cpu(void);
#endif
