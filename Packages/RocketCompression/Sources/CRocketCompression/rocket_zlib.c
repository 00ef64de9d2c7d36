#include "rocket_compression.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct rocket_deflate {
    z_stream stream;
};

struct rocket_inflate {
    z_stream stream;
    int is_gzip;
};

/// zlib counts in 32 bits.
static uInt part(size_t count) { return count > UINT_MAX ? UINT_MAX : (uInt)count; }

// MARK: Compressing

rocket_deflate *rocket_deflate_create(int is_gzip, int level) {
    rocket_deflate *state = calloc(1, sizeof *state);
    if (state == NULL) return NULL;
    int bits = MAX_WBITS + (is_gzip ? 16 : 0);
    if (deflateInit2(&state->stream, level, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) == Z_OK)
        return state;
    free(state);
    return NULL;
}

void rocket_deflate_destroy(rocket_deflate *state) {
    if (state == NULL) return;
    deflateEnd(&state->stream);
    free(state);
}

size_t rocket_deflate_bound(rocket_deflate *state, size_t count) {
    // zlib forgets which header it writes when a message is over.
    deflateReset(&state->stream);
    return deflateBound(&state->stream, count);
}

rocket_compression_result rocket_deflate_message(
    rocket_deflate *state, const uint8_t *input, size_t count, uint8_t *output, size_t room) {
    z_stream *stream = &state->stream;
    rocket_compression_result result = {ROCKET_COMPRESSION_FULL, 0, 0, NULL};
    deflateReset(stream);
    for (;;) {
        uInt in = part(count - result.taken), out = part(room - result.written);
        stream->next_in = (z_const Bytef *)input + result.taken;
        stream->avail_in = in;
        stream->next_out = output + result.written;
        stream->avail_out = out;
        int isLast = in == count - result.taken;
        int code = deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH);
        result.taken += in - stream->avail_in;
        result.written += out - stream->avail_out;
        stream->next_in = NULL;
        stream->next_out = NULL;
        if (code == Z_STREAM_END) {
            result.status = ROCKET_COMPRESSION_DONE;
            return result;
        }
        if (code != Z_OK || result.written == room) return result;
    }
}

// MARK: Decompressing

rocket_inflate *rocket_inflate_create(void) {
    rocket_inflate *state = calloc(1, sizeof *state);
    if (state == NULL) return NULL;
    if (inflateInit2(&state->stream, MAX_WBITS) == Z_OK) return state;
    free(state);
    return NULL;
}

void rocket_inflate_destroy(rocket_inflate *state) {
    if (state == NULL) return;
    inflateEnd(&state->stream);
    free(state);
}

void rocket_inflate_begin(rocket_inflate *state, int is_gzip) {
    state->is_gzip = is_gzip;
    // Keeps the window: its size does not change.
    inflateReset2(&state->stream, MAX_WBITS + (is_gzip ? 16 : 0));
}

static rocket_compression_status failure(z_stream *stream, int code, const char **reason) {
    if (code == Z_MEM_ERROR) return ROCKET_COMPRESSION_NO_MEMORY;
    if (code == Z_NEED_DICT) return ROCKET_COMPRESSION_DICTIONARY;
    // zlib's messages are constants.
    const char *text = stream->msg == NULL ? "invalid stream" : stream->msg;
    if (strcmp(text, "incorrect data check") == 0 || strcmp(text, "incorrect length check") == 0)
        return ROCKET_COMPRESSION_CHECKSUM;
    *reason = text;
    return ROCKET_COMPRESSION_CORRUPT;
}

/// What follows the end of a member. DONE: nothing; FULL: another member.
static rocket_compression_status after_end(
    const rocket_inflate *state, const uint8_t *rest, size_t count) {
    if (count == 0) return ROCKET_COMPRESSION_DONE;
    if (!state->is_gzip || rest[0] != 0x1f) return ROCKET_COMPRESSION_TRAILING;
    if (count == 1) return ROCKET_COMPRESSION_TRUNCATED;
    return rest[1] == 0x8b ? ROCKET_COMPRESSION_FULL : ROCKET_COMPRESSION_TRAILING;
}

rocket_compression_result rocket_inflate_next(
    rocket_inflate *state, const uint8_t *input, size_t count, uint8_t *output, size_t room) {
    z_stream *stream = &state->stream;
    rocket_compression_result result = {ROCKET_COMPRESSION_DONE, 0, 0, NULL};
    for (;;) {
        uInt in = part(count - result.taken), out = part(room - result.written);
        stream->next_in = (z_const Bytef *)input + result.taken;
        stream->avail_in = in;
        stream->next_out = output + result.written;
        stream->avail_out = out;
        int code = inflate(stream, Z_NO_FLUSH);
        result.taken += in - stream->avail_in;
        result.written += out - stream->avail_out;
        stream->next_in = NULL;
        stream->next_out = NULL;
        if (code == Z_STREAM_END) {
            result.status = after_end(state, input + result.taken, count - result.taken);
            if (result.status != ROCKET_COMPRESSION_FULL) return result;
            inflateReset(stream);
            if (result.written == room) return result;
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            result.status = failure(stream, code, &result.reason);
            return result;
        } else if (result.written == room) {
            result.status = ROCKET_COMPRESSION_FULL;
            return result;
        } else if (result.taken == count) {
            result.status = ROCKET_COMPRESSION_TRUNCATED;
            return result;
        }
    }
}
