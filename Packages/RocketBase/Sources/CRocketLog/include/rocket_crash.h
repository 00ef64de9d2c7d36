// The way out of buffered log lines when the process crashes: signal handlers that write the rings'
// text with write(2) alone, then let the signal take its former way.
#ifndef ROCKET_CRASH_H
#define ROCKET_CRASH_H
#include "rocket_log.h"

enum { ROCKET_CRASH_STREAMS = 2, ROCKET_CRASH_OUTPUTS = 2 };

/// One writer's rings and where their lines go. Owned by the writer; fields are set by its thread.
struct rocket_crash_target {
    struct rocket_log_ring **rings;
    uint32_t ring_count;
    int32_t process_id;
    int32_t writer_thread_id;
    int32_t utc_offset_seconds;
    uint32_t writing;                                          // 1: the writer is in a batch
    int32_t outputs[ROCKET_CRASH_STREAMS][ROCKET_CRASH_OUTPUTS]; // descriptors, -1: none
    int32_t styles[ROCKET_CRASH_STREAMS][ROCKET_CRASH_OUTPUTS];  // rocket_log_style
};

struct rocket_crash_target *rocket_crash_target_create(uint32_t ring_count);
/// Where ring `index` is entered.
void rocket_crash_set_ring(struct rocket_crash_target *target, uint32_t index,
                           struct rocket_log_ring *ring);
void rocket_crash_set_output(struct rocket_crash_target *target, uint32_t stream, uint32_t slot,
                             int32_t descriptor, enum rocket_log_style style);
void rocket_crash_target_destroy(struct rocket_crash_target *target);

/// Installs the handlers (once per process) and enters the target; 0, or ENOSPC with too many.
int rocket_crash_register(struct rocket_crash_target *target);
/// Afterwards no handler touches the target; a flush under way is waited for.
void rocket_crash_unregister(struct rocket_crash_target *target);

/// Heads each batch of the writer's. Never returns while a crash is being written.
void rocket_crash_begin_batch(struct rocket_crash_target *target);
void rocket_crash_end_batch(struct rocket_crash_target *target);
#endif
