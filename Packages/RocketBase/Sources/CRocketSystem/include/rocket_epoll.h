// epoll(7) and eventfd(2), which Swift's Glibc module lacks.
#ifndef ROCKET_EPOLL_H
#define ROCKET_EPOLL_H
#include <stdint.h>
#include <sys/epoll.h>

/// epoll_create1(EPOLL_CLOEXEC): a descriptor, or -1 and errno.
int rocket_epoll_create(void);
/// epoll_ctl(2) with one of EPOLL_CTL_ADD, _MOD, _DEL: 0, or -1 and errno.
int rocket_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t data);
/// epoll_pwait2(2): waits at most `nanoseconds` (negative: for ever). The number of events, or -1
/// and errno. A kernel without it (before 5.11) waits whole milliseconds, rounded up.
int rocket_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds);
/// eventfd(2), non-blocking, close-on-exec: a descriptor, or -1 and errno.
int rocket_eventfd(void);
#endif
