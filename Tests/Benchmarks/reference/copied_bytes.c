// A library to be preloaded: on SIGUSR2 the process writes how many bytes memcpy and memmove have
// copied in pieces of at least 4 KiB, as one line to the file named by COUNT_FILE. Copies of the
// kernel, and those that are compiled in place, are not counted.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LEAST = 4 << 10 };

static void *(*move)(void *, const void *, size_t);
static unsigned long long copied;

// Until `move` is known: one byte after the other, in the order that allows an overlap.
static void *move_slowly(void *to, const void *from, size_t count) {
    volatile char *out = to;
    const volatile char *in = from;
    if (out < in) {
        for (size_t i = 0; i < count; i++) out[i] = in[i];
    } else {
        while (count-- > 0) out[count] = in[count];
    }
    return to;
}

void *memmove(void *to, const void *from, size_t count) {
    if (count >= LEAST) __atomic_add_fetch(&copied, count, __ATOMIC_RELAXED);
    return move ? move(to, from, count) : move_slowly(to, from, count);
}

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    return memmove(to, from, count);
}

static void report(int number) {
    (void)number;
    const char *path = getenv("COUNT_FILE");
    char line[32];
    int count = snprintf(line, sizeof line, "%llu\n", __atomic_load_n(&copied, __ATOMIC_RELAXED));
    int file = path ? open(path, O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;
    if (file < 0 || write(file, line, (size_t)count) != count) _exit(99);
    close(file);
}

__attribute__((constructor)) static void begin(void) {
    *(void **)&move = dlsym(RTLD_NEXT, "memmove");
    struct sigaction action = {.sa_handler = report, .sa_flags = SA_RESTART};
    sigaction(SIGUSR2, &action, NULL);
}
