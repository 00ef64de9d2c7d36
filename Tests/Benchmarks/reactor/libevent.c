// Does the same work as BenchLoop on libevent. Prints `name value` lines.
#define _GNU_SOURCE
#include <event2/event.h>
#include <event2/thread.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TIMERS = 1000000, WAKEUPS = 20000 };

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t state = 42;
static uint64_t next_random(void) {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static void report(const char *name, uint64_t value) { printf("%s %lu\n", name, (unsigned long)value); }
static void report_each(const char *name, uint64_t start, uint64_t count) {
    report(name, (now() - start) / count);
}

static uint64_t fired;
static void on_timer(evutil_socket_t fd, short what, void *context) { fired++; }

static void add(struct event *timer, uint64_t microseconds) {
    struct timeval delay = {(time_t)(microseconds / 1000000), (suseconds_t)(microseconds % 1000000)};
    event_add(timer, &delay);
}

static void timers(void) {
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    struct event **all = calloc(TIMERS, sizeof *all);

    // Includes the creation of the timer, as in BenchLoop.
    uint64_t start = now();
    for (int i = 0; i < TIMERS; i++) {
        all[i] = evtimer_new(base, on_timer, 0);
        add(all[i], 3600000000u + next_random() % 3600000000u);
    }
    report_each("timer_add_ns_to_1M_random", start, TIMERS);

    start = now();
    for (int i = 0; i < TIMERS; i++) {
        struct event *soon = evtimer_new(base, on_timer, 0);
        add(soon, 1000000);
        event_free(soon);
    }
    report_each("timer_add_cancel_ns_with_1M_waiting", start, TIMERS);

    start = now();
    for (int i = 0; i < TIMERS; i += 2) event_del(all[i]);
    report_each("timer_cancel_ns_of_1M", start, TIMERS / 2);
    for (int i = 0; i < TIMERS; i++) event_del(all[i]);

    // All are due now, in random order.
    for (int i = 0; i < TIMERS; i++) add(all[i], next_random() % 1000);
    struct timespec pause = {0, 2000000};
    nanosleep(&pause, 0);
    fired = 0;
    start = now();
    while (fired < TIMERS) event_base_loop(base, EVLOOP_NONBLOCK);
    report_each("timer_fire_ns_of_1M", start, TIMERS);
    for (int i = 0; i < TIMERS; i++) event_free(all[i]);
    free(all);
    event_base_free(base);
}

static struct event_base *loop;
static struct event *wake;
static atomic_uint_fast64_t sent, seen;
static uint64_t latencies[WAKEUPS];

static void on_wake(evutil_socket_t fd, short what, void *context) {
    uint64_t arrived = now();
    atomic_store(&seen, arrived - atomic_load(&sent));
}

static void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *run_loop(void *context) {
    pin(0);
    event_base_loop(loop, EVLOOP_NO_EXIT_ON_EMPTY);
    return 0;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void wakeups(void) {
    evthread_use_pthreads();
    loop = event_base_new();
    wake = event_new(loop, -1, EV_PERSIST, on_wake, 0);
    pthread_t thread;
    pthread_create(&thread, 0, run_loop, 0);
    pin(1);
    for (int i = 0; i < WAKEUPS; i++) {
        uint64_t until = now() + 20000; // the loop goes to sleep
        while (now() < until) {}
        atomic_store(&seen, 0);
        atomic_store(&sent, now());
        event_active(wake, EV_READ, 0);
        while (!(latencies[i] = atomic_load(&seen))) {}
    }
    qsort(latencies, WAKEUPS, sizeof *latencies, compare);
    report("wakeup_to_run_ns_p50", latencies[WAKEUPS / 2]);
    report("wakeup_to_run_ns_p99", latencies[WAKEUPS / 100 * 99]);
    report("wakeup_to_run_ns_p99.9", latencies[WAKEUPS / 1000 * 999]);
    event_base_loopbreak(loop);
    pthread_join(thread, 0);
}

int main(void) {
    timers();
    wakeups();
    return 0;
}
