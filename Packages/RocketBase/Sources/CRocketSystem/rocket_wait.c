#define _GNU_SOURCE
#include "rocket_wait.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int rocket_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int rocket_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    return epoll_ctl(epoll, operation, fd, &event);
}

static int wait_milliseconds(int epoll, struct epoll_event *events, int capacity, int64_t ns) {
    int64_t milliseconds = ns <= 0 ? ns : (ns - 1) / 1000000 + 1;
    if (milliseconds > INT_MAX) milliseconds = INT_MAX;
    return epoll_wait(epoll, events, capacity, milliseconds < 0 ? -1 : (int)milliseconds);
}

int rocket_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds) {
    static atomic_bool lacks_pwait2;
    // A poll and a wait without a limit need no timespec; the older call is slightly faster.
    if (nanoseconds <= 0 || atomic_load_explicit(&lacks_pwait2, memory_order_relaxed))
        return wait_milliseconds(epoll, events, capacity, nanoseconds);
    struct timespec timeout = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    int count = epoll_pwait2(epoll, events, capacity, &timeout, 0);
    if (count >= 0 || errno != ENOSYS) return count;
    atomic_store_explicit(&lacks_pwait2, 1, memory_order_relaxed);
    return wait_milliseconds(epoll, events, capacity, nanoseconds);
}

int rocket_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void rocket_futex_wait(const uint32_t *word, uint32_t value, int64_t nanoseconds) {
    struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, nanoseconds < 0 ? NULL : &limit, NULL, 0);
}

void rocket_futex_wake_all(const uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}
