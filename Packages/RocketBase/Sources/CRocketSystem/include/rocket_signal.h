// signalfd(2), which Swift's Glibc module lacks. A set is a bit mask: bit n-1 is signal n.
#ifndef ROCKET_SIGNAL_H
#define ROCKET_SIGNAL_H
#include <stdint.h>

/// pthread_sigmask(3): blocks the set in the calling thread. 0 or an error number.
int rocket_signals_block(uint64_t set);
/// The set of signals that the calling thread blocks.
uint64_t rocket_signals_blocked(void);
/// signalfd(2), non-blocking, close-on-exec: a descriptor, or -1 and errno.
int rocket_signalfd(uint64_t set);
/// Reads one signal: its number, 0 when there is none, or -1 and errno.
int rocket_signalfd_read(int fd);
/// Ignores SIGPIPE in the whole process: writing to a closed peer is EPIPE then.
void rocket_ignore_sigpipe(void);
/// SIGPIPE's default action, which ends the process, in the whole process; lets it reach the
/// calling thread.
void rocket_default_sigpipe(void);
#endif
