#include "rocket_http2.h"

#include "rocket_http2_private.h"

// Versions without these have no such limits (Debian has added them to its 1.52).
extern void nghttp2_option_set_stream_reset_rate_limit(nghttp2_option *option, uint64_t burst,
                                                       uint64_t rate) __attribute__((weak));
extern void nghttp2_option_set_max_continuations(nghttp2_option *option, size_t value)
    __attribute__((weak));
extern void nghttp2_option_set_glitch_rate_limit(nghttp2_option *option, uint64_t burst,
                                                 uint64_t rate) __attribute__((weak));

// MARK: From nghttp2

static int began(nghttp2_session *session, const nghttp2_frame *frame, void *argument) {
    rocket_http2_session *self = argument;
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    int opens = frame->headers.cat == NGHTTP2_HCAT_REQUEST;
    if (opens) {
        // Streams take turns; otherwise nghttp2 sends the whole body of one, then that of the next.
        nghttp2_extpri priority = {NGHTTP2_EXTPRI_DEFAULT_URGENCY, 1};
        int code = nghttp2_session_change_extpri_stream_priority(session, frame->hd.stream_id,
                                                                 &priority, 1);
        if (nghttp2_is_fatal(code)) return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    self->call.headers_began(self->context, frame->hd.stream_id, opens);
    return 0;
}

static int header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                  size_t name_count, const uint8_t *value, size_t value_count, uint8_t flags,
                  void *argument) {
    rocket_http2_session *self = argument;
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    switch (self->call.header(self->context, frame->hd.stream_id, name, name_count, value,
                              value_count)) {
    case ROCKET_HTTP2_FIELD_TAKEN: return 0;
    case ROCKET_HTTP2_FIELD_LAST: return NGHTTP2_ERR_PAUSE;
    default: return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
}

static int received(nghttp2_session *session, const nghttp2_frame *frame, void *argument) {
    rocket_http2_session *self = argument;
    int ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
    case NGHTTP2_DATA:
        if (ends) self->call.data_ended(self->context, frame->hd.stream_id);
        break;
    case NGHTTP2_HEADERS:
        self->call.headers_ended(self->context, frame->hd.stream_id, ends);
        break;
    case NGHTTP2_RST_STREAM:
        self->call.reset_received(self->context, frame->hd.stream_id);
        break;
    case NGHTTP2_SETTINGS:
        self->call.settings_received(self->context, (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0);
        break;
    case NGHTTP2_PING:
        self->call.ping_received(self->context, (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0,
                                 frame->ping.opaque_data);
        break;
    case NGHTTP2_GOAWAY:
        self->call.goaway_received(self->context, frame->goaway.last_stream_id,
                                   frame->goaway.error_code, frame->goaway.opaque_data,
                                   frame->goaway.opaque_data_len);
        break;
    default: break;
    }
    return 0;
}

static int chunk(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
                 size_t count, void *argument) {
    rocket_http2_session *self = argument;
    self->call.data(self->context, stream, bytes, count);
    return 0;
}

static int closed(nghttp2_session *session, int32_t stream, uint32_t code, void *argument) {
    rocket_http2_session *self = argument;
    self->call.stream_closed(self->context, stream, code);
    return 0;
}

static int sent(nghttp2_session *session, const nghttp2_frame *frame, void *argument) {
    rocket_http2_session *self = argument;
    int32_t stream = frame->hd.stream_id;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        self->call.frame_sent(self->context, frame->hd.type, stream, 0, NULL, 0);
        break;
    case NGHTTP2_RST_STREAM:
        self->call.frame_sent(self->context, frame->hd.type, stream, frame->rst_stream.error_code,
                              NULL, 0);
        break;
    case NGHTTP2_GOAWAY:
        self->call.frame_sent(self->context, frame->hd.type, stream, frame->goaway.error_code,
                              frame->goaway.opaque_data, frame->goaway.opaque_data_len);
        break;
    default: break;
    }
    // A server that has answered does not need the rest of the request (RFC 9113, 8.1).
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
        nghttp2_session_check_server_session(session) &&
        nghttp2_session_get_stream_remote_close(session, stream) == 0 &&
        rocket_http2_reset(self, stream, NGHTTP2_NO_ERROR) != 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    return 0;
}

static ssize_t read_data(nghttp2_session *session, int32_t stream, uint8_t *memory, size_t count,
                         uint32_t *flags, nghttp2_data_source *source, void *argument) {
    rocket_http2_session *self = argument;
    int end = 0;
    ptrdiff_t written = self->call.next_data(self->context, stream, count, &end);
    if (written < 0) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (end != 0) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (end == 2) *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return written;
}

const nghttp2_data_provider rocket_http2_body = {.read_callback = read_data};

static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                     size_t count, nghttp2_data_source *source, void *argument) {
    rocket_http2_session *self = argument;
    return self->call.data_framed(self->context, frame->hd.stream_id, head) ? NGHTTP2_ERR_PAUSE : 0;
}

// MARK: Life

static int open_session(rocket_http2_session *self, const rocket_http2_settings *settings,
                        nghttp2_session_callbacks *callbacks, nghttp2_option *option) {
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, began);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, closed);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, sent);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);

    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_reserved_remote_streams(option, 0);
    nghttp2_option_set_max_outbound_ack(option, settings->unsent_answers);
    nghttp2_option_set_max_deflate_dynamic_table_size(option, settings->header_table_bytes);
    // The caller counts these itself, by a clock of its own.
    if (nghttp2_option_set_stream_reset_rate_limit != NULL)
        nghttp2_option_set_stream_reset_rate_limit(option, UINT64_MAX / 2, 0);
    if (nghttp2_option_set_glitch_rate_limit != NULL)
        nghttp2_option_set_glitch_rate_limit(option, UINT64_MAX / 2, 0);
    // nghttp2 counts a frame again for each part in which its header arrives.
    if (nghttp2_option_set_max_continuations != NULL)
        nghttp2_option_set_max_continuations(option, SIZE_MAX / 2);

    int code = settings->is_server
                   ? nghttp2_session_server_new3(&self->session, callbacks, self, option,
                                                 &self->memory)
                   : nghttp2_session_client_new3(&self->session, callbacks, self, option,
                                                 &self->memory);
    if (code != 0) return code;

    nghttp2_settings_entry entries[7];
    size_t count = 0;
    entries[count++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_HEADER_TABLE_SIZE,
                                                settings->header_table_bytes};
    if (!settings->is_server)
        entries[count++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
    entries[count++] =
        (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                 settings->is_server ? settings->concurrent_streams : 0};
    entries[count++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                                                settings->stream_window_bytes};
    entries[count++] =
        (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_FRAME_SIZE, settings->frame_bytes};
    entries[count++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
                                                settings->header_list_bytes};
    // Without the priorities of RFC 7540 nghttp2 keeps no tree of streams, and ignores PRIORITY.
    if (settings->is_server)
        entries[count++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1};
    code = nghttp2_submit_settings(self->session, NGHTTP2_FLAG_NONE, entries, count);
    if (code != 0) return code;
    return nghttp2_session_set_local_window_size(self->session, NGHTTP2_FLAG_NONE, 0,
                                                 (int32_t)settings->connection_window_bytes);
}

rocket_http2_session *rocket_http2_create(const rocket_http2_settings *settings,
                                          const rocket_http2_callbacks *callbacks, void *context,
                                          rocket_http2_pool *pool) {
    nghttp2_mem memory = rocket_http2_pool_functions(pool);
    rocket_http2_session *self = memory.calloc(1, sizeof *self, pool);
    if (self == NULL) return NULL;
    self->call = *callbacks;
    self->context = context;
    self->memory = memory;
    nghttp2_session_callbacks *functions = NULL;
    nghttp2_option *option = NULL;
    int code = nghttp2_session_callbacks_new(&functions);
    if (code == 0) code = nghttp2_option_new(&option);
    if (code == 0) code = open_session(self, settings, functions, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(functions);
    if (code == 0) return self;
    rocket_http2_free(self);
    return NULL;
}

void rocket_http2_free(rocket_http2_session *self) {
    nghttp2_session_del(self->session);
    nghttp2_mem memory = self->memory;
    memory.free(self, memory.mem_user_data);
}

ptrdiff_t rocket_http2_receive(rocket_http2_session *self, const uint8_t *bytes, size_t count) {
    return nghttp2_session_mem_recv(self->session, bytes, count);
}

ptrdiff_t rocket_http2_send(rocket_http2_session *self, const uint8_t **bytes) {
    return nghttp2_session_mem_send(self->session, bytes);
}

int rocket_http2_wants_read(rocket_http2_session *self) {
    return nghttp2_session_want_read(self->session);
}

int rocket_http2_wants_write(rocket_http2_session *self) {
    return nghttp2_session_want_write(self->session);
}

size_t rocket_http2_queued(rocket_http2_session *self) {
    return nghttp2_session_get_outbound_queue_size(self->session);
}
