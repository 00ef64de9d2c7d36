// Threads and their identity, which Swift's Glibc module does not expose.
//
// No header here defines _GNU_SOURCE: it would change glibc's own types between modules, which
// the Swift importer rejects. Functions that need it are defined in the .c file of the same name.
#ifndef ROCKET_THREAD_H
#define ROCKET_THREAD_H
#include <stdint.h>

/// Returns a number that identifies the calling thread among the living threads: one instruction,
/// no call.
static inline uintptr_t rocket_thread_token(void) {
    return (uintptr_t)__builtin_thread_pointer();
}

/// Starts a joinable thread that runs `body(context)`, with the name `name` (cut to 15 bytes),
/// pinned to `cpu` unless that is negative. Returns 0 or an error number (EAGAIN: the limit on
/// threads is reached; EINVAL: no such cpu), after which the body never runs.
int rocket_thread_start(uint64_t *_Nonnull thread, const char *_Nonnull name, int cpu,
                        void (*_Nonnull body)(void *_Nullable), void *_Nullable context);
/// pthread_join(3).
int rocket_thread_join(uint64_t thread);
/// pthread_detach(3).
int rocket_thread_detach(uint64_t thread);
/// Copies the name of the calling thread into 16 bytes.
void rocket_thread_name(char *_Nonnull name);
/// Returns the first processor that the calling thread may run on; -1 when it is unknown.
int rocket_thread_first_cpu(void);
// Sets the nice value of the calling thread (setpriority(2)). Returns an errno, 0 on success.
int rocket_thread_set_nice(int nice);
// The nice value of the calling thread.
int rocket_thread_nice(void);

/// State of one thread, so that logging and message ids need no lock.
struct rocket_thread_state {
    int32_t thread_id;  // gettid(2)
    uint32_t ordinal;   // 0, 1, 2 …, in the order of each thread's first access
    uint64_t id_high;   // MessageID's counter: the upper ten digits
    uint64_t id_low;    // and the lower ten digits
    uint32_t id_seeded; // 0 until the counter has its random start
};

/// Returns the state of the calling thread. In the child process of a fork it is reset.
struct rocket_thread_state *_Nonnull rocket_thread_state(void);
/// Fills two words by getrandom(2): returns 0 or an error number.
int rocket_random_words(uint64_t *_Nonnull words);
#endif
