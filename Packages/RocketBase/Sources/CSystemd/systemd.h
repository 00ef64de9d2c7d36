// libsystemd: the journal, and a daemon's notifications to its service manager.
#ifndef ROCKET_SYSTEMD_H
#define ROCKET_SYSTEMD_H
#include <stdlib.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

/// free(3), for memory that libsystemd allocated for its caller.
static inline void rocket_systemd_free(void *memory) { free(memory); }
#endif
