#include "rocket_http2_private.h"

#include <string.h>

// MARK: Lists of headers

enum { FEW_FIELDS = 32 };

/// The fields of a list, in `few`, or in memory of the pool.
static nghttp2_nv *fields_of(rocket_http2_session *self, const uint8_t *list, size_t list_count,
                             size_t count, nghttp2_nv *few) {
    nghttp2_nv *fields = few;
    if (count > FEW_FIELDS) {
        fields = self->memory.calloc(count, sizeof *fields, self->memory.mem_user_data);
        if (fields == NULL) return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t value_count;
        uint16_t name_count;
        memcpy(&value_count, list, 4);
        memcpy(&name_count, list + 4, 2);
        // nghttp2 does not change them.
        fields[i].name = (uint8_t *)list + 8;
        fields[i].namelen = name_count;
        fields[i].value = (uint8_t *)list + 8 + name_count;
        fields[i].valuelen = value_count;
        fields[i].flags = list[6] ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
        list += 8 + (size_t)name_count + value_count;
    }
    return fields;
}

static void free_fields(rocket_http2_session *self, nghttp2_nv *fields, const nghttp2_nv *few) {
    if (fields != few) self->memory.free(fields, self->memory.mem_user_data);
}

static int outcome(int code) { return nghttp2_is_fatal(code) ? -1 : 0; }

int32_t rocket_http2_request(rocket_http2_session *self, const uint8_t *list, size_t list_count,
                             size_t fields, int ends_stream, intptr_t user_data) {
    if (!nghttp2_session_check_request_allowed(self->session)) return -2;
    nghttp2_nv few[FEW_FIELDS];
    nghttp2_nv *all = fields_of(self, list, list_count, fields, few);
    if (all == NULL) return -1;
    int32_t stream = nghttp2_submit_request(self->session, NULL, all, fields,
                                            ends_stream ? NULL : &rocket_http2_body,
                                            (void *)((uintptr_t)user_data << 1));
    free_fields(self, all, few);
    if (stream > 0) return stream;
    return nghttp2_is_fatal(stream) ? -1 : -2;
}

int rocket_http2_response(rocket_http2_session *self, int32_t stream, const uint8_t *list,
                          size_t list_count, size_t fields, int ends_stream) {
    nghttp2_nv few[FEW_FIELDS];
    nghttp2_nv *all = fields_of(self, list, list_count, fields, few);
    if (all == NULL) return -1;
    int code = nghttp2_submit_response(self->session, stream, all, fields,
                                       ends_stream ? NULL : &rocket_http2_body);
    free_fields(self, all, few);
    return outcome(code);
}

int rocket_http2_trailers(rocket_http2_session *self, int32_t stream, const uint8_t *list,
                          size_t list_count, size_t fields) {
    nghttp2_nv few[FEW_FIELDS];
    nghttp2_nv *all = fields_of(self, list, list_count, fields, few);
    if (all == NULL) return -1;
    int code = nghttp2_submit_trailer(self->session, stream, all, fields);
    free_fields(self, all, few);
    return outcome(code);
}

void rocket_http2_resume(rocket_http2_session *self, int32_t stream) {
    nghttp2_session_resume_data(self->session, stream);
}

int rocket_http2_consumed(rocket_http2_session *self, int32_t stream, size_t bytes) {
    return outcome(nghttp2_session_consume(self->session, stream, bytes));
}

int rocket_http2_ping(rocket_http2_session *self, const uint8_t *payload) {
    return outcome(nghttp2_submit_ping(self->session, NGHTTP2_FLAG_NONE, payload));
}

int rocket_http2_goaway(rocket_http2_session *self, int32_t last, uint32_t code,
                        const uint8_t *text, size_t count) {
    int is_server = nghttp2_session_check_server_session(self->session);
    if (last < 0 && is_server && code == NGHTTP2_NO_ERROR)
        return outcome(nghttp2_submit_shutdown_notice(self->session));
    // The last stream is one of the peer: even ones are those of a server.
    if (last < 0 || (last != 0 && (last % 2 == 0) == is_server)) last = is_server ? INT32_MAX : 0;
    return outcome(nghttp2_submit_goaway(self->session, NGHTTP2_FLAG_NONE, last, code, text, count));
}

// MARK: Resets and user data

/// The user data of a stream is the caller's number, doubled, and 1 if the reset of it is ours: all
/// others that are sent, the peer has provoked.
static intptr_t raw_data(rocket_http2_session *self, int32_t stream) {
    return (intptr_t)nghttp2_session_get_stream_user_data(self->session, stream);
}

int rocket_http2_reset(rocket_http2_session *self, int32_t stream, uint32_t code) {
    size_t queued = nghttp2_session_get_outbound_queue_size(self->session);
    int result = outcome(
        nghttp2_submit_rst_stream(self->session, NGHTTP2_FLAG_NONE, stream, code));
    if (nghttp2_session_get_outbound_queue_size(self->session) > queued)
        nghttp2_session_set_stream_user_data(self->session, stream,
                                             (void *)(raw_data(self, stream) | 1));
    return result;
}

int rocket_http2_is_own_reset(rocket_http2_session *self, int32_t stream) {
    return (int)(raw_data(self, stream) & 1);
}

void rocket_http2_set_user_data(rocket_http2_session *self, int32_t stream, intptr_t user_data) {
    intptr_t flag = raw_data(self, stream) & 1;
    nghttp2_session_set_stream_user_data(self->session, stream,
                                         (void *)((intptr_t)((uintptr_t)user_data << 1) | flag));
}

intptr_t rocket_http2_user_data(rocket_http2_session *self, int32_t stream) {
    return raw_data(self, stream) >> 1;
}

// MARK: Properties

int rocket_http2_is_open(rocket_http2_session *self, int32_t stream) {
    return nghttp2_session_get_stream_remote_close(self->session, stream) >= 0;
}

int rocket_http2_has_input(rocket_http2_session *self, int32_t stream) {
    return nghttp2_session_get_stream_remote_close(self->session, stream) == 0;
}

int32_t rocket_http2_last_peer_stream(rocket_http2_session *self) {
    return nghttp2_session_get_last_proc_stream_id(self->session);
}

uint32_t rocket_http2_peer_concurrent_streams(rocket_http2_session *self) {
    return nghttp2_session_get_remote_settings(self->session,
                                               NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

int32_t rocket_http2_send_window(rocket_http2_session *self, int32_t stream) {
    return stream == 0 ? nghttp2_session_get_remote_window_size(self->session)
                       : nghttp2_session_get_stream_remote_window_size(self->session, stream);
}

int rocket_http2_is_name(const uint8_t *bytes, size_t count) {
    return nghttp2_check_header_name(bytes, count);
}

int rocket_http2_is_value(const uint8_t *bytes, size_t count) {
    return nghttp2_check_header_value_rfc9113(bytes, count);
}
