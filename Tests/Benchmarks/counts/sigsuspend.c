// Preloaded into Swift programs under valgrind 3.19, which writes to the mask passed to sigsuspend
// and crashes if that mask is constant, as in libdispatch. Passes a copy instead.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>

int sigsuspend(const sigset_t *mask) {
    static int (*next)(const sigset_t *);
    if (next == NULL) next = (int (*)(const sigset_t *))dlsym(RTLD_NEXT, "sigsuspend");
    sigset_t copy = *mask;
    return next(&copy);
}
