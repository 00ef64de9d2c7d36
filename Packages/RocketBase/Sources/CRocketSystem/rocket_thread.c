#define _GNU_SOURCE
#include "rocket_thread.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct start {
    char name[16];
    void (*body)(void *);
    void *context;
};

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    prctl(PR_SET_NAME, start.name);
    start.body(start.context);
    return 0;
}

int rocket_thread_start(uint64_t *thread, const char *name, int cpu,
                        void (*body)(void *), void *context) {
    if (cpu >= CPU_SETSIZE) return EINVAL;
    struct start *start = calloc(1, sizeof *start);
    if (!start) return ENOMEM;
    strncpy(start->name, name, sizeof start->name - 1);
    start->body = body;
    start->context = context;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    int error = 0;
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        error = pthread_attr_setaffinity_np(&attributes, sizeof set, &set);
    }
    pthread_t id = 0;
    if (!error) error = pthread_create(&id, &attributes, run, start);
    if (error) free(start);
    pthread_attr_destroy(&attributes);
    *thread = (uint64_t)id;
    return error;
}

int rocket_thread_join(uint64_t thread) { return pthread_join((pthread_t)thread, 0); }

int rocket_thread_detach(uint64_t thread) { return pthread_detach((pthread_t)thread); }

void rocket_thread_name(char *name) { prctl(PR_GET_NAME, name); }

int rocket_thread_set_nice(int nice) {
    return setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice) == 0 ? 0 : errno;
}

int rocket_thread_nice(void) { return getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid)); }

int rocket_thread_first_cpu(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &set)) return cpu;
    return -1;
}

static __thread struct rocket_thread_state state;
static uint32_t ordinals;

static void reset_state(void) { memset(&state, 0, sizeof state); }

// The child process of a fork has one thread, with a copy of the parent's state: without a reset
// both processes would use the same thread ids and message ids.
__attribute__((constructor)) static void register_fork_handler(void) {
    pthread_atfork(NULL, NULL, reset_state);
}

static void initialise_state(void) {
    state.thread_id = gettid();
    state.ordinal = __atomic_fetch_add(&ordinals, 1, __ATOMIC_RELAXED);
}

struct rocket_thread_state *rocket_thread_state(void) {
    if (__builtin_expect(state.thread_id == 0, 0)) initialise_state();
    return &state;
}

int rocket_random_words(uint64_t *words) {
    // Requests of up to 256 bytes are all or nothing once the pool is initialised.
    ssize_t count;
    do count = getrandom(words, 16, 0);
    while (count < 0 && errno == EINTR);
    return count == 16 ? 0 : count < 0 ? errno : EIO;
}
