// Signals: masks, dispositions, and signalfd(2), which Swift's Glibc module lacks. A set of signals
// is a bit mask: bit n - 1 is signal n.
#ifndef ROCKET_SIGNAL_H
#define ROCKET_SIGNAL_H
#include <stdint.h>

/// Blocks the set in the calling thread (pthread_sigmask(3)): returns 0 or an error number.
int rocket_signals_block(uint64_t set);
/// Returns the set of signals that the calling thread blocks.
uint64_t rocket_signals_blocked(void);
/// signalfd(2), non-blocking and closed on exec: returns a descriptor, or -1 with errno.
int rocket_signalfd(uint64_t set);
/// Reads one signal: returns its number, 0 when none is pending, or -1 with errno.
int rocket_signalfd_read(int fd);
/// Installs handlers that write each signal of the set to a pipe: returns its read end, or -1 with
/// errno (EBUSY: called before).
int rocket_signals_listen(uint64_t set);
/// Waits for the next signal in that pipe and returns its number.
int rocket_signals_next(int fd);
/// Unblocks the set in the calling thread.
void rocket_signals_unblock(uint64_t set);
/// Ignores SIGPIPE in the process: writes to a closed connection then fail with EPIPE.
void rocket_ignore_sigpipe(void);
/// Restores the default disposition of SIGPIPE, which ends the process, and unblocks it in the
/// calling thread.
void rocket_default_sigpipe(void);

/// Blocks all signals but those of crashes in the calling thread.
void rocket_block_signals(void);
/// Blocks SIGPIPE and SIGXFSZ in the calling thread: writes then fail with EPIPE and EFBIG. Returns
/// the signals that were not blocked before, for rocket_restore_write_signals.
uint32_t rocket_block_write_signals(void);
/// Discards pending signals of `blocked`, the result of rocket_block_write_signals, and unblocks
/// them.
void rocket_restore_write_signals(uint32_t blocked);
#endif
