#define _GNU_SOURCE
#include "rocket_thread_signals.h"
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static const int crashes[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

void rocket_block_signals(void) {
    sigset_t set;
    sigfillset(&set);
    for (unsigned i = 0; i < sizeof crashes / sizeof *crashes; i++) sigdelset(&set, crashes[i]);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static const int write_signals[2] = {SIGPIPE, SIGXFSZ};

uint32_t rocket_hold_write_signals(void) {
    sigset_t set, former;
    sigemptyset(&set);
    for (int i = 0; i < 2; i++) sigaddset(&set, write_signals[i]);
    pthread_sigmask(SIG_BLOCK, &set, &former);
    uint32_t held = 0;
    for (int i = 0; i < 2; i++)
        if (!sigismember(&former, write_signals[i])) held |= 1u << i;
    return held;
}

void rocket_allow_write_signals(uint32_t held) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < 2; i++)
        if (held & 1u << i) sigaddset(&set, write_signals[i]);
    struct timespec now = {0, 0};
    while (held && sigtimedwait(&set, NULL, &now) > 0) {}
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
