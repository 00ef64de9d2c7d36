#ifndef ROCKET_COMPRESSION_H
#define ROCKET_COMPRESSION_H

#include <stddef.h>
#include <stdint.h>

// zlib and zstd for whole messages that lie in memory. Each state is used by one thread at a time, for
// one message after the other; none keeps a pointer to a message after a call.

typedef enum {
    /// All of the input has been read, all of the output is written.
    ROCKET_COMPRESSION_DONE,
    /// The output is full and more follows.
    ROCKET_COMPRESSION_FULL,
    ROCKET_COMPRESSION_TRUNCATED,
    ROCKET_COMPRESSION_CORRUPT,
    ROCKET_COMPRESSION_CHECKSUM,
    /// Bytes follow the end that begin nothing further.
    ROCKET_COMPRESSION_TRAILING,
    ROCKET_COMPRESSION_DICTIONARY,
    /// A frame asks for more than 2 GiB of what came before.
    ROCKET_COMPRESSION_WINDOW,
    ROCKET_COMPRESSION_NO_MEMORY,
} rocket_compression_status;

/// What one call has done. `taken` and `written` also hold where it has failed.
typedef struct {
    rocket_compression_status status;
    size_t taken;
    size_t written;
    /// The library's reason for CORRUPT, never freed; else NULL.
    const char *reason;
} rocket_compression_result;

// MARK: gzip and deflate

typedef struct rocket_deflate rocket_deflate;
typedef struct rocket_inflate rocket_inflate;

/// `is_gzip`: RFC 1952, else zlib's format (RFC 1950). Returns NULL: there is no memory.
rocket_deflate *rocket_deflate_create(int is_gzip, int level);
void rocket_deflate_destroy(rocket_deflate *state);
/// The most bytes that `count` bytes become.
size_t rocket_deflate_bound(rocket_deflate *state, size_t count);
/// Compresses one whole message. FULL: it does not fit.
rocket_compression_result rocket_deflate_message(
    rocket_deflate *state, const uint8_t *input, size_t count, uint8_t *output, size_t room);

rocket_inflate *rocket_inflate_create(void);
void rocket_inflate_destroy(rocket_inflate *state);
/// Begins a message.
void rocket_inflate_begin(rocket_inflate *state, int is_gzip);
/// Decompresses what fits into `room`, at least 1 byte. After FULL call it again with the rest of the
/// input. gzip may have several members.
rocket_compression_result rocket_inflate_next(
    rocket_inflate *state, const uint8_t *input, size_t count, uint8_t *output, size_t room);

// MARK: zstd

typedef struct rocket_zstd rocket_zstd;
typedef struct rocket_unzstd rocket_unzstd;

rocket_zstd *rocket_zstd_create(int level);
void rocket_zstd_destroy(rocket_zstd *state);
size_t rocket_zstd_bound(size_t count);
/// Compresses one whole message into one frame with its length and checksum. FULL: it does not fit.
rocket_compression_result rocket_zstd_message(
    rocket_zstd *state, const uint8_t *input, size_t count, uint8_t *output, size_t room);
/// Bytes of memory that the state holds.
size_t rocket_zstd_memory(const rocket_zstd *state);

rocket_unzstd *rocket_unzstd_create(void);
void rocket_unzstd_destroy(rocket_unzstd *state);
/// Finds the first frame of the input. DONE: `taken` are its bytes, `*content` its decompressed bytes,
/// or UINT64_MAX if the frame does not say. TRAILING: the input begins no frame.
rocket_compression_result rocket_unzstd_find(
    const uint8_t *input, size_t count, uint64_t *content);
/// Decompresses one frame of `count` bytes. FULL: it does not fit, begin again with more room.
rocket_compression_result rocket_unzstd_frame(
    rocket_unzstd *state, const uint8_t *input, size_t count, uint8_t *output, size_t room);

#endif
