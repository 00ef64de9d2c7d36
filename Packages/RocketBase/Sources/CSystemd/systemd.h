// libsystemd: the journal, and the daemon's words to its service manager.
#ifndef ROCKET_SYSTEMD_H
#define ROCKET_SYSTEMD_H
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#endif
