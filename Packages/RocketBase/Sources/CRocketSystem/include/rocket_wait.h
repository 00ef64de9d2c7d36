// The calls in which a thread waits, which Swift's Glibc module lacks: epoll(7), with eventfd(2)
// to wake it, and futex(2).
#ifndef ROCKET_WAIT_H
#define ROCKET_WAIT_H
#include <stdint.h>
#include <sys/epoll.h>

/// epoll_create1(EPOLL_CLOEXEC): returns a descriptor, or -1 with errno.
int rocket_epoll_create(void);
/// epoll_ctl(2) with EPOLL_CTL_ADD, EPOLL_CTL_MOD or EPOLL_CTL_DEL: returns 0, or -1 with errno.
int rocket_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t data);
/// epoll_pwait2(2): waits at most `nanoseconds`; a negative value has no limit. Returns the number
/// of events, or -1 with errno. Kernels before 5.11 lack the call; there the time is rounded up to
/// whole milliseconds.
int rocket_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds);
/// eventfd(2), non-blocking and closed on exec: returns a descriptor, or -1 with errno.
int rocket_eventfd(void);

static inline uint32_t rocket_word_load(const uint32_t *word) {
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}
static inline void rocket_word_store(uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}
static inline uint32_t rocket_word_exchange(uint32_t *word, uint32_t value) {
    return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}
static inline int rocket_word_replace(uint32_t *word, uint32_t expected, uint32_t value) {
    return __atomic_compare_exchange_n(word, &expected, value, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}
static inline uint32_t rocket_word_add(uint32_t *word, uint32_t value) {
    return __atomic_add_fetch(word, value, __ATOMIC_SEQ_CST);
}
/// Waits while `*word` is `value`, at most `nanoseconds`; a negative value has no limit. Also
/// returns spuriously.
void rocket_futex_wait(const uint32_t *word, uint32_t value, int64_t nanoseconds);
/// Wakes all threads that wait on `word`.
void rocket_futex_wake_all(const uint32_t *word);
#endif
