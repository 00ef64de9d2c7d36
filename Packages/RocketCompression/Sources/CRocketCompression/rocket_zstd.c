#include "rocket_compression.h"

#include <zstd.h>
#include <zstd_errors.h>

// The states are zstd's own, under other names.
static ZSTD_CCtx *compressor(const rocket_zstd *state) { return (ZSTD_CCtx *)state; }
static ZSTD_DCtx *decompressor(rocket_unzstd *state) { return (ZSTD_DCtx *)state; }

static rocket_compression_result failure(size_t code) {
    rocket_compression_result result = {ROCKET_COMPRESSION_CORRUPT, 0, 0, NULL};
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_dstSize_tooSmall: result.status = ROCKET_COMPRESSION_FULL; break;
    case ZSTD_error_srcSize_wrong: result.status = ROCKET_COMPRESSION_TRUNCATED; break;
    case ZSTD_error_checksum_wrong: result.status = ROCKET_COMPRESSION_CHECKSUM; break;
    case ZSTD_error_dictionary_wrong: result.status = ROCKET_COMPRESSION_DICTIONARY; break;
    case ZSTD_error_frameParameter_windowTooLarge: result.status = ROCKET_COMPRESSION_WINDOW; break;
    case ZSTD_error_memory_allocation: result.status = ROCKET_COMPRESSION_NO_MEMORY; break;
    default: result.reason = ZSTD_getErrorName(code);
    }
    return result;
}

// MARK: Compressing

rocket_zstd *rocket_zstd_create(int level) {
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (context == NULL) return NULL;
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    return (rocket_zstd *)context;
}

void rocket_zstd_destroy(rocket_zstd *state) { ZSTD_freeCCtx(compressor(state)); }

size_t rocket_zstd_bound(size_t count) { return ZSTD_compressBound(count); }

size_t rocket_zstd_memory(const rocket_zstd *state) { return ZSTD_sizeof_CCtx(compressor(state)); }

rocket_compression_result rocket_zstd_message(
    rocket_zstd *state, const uint8_t *input, size_t count, uint8_t *output, size_t room) {
    size_t written = ZSTD_compress2(compressor(state), output, room, input, count);
    if (ZSTD_isError(written)) return failure(written);
    return (rocket_compression_result){ROCKET_COMPRESSION_DONE, count, written, NULL};
}

// MARK: Decompressing

rocket_unzstd *rocket_unzstd_create(void) { return (rocket_unzstd *)ZSTD_createDCtx(); }

void rocket_unzstd_destroy(rocket_unzstd *state) { ZSTD_freeDCtx(decompressor(state)); }

/// Whether the bytes begin a frame of RFC 8878. Debian's library also reads the formats of zstd before
/// 0.8, which nobody sends.
static int begins_frame(const uint8_t *input, size_t count) {
    static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd}, skippable[] = {0x50, 0x2a, 0x4d, 0x18};
    int is_frame = 1, is_skippable = 1;
    for (size_t i = 0; i < count && i < sizeof frame; i++) {
        if (input[i] != frame[i]) is_frame = 0;
        if ((i == 0 ? input[i] & 0xf0 : input[i]) != skippable[i]) is_skippable = 0;
    }
    return is_frame || is_skippable;
}

rocket_compression_result rocket_unzstd_find(
    const uint8_t *input, size_t count, uint64_t *content) {
    rocket_compression_result result = {ROCKET_COMPRESSION_TRAILING, 0, 0, NULL};
    *content = 0;
    if (!begins_frame(input, count)) return result;
    size_t frame = ZSTD_findFrameCompressedSize(input, count);
    if (ZSTD_isError(frame)) return failure(frame);
    unsigned long long size = ZSTD_getFrameContentSize(input, frame);
    if (size == ZSTD_CONTENTSIZE_ERROR) {
        result.status = ROCKET_COMPRESSION_CORRUPT;
        result.reason = "Invalid frame header";
        return result;
    }
    *content = size == ZSTD_CONTENTSIZE_UNKNOWN ? UINT64_MAX : size;
    result.status = ROCKET_COMPRESSION_DONE;
    result.taken = frame;
    return result;
}

rocket_compression_result rocket_unzstd_frame(
    rocket_unzstd *state, const uint8_t *input, size_t count, uint8_t *output, size_t room) {
    size_t written = ZSTD_decompressDCtx(decompressor(state), output, room, input, count);
    if (ZSTD_isError(written)) return failure(written);
    return (rocket_compression_result){ROCKET_COMPRESSION_DONE, count, written, NULL};
}
