// Which signals the calling thread takes.
#ifndef ROCKET_THREAD_SIGNALS_H
#define ROCKET_THREAD_SIGNALS_H
#include <stdint.h>

/// Blocks all signals but those of crashes.
void rocket_block_signals(void);
/// Keeps SIGPIPE and SIGXFSZ away: writes fail with EPIPE and EFBIG. Returns what
/// rocket_allow_write_signals wants back.
uint32_t rocket_hold_write_signals(void);
/// Takes away what came meanwhile and restores the thread's mask.
void rocket_allow_write_signals(uint32_t held);
#endif
