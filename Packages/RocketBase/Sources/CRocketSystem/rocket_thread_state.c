#define _GNU_SOURCE
#include "rocket_thread_state.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static __thread struct rocket_thread_state state;
static uint32_t lanes;

static void start_afresh(void) { memset(&state, 0, sizeof state); }

// The child of a fork has one thread, with the parent's ids and counters: all would be told twice.
__attribute__((constructor)) static void watch_forks(void) {
    pthread_atfork(NULL, NULL, start_afresh);
}

static void set_up(void) {
    state.thread_id = gettid();
    state.lane = __atomic_fetch_add(&lanes, 1, __ATOMIC_RELAXED);
}

struct rocket_thread_state *rocket_thread_state(void) {
    if (__builtin_expect(state.thread_id == 0, 0)) set_up();
    return &state;
}

int rocket_random_words(uint64_t *words) {
    // Requests of up to 256 bytes are all or nothing once the pool is initialised.
    ssize_t count;
    do count = getrandom(words, 16, 0);
    while (count < 0 && errno == EINTR);
    return count == 16 ? 0 : count < 0 ? errno : EIO;
}
