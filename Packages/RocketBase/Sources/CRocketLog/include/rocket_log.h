// Log lines on their way from the caller to the writer: the record, the ring that holds records,
// and the text of a line. In C because the crash path (rocket_crash.h) runs the same code inside a
// signal handler, where Swift's runtime may not be entered. Nothing here allocates after
// rocket_log_ring_create, and nothing takes a lock.
#ifndef ROCKET_LOG_H
#define ROCKET_LOG_H
#include <stddef.h>
#include <stdint.h>

/// One line. What follows it in memory, in this order, each without a terminator: file and function
/// (only where their pointer is NULL), message, msg id, method, peer, then the fields.
struct rocket_log_record {
    uint32_t size;  // of all of it, a multiple of 8
    uint8_t level;  // LogLevel; 0xff marks the unused end of a ring
    uint8_t stream; // LogStream
    uint16_t field_count;
    int64_t wall_nanoseconds;
    int32_t thread_id;
    uint32_t line;
    const char *file;     // static text, or NULL
    const char *function; // static text, or NULL
    uint32_t file_length;
    uint32_t function_length;
    uint32_t message_length;
    uint16_t message_id_length;
    uint16_t method_length;
    uint16_t peer_length;
    uint16_t cut; // 1: the line was longer than the limit
    uint32_t padding;
};

enum rocket_log_kind {
    ROCKET_LOG_TEXT = 0,
    ROCKET_LOG_SIGNED = 1,   // int64_t
    ROCKET_LOG_UNSIGNED = 2, // uint64_t
};

/// Heads a field; the key and then the value follow. Not aligned.
struct rocket_log_field {
    uint16_t kind;
    uint16_t key_length;
    uint32_t value_length;
};

/// A ring of records. Many producers under one lock of theirs, one consumer, and the crash path.
struct rocket_log_ring;
/// `capacity`: bytes, a power of two. NULL when there is no memory.
struct rocket_log_ring *rocket_log_ring_create(uint64_t capacity);
void rocket_log_ring_destroy(struct rocket_log_ring *ring);
/// Copies `record` in; the bytes now held, or 0 when there is no room for it.
uint64_t rocket_log_ring_push(struct rocket_log_ring *ring, const struct rocket_log_record *record);
/// Bytes held.
uint64_t rocket_log_ring_used(const struct rocket_log_ring *ring);
/// Where the consumer stands.
uint64_t rocket_log_ring_tail(const struct rocket_log_ring *ring);
/// How far the producers have come.
uint64_t rocket_log_ring_head(const struct rocket_log_ring *ring);
/// The record at `*cursor`, which moves over unused space; NULL when it has reached `end`.
const struct rocket_log_record *rocket_log_ring_at(const struct rocket_log_ring *ring,
                                                   uint64_t *cursor, uint64_t end);
/// The consumer is done with everything before `cursor`.
void rocket_log_ring_release(struct rocket_log_ring *ring, uint64_t cursor);

/// How a line is dressed.
enum rocket_log_style {
    ROCKET_LOG_PLAIN = 0,
    ROCKET_LOG_COLOUR = 1,   // ANSI colours by level
    ROCKET_LOG_PRIORITY = 2, // "<N>" before the line, as systemd reads it
};

/// Room that the line of `record` surely fits into.
size_t rocket_log_line_bound(const struct rocket_log_record *record);
/// Writes the line with its newline; its length. `out` has rocket_log_line_bound bytes.
size_t rocket_log_line(const struct rocket_log_record *record, int32_t process_id,
                       int32_t utc_offset_seconds, enum rocket_log_style style, char *out);
/// syslog(3)'s number of a LogLevel.
int rocket_log_priority(uint8_t level);
#endif
