#include "rocket_log.h"
#include <stdlib.h>
#include <string.h>

// Offsets only grow; the index in memory is offset & (capacity - 1). A record never wraps: if it
// would, a filler record takes the end of the ring and the record starts at the front.
struct rocket_log_ring {
    _Alignas(64) uint64_t head; // written by producers
    uint64_t tail_seen;         // the producers' copy of tail, to save a cache miss
    _Alignas(64) uint64_t tail; // written by the consumer
    _Alignas(64) uint64_t capacity;
    char *bytes;
};

enum { UNUSED = 0xff }; // the level of a filler record

struct rocket_log_ring *rocket_log_ring_create(uint64_t capacity) {
    struct rocket_log_ring *ring = aligned_alloc(64, sizeof *ring);
    if (!ring) return NULL;
    memset(ring, 0, sizeof *ring);
    ring->capacity = capacity;
    ring->bytes = aligned_alloc(4096, capacity);
    if (!ring->bytes) {
        free(ring);
        return NULL;
    }
    return ring;
}

void rocket_log_ring_destroy(struct rocket_log_ring *ring) {
    free(ring->bytes);
    free(ring);
}

uint64_t rocket_log_ring_push(struct rocket_log_ring *ring, const struct rocket_log_record *record) {
    uint64_t head = ring->head, offset = head & (ring->capacity - 1);
    uint64_t to_end = ring->capacity - offset, skip = to_end < record->size ? to_end : 0;
    uint64_t needed = skip + record->size;
    if (head + needed - ring->tail_seen > ring->capacity) {
        ring->tail_seen = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
        if (head + needed - ring->tail_seen > ring->capacity) return 0;
    }
    if (skip) {
        // Sizes are multiples of 8, so the size and the level of a filler always fit.
        struct rocket_log_record *filler = (struct rocket_log_record *)(ring->bytes + offset);
        filler->size = (uint32_t)skip;
        filler->level = UNUSED;
        offset = 0;
    }
    memcpy(ring->bytes + offset, record, record->size);
    __atomic_store_n(&ring->head, head + needed, __ATOMIC_RELEASE);
    return head + needed - ring->tail_seen;
}

uint64_t rocket_log_ring_used(const struct rocket_log_ring *ring) {
    return rocket_log_ring_head(ring) - rocket_log_ring_tail(ring);
}

uint64_t rocket_log_ring_tail(const struct rocket_log_ring *ring) {
    return __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
}

uint64_t rocket_log_ring_head(const struct rocket_log_ring *ring) {
    return __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
}

const struct rocket_log_record *rocket_log_ring_at(const struct rocket_log_ring *ring,
                                                   uint64_t *cursor, uint64_t end) {
    while (*cursor != end) {
        const struct rocket_log_record *record =
            (const struct rocket_log_record *)(ring->bytes + (*cursor & (ring->capacity - 1)));
        if (record->level != UNUSED) return record;
        *cursor += record->size;
    }
    return NULL;
}

void rocket_log_ring_release(struct rocket_log_ring *ring, uint64_t cursor) {
    __atomic_store_n(&ring->tail, cursor, __ATOMIC_RELEASE);
}
