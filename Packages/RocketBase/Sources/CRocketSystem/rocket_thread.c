#define _GNU_SOURCE
#include "rocket_thread.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

pid_t rocket_gettid(void) { return gettid(); }

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

int rocket_thread_first_cpu(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &set)) return cpu;
    return -1;
}
