// Log lines between the caller and the writer: the record, the ring of records, and the text of a
// line. In C because the crash handlers (rocket_crash.h) run the same code inside a signal handler,
// where Swift's runtime must not be called. Only rocket_log_ring_create allocates, and no function
// takes a lock.
#ifndef ROCKET_LOG_H
#define ROCKET_LOG_H
#include <stddef.h>
#include <stdint.h>

/// The head of one line. It is followed in memory by these bytes, each text without a terminator:
/// file and function (only if their pointer is NULL), message, msg id, method, peer, fields.
struct rocket_log_record {
    uint32_t size;  // of head and bytes, a multiple of 8
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
    uint16_t cut; // 1: the line exceeded the limit
    uint32_t padding;
};

enum rocket_log_kind {
    ROCKET_LOG_TEXT = 0,
    ROCKET_LOG_SIGNED = 1,   // int64_t
    ROCKET_LOG_UNSIGNED = 2, // uint64_t
};

/// The head of a field, followed by the key and the value. Not aligned.
struct rocket_log_field {
    uint16_t kind;
    uint16_t key_length;
    uint32_t value_length;
};

/// A ring of records with many producers, which share a lock of their own, one consumer, and the
/// crash handlers.
struct rocket_log_ring;
/// Creates a ring of `capacity` bytes, a power of two; NULL when there is no memory.
struct rocket_log_ring *rocket_log_ring_create(uint64_t capacity);
/// Frees a ring.
void rocket_log_ring_destroy(struct rocket_log_ring *ring);
/// Copies `record` into the ring. Returns the number of bytes in use, or 0 when there is no room.
uint64_t rocket_log_ring_push(struct rocket_log_ring *ring, const struct rocket_log_record *record);
/// Returns the number of bytes in use.
uint64_t rocket_log_ring_used(const struct rocket_log_ring *ring);
/// Returns the offset of the oldest record that the consumer has not released.
uint64_t rocket_log_ring_tail(const struct rocket_log_ring *ring);
/// Returns the offset after the newest record.
uint64_t rocket_log_ring_head(const struct rocket_log_ring *ring);
/// Returns the record at `*cursor`, after moving the cursor over unused space; NULL at `end`.
const struct rocket_log_record *rocket_log_ring_at(const struct rocket_log_ring *ring,
                                                   uint64_t *cursor, uint64_t end);
/// Releases all records before `cursor`: producers may overwrite them.
void rocket_log_ring_release(struct rocket_log_ring *ring, uint64_t cursor);

/// The format of a line.
enum rocket_log_style {
    ROCKET_LOG_PLAIN = 0,
    ROCKET_LOG_COLOUR = 1,   // ANSI colours by level
    ROCKET_LOG_PRIORITY = 2, // "<N>" before the line, N being the syslog priority (systemd)
};

/// Returns the largest number of bytes of the line of `record`.
size_t rocket_log_line_bound(const struct rocket_log_record *record);
/// Writes the line with its line feed and returns its length. `out` has rocket_log_line_bound
/// bytes.
size_t rocket_log_line(const struct rocket_log_record *record, int32_t process_id,
                       int32_t utc_offset_seconds, enum rocket_log_style style, char *out);
/// Writes the message and, as " key=value", the fields and the peer, method and id of the call of
/// `record`: a line without its columns and its line feed. Line feeds and tabs of the message are
/// not escaped. Returns the length; `out` has rocket_log_line_bound bytes.
size_t rocket_log_text(const struct rocket_log_record *record, char *out);
/// Writes text with all characters escaped that a line escapes, except line feeds and tabs, and
/// returns its length. `out` has 4 * `count` bytes.
size_t rocket_log_escape(const char *bytes, size_t count, char *out);
/// Returns whether a line escapes this Unicode character. Zero-width joiners are not escaped.
int rocket_log_is_unsafe(uint32_t scalar);
/// Returns the syslog(3) priority of a LogLevel: the only table of them.
int rocket_log_priority(uint8_t level);
#endif
