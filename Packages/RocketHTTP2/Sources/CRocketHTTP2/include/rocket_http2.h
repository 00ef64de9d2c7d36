#ifndef ROCKET_HTTP2_H
#define ROCKET_HTTP2_H

#include <stddef.h>
#include <stdint.h>

// MARK: Memory

/// Blocks of memory that sessions of one thread have freed and use again, in classes by their sizes.
typedef struct rocket_http2_pool rocket_http2_pool;

/// Makes a pool that keeps at most `most_free_bytes` of freed blocks. Returns NULL: there is no memory.
rocket_http2_pool *rocket_http2_pool_create(size_t most_free_bytes);

/// Frees the pool, after the last session that uses it.
void rocket_http2_pool_free(rocket_http2_pool *pool);

/// Bytes of blocks that are in use, and of those that wait to be used again.
size_t rocket_http2_pool_used_bytes(const rocket_http2_pool *pool);
size_t rocket_http2_pool_free_bytes(const rocket_http2_pool *pool);

/// How often the pool has called malloc(3).
uint64_t rocket_http2_pool_allocations(const rocket_http2_pool *pool);

// MARK: Sessions

/// What a session calls, with its context, during receive and send only.
typedef struct {
    void (*headers_began)(void *context, int32_t stream, int opens_stream);
    /// Returns one of ROCKET_HTTP2_FIELD_….
    int (*header)(void *context, int32_t stream, const uint8_t *name, size_t name_count,
                  const uint8_t *value, size_t value_count);
    void (*headers_ended)(void *context, int32_t stream, int ends_stream);
    void (*data)(void *context, int32_t stream, const uint8_t *bytes, size_t count);
    /// A DATA frame with END_STREAM has been received as a whole.
    void (*data_ended)(void *context, int32_t stream);
    /// RST_STREAM has been received; stream_closed follows if the stream was open.
    void (*reset_received)(void *context, int32_t stream);
    void (*stream_closed)(void *context, int32_t stream, uint32_t code);
    void (*goaway_received)(void *context, int32_t last, uint32_t code, const uint8_t *text,
                            size_t count);
    void (*ping_received)(void *context, int is_answer, const uint8_t *payload);
    void (*settings_received)(void *context, int is_answer);
    /// Writes a part of a body behind `room` for a frame header. Returns the number of bytes, at most
    /// `most`, or -1: there is nothing now. Sets `*end`: 1: the body ends, 2: trailers follow.
    ptrdiff_t (*next_data)(void *context, int32_t stream, size_t most, int *end);
    /// Takes the 9 bytes of the header of the frame whose body next_data has written. Returns 1 if
    /// send has to return now.
    int (*data_framed)(void *context, int32_t stream, const uint8_t *header);
    /// A frame other than DATA is sent: HEADERS, RST_STREAM, GOAWAY. `code` is that of the two latter.
    void (*frame_sent)(void *context, int type, int32_t stream, uint32_t code, const uint8_t *text,
                       size_t count);
} rocket_http2_callbacks;

/// What a session announces and enforces.
typedef struct {
    int is_server;
    uint32_t concurrent_streams;
    uint32_t stream_window_bytes;
    uint32_t connection_window_bytes;
    uint32_t frame_bytes;
    uint32_t header_list_bytes;
    uint32_t header_table_bytes;
    /// Answers to PING and SETTINGS that the peer has not taken.
    uint32_t unsent_answers;
} rocket_http2_settings;

typedef struct rocket_http2_session rocket_http2_session;

/// Makes a session whose preface and SETTINGS wait to be sent. `context` and `pool` must outlive it.
/// Returns NULL: there is no memory.
rocket_http2_session *rocket_http2_create(const rocket_http2_settings *settings,
                                          const rocket_http2_callbacks *callbacks, void *context,
                                          rocket_http2_pool *pool);
void rocket_http2_free(rocket_http2_session *session);

/// Takes bytes of the peer. Returns their number, up to the field that was ROCKET_HTTP2_FIELD_LAST, or a
/// negative error.
ptrdiff_t rocket_http2_receive(rocket_http2_session *session, const uint8_t *bytes, size_t count);

/// Sends frames: DATA by the callbacks, one of another type by `*bytes`, which are valid until the next
/// call. Returns their number; 0: nothing waits, or data_framed has returned 1; negative: an error.
ptrdiff_t rocket_http2_send(rocket_http2_session *session, const uint8_t **bytes);

int rocket_http2_wants_read(rocket_http2_session *session);
int rocket_http2_wants_write(rocket_http2_session *session);
/// Frames other than DATA that wait.
size_t rocket_http2_queued(rocket_http2_session *session);

// MARK: Submissions
//
// A list of headers is, for each field, 4 bytes with the length of the value, 2 with that of the name,
// 1 that is 1 if the field is sensitive, 1 of padding, the name, the value. Integers in the order of
// this machine.

/// Submits a request, whose body next_data gives unless it ends the stream. Returns the stream, or a
/// negative error: -1: there is no memory; -2: no stream may be opened any more.
int32_t rocket_http2_request(rocket_http2_session *session, const uint8_t *list, size_t list_count,
                             size_t fields, int ends_stream, intptr_t user_data);
/// Submits a response, as rocket_http2_request. Returns 0, or -1: there is no memory.
int rocket_http2_response(rocket_http2_session *session, int32_t stream, const uint8_t *list,
                          size_t list_count, size_t fields, int ends_stream);
int rocket_http2_trailers(rocket_http2_session *session, int32_t stream, const uint8_t *list,
                          size_t list_count, size_t fields);
void rocket_http2_resume(rocket_http2_session *session, int32_t stream);
int rocket_http2_reset(rocket_http2_session *session, int32_t stream, uint32_t code);
/// Whether a RST_STREAM that is sent now is one of rocket_http2_reset, or of the end of a response.
int rocket_http2_is_own_reset(rocket_http2_session *session, int32_t stream);
int rocket_http2_consumed(rocket_http2_session *session, int32_t stream, size_t bytes);
int rocket_http2_ping(rocket_http2_session *session, const uint8_t *payload);
/// Sends GOAWAY; `last` -1: the first notice of a server that drains.
int rocket_http2_goaway(rocket_http2_session *session, int32_t last, uint32_t code,
                        const uint8_t *text, size_t count);

// MARK: Streams

/// Keeps a number for a stream that is open, or whose request waits.
void rocket_http2_set_user_data(rocket_http2_session *session, int32_t stream, intptr_t user_data);
intptr_t rocket_http2_user_data(rocket_http2_session *session, int32_t stream);
/// Whether the stream is open, for the bytes of the peer, for ours.
int rocket_http2_is_open(rocket_http2_session *session, int32_t stream);
int rocket_http2_has_input(rocket_http2_session *session, int32_t stream);
/// The last stream of the peer that the session has begun.
int32_t rocket_http2_last_peer_stream(rocket_http2_session *session);
/// SETTINGS_MAX_CONCURRENT_STREAMS of the peer.
uint32_t rocket_http2_peer_concurrent_streams(rocket_http2_session *session);
/// How many bytes of DATA the peer allows now, on a stream; 0: the connection.
int32_t rocket_http2_send_window(rocket_http2_session *session, int32_t stream);
/// Whether a name or a value of a field is one that RFC 9113, 8.2.1 allows.
int rocket_http2_is_name(const uint8_t *bytes, size_t count);
int rocket_http2_is_value(const uint8_t *bytes, size_t count);

/// What becomes of a header field: it is taken, is taken and receive returns, ends the session: receive
/// returns an error.
enum {
    ROCKET_HTTP2_FIELD_TAKEN = 0,
    ROCKET_HTTP2_FIELD_LAST = 1,
    ROCKET_HTTP2_FIELD_REFUSED = 2,
};

/// Errors of rocket_http2_receive and rocket_http2_send.
enum {
    ROCKET_HTTP2_NO_MEMORY = -901,
    ROCKET_HTTP2_STOPPED = -902,
    ROCKET_HTTP2_BAD_PREFACE = -903,
    ROCKET_HTTP2_FLOODED = -904,
};

#endif
