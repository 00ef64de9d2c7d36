// Thread identity, which Swift's Glibc module does not show.
//
// No header here defines _GNU_SOURCE: it would change glibc's own types between modules, which
// the Swift importer refuses. What needs it is defined in the .c file of the same name.
#ifndef ROCKET_THREAD_H
#define ROCKET_THREAD_H
#include <sys/types.h>

/// gettid(2): the kernel's id of the calling thread.
pid_t rocket_gettid(void);
#endif
