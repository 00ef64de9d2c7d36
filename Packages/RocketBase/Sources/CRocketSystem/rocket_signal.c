#define _GNU_SOURCE
#include "rocket_signal.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

static sigset_t set_of(uint64_t bits) {
    sigset_t set;
    sigemptyset(&set);
    for (int number = 1; number <= 64; number++)
        if (bits >> (number - 1) & 1) sigaddset(&set, number);
    return set;
}

int rocket_signals_block(uint64_t bits) {
    sigset_t set = set_of(bits);
    return pthread_sigmask(SIG_BLOCK, &set, 0);
}

uint64_t rocket_signals_blocked(void) {
    sigset_t set;
    sigemptyset(&set);
    pthread_sigmask(SIG_BLOCK, 0, &set);
    uint64_t bits = 0;
    for (int number = 1; number <= 64; number++)
        if (sigismember(&set, number) == 1) bits |= (uint64_t)1 << (number - 1);
    return bits;
}

int rocket_signalfd(uint64_t bits) {
    sigset_t set = set_of(bits);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int rocket_signalfd_read(int fd) {
    struct signalfd_siginfo info;
    ssize_t count;
    do count = read(fd, &info, sizeof info);
    while (count < 0 && errno == EINTR);
    if (count == (ssize_t)sizeof info) return (int)info.ssi_signo;
    return count < 0 && errno != EAGAIN ? -1 : 0;
}

static int listener[2] = {-1, -1};

// Async-signal-safe. The write end does not block: a full pipe has signals enough.
static void pass_on(int number) {
    int error = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t written = write(listener[1], &byte, 1);
    (void)written;
    errno = error;
}

int rocket_signals_listen(uint64_t bits) {
    static int started = 0;
    if (__atomic_exchange_n(&started, 1, __ATOMIC_SEQ_CST)) return errno = EBUSY, -1;
    if (pipe2(listener, O_CLOEXEC) != 0) return -1;
    fcntl(listener[1], F_SETFL, O_NONBLOCK);
    struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    for (int number = 1; number <= 64; number++)
        if (bits >> (number - 1) & 1) sigaction(number, &action, NULL);
    return listener[0];
}

int rocket_signals_next(int fd) {
    unsigned char byte = 0;
    while (read(fd, &byte, 1) < 0 && errno == EINTR) {}
    return byte;
}

void rocket_signals_unblock(uint64_t bits) {
    sigset_t set = set_of(bits);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void rocket_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }

void rocket_default_sigpipe(void) {
    signal(SIGPIPE, SIG_DFL);
    sigset_t set = set_of((uint64_t)1 << (SIGPIPE - 1));
    pthread_sigmask(SIG_UNBLOCK, &set, 0);
}

static const int crashes[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

void rocket_block_signals(void) {
    sigset_t set;
    sigfillset(&set);
    for (unsigned i = 0; i < sizeof crashes / sizeof *crashes; i++) sigdelset(&set, crashes[i]);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static const int write_signals[2] = {SIGPIPE, SIGXFSZ};

uint32_t rocket_block_write_signals(void) {
    sigset_t set, former;
    sigemptyset(&set);
    for (int i = 0; i < 2; i++) sigaddset(&set, write_signals[i]);
    pthread_sigmask(SIG_BLOCK, &set, &former);
    uint32_t blocked = 0;
    for (int i = 0; i < 2; i++)
        if (!sigismember(&former, write_signals[i])) blocked |= 1u << i;
    return blocked;
}

void rocket_restore_write_signals(uint32_t blocked) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < 2; i++)
        if (blocked & 1u << i) sigaddset(&set, write_signals[i]);
    struct timespec now = {0, 0};
    while (blocked && sigtimedwait(&set, NULL, &now) > 0) {}
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
