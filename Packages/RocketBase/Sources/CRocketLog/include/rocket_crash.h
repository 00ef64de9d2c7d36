// Writes buffered log lines when the process crashes: signal handlers that write the lines of all
// rings with write(2) only, then restore the former disposition, so that the signal takes effect.
#ifndef ROCKET_CRASH_H
#define ROCKET_CRASH_H
#include "rocket_log.h"

enum { ROCKET_CRASH_STREAMS = 2, ROCKET_CRASH_OUTPUTS = 2 };

/// The rings of one writer and the outputs of their lines. Owned by the writer, whose thread sets
/// the fields.
struct rocket_crash_target {
    struct rocket_log_ring **rings;
    uint32_t ring_count;
    int32_t process_id;
    int32_t writer_thread_id;
    int32_t utc_offset_seconds;
    uint32_t writing;                                          // 1: the writer is within a batch
    int32_t outputs[ROCKET_CRASH_STREAMS][ROCKET_CRASH_OUTPUTS]; // descriptors; -1: none
    int32_t styles[ROCKET_CRASH_STREAMS][ROCKET_CRASH_OUTPUTS];  // rocket_log_style
};

/// Creates a target for at most 256 rings without outputs; NULL when there is no memory.
struct rocket_crash_target *rocket_crash_target_create(uint32_t ring_count);
/// Sets ring `index`. All rings must be set before the target is registered.
void rocket_crash_set_ring(struct rocket_crash_target *target, uint32_t index,
                           struct rocket_log_ring *ring);
/// Sets one output of a stream; descriptor -1: none.
void rocket_crash_set_output(struct rocket_crash_target *target, uint32_t stream, uint32_t slot,
                             int32_t descriptor, enum rocket_log_style style);
/// Frees the target, which must not be registered.
void rocket_crash_target_destroy(struct rocket_crash_target *target);

/// Installs the handlers (once per process) and registers the target. Returns 0, or ENOSPC when 64
/// targets are registered.
int rocket_crash_register(struct rocket_crash_target *target);
/// Removes the target. Waits while a handler is writing; no handler accesses the target afterwards.
void rocket_crash_unregister(struct rocket_crash_target *target);

/// Sets two words of memory that survive the process, for the number of the signal that ends it and
/// the id of its thread. Those that were set before are forgotten.
void rocket_crash_set_marks(uint32_t *marks);
/// Forgets the words, if they are set: before their memory goes. Waits while a handler is writing.
void rocket_crash_clear_marks(uint32_t *marks);

/// Starts a batch of the writer. Does not return after a crash has begun, because the handler then
/// writes the lines.
void rocket_crash_begin_batch(struct rocket_crash_target *target);
/// Ends a batch, after its room in the rings was released.
void rocket_crash_end_batch(struct rocket_crash_target *target);
#endif
