#include "rocket_http2_private.h"

#include <stdlib.h>
#include <string.h>

enum {
    /// 32 bytes, 48, 64, 96, … 4,096. Larger blocks are those of malloc.
    CLASSES = 15,
    LARGE = CLASSES,
};

/// Stands before each block, and keeps its alignment.
typedef struct block {
    union {
        struct block *next;
        size_t bytes;
    } of;
    size_t class;
} block;

struct rocket_http2_pool {
    block *free[CLASSES];
    size_t free_bytes, most_free_bytes, used_bytes;
    uint64_t allocations;
};

rocket_http2_pool *rocket_http2_pool_create(size_t most_free_bytes) {
    rocket_http2_pool *pool = calloc(1, sizeof *pool);
    if (pool != NULL) pool->most_free_bytes = most_free_bytes;
    return pool;
}

void rocket_http2_pool_free(rocket_http2_pool *pool) {
    for (int i = 0; i < CLASSES; i++) {
        while (pool->free[i] != NULL) {
            block *first = pool->free[i];
            pool->free[i] = first->of.next;
            free(first);
        }
    }
    free(pool);
}

size_t rocket_http2_pool_used_bytes(const rocket_http2_pool *pool) { return pool->used_bytes; }
size_t rocket_http2_pool_free_bytes(const rocket_http2_pool *pool) { return pool->free_bytes; }
uint64_t rocket_http2_pool_allocations(const rocket_http2_pool *pool) { return pool->allocations; }

static size_t class_bytes(size_t class) { return (size_t)(class % 2 ? 48 : 32) << class / 2; }

static size_t class_of(size_t bytes) {
    size_t class = 0;
    while (class < LARGE && class_bytes(class) < bytes) class += 1;
    return class;
}

static void *take(size_t size, void *argument) {
    rocket_http2_pool *pool = argument;
    if (size == 0) return NULL;
    if (size > SIZE_MAX - sizeof(block)) return NULL;
    size_t class = class_of(size + sizeof(block));
    size_t bytes = class == LARGE ? size + sizeof(block) : class_bytes(class);
    block *found = class == LARGE ? NULL : pool->free[class];
    if (found != NULL) {
        pool->free[class] = found->of.next;
        pool->free_bytes -= bytes;
    } else {
        found = malloc(bytes);
        if (found == NULL) return NULL;
        pool->allocations += 1;
    }
    found->of.bytes = bytes;
    found->class = class;
    pool->used_bytes += bytes;
    return found + 1;
}

static void give(void *memory, void *argument) {
    rocket_http2_pool *pool = argument;
    if (memory == NULL) return;
    block *given = (block *)memory - 1;
    size_t bytes = given->of.bytes;
    pool->used_bytes -= bytes;
    if (given->class == LARGE || bytes > pool->most_free_bytes - pool->free_bytes) {
        free(given);
        return;
    }
    given->of.next = pool->free[given->class];
    pool->free[given->class] = given;
    pool->free_bytes += bytes;
}

static void *take_zeroed(size_t count, size_t size, void *argument) {
    if (size != 0 && count > SIZE_MAX / size) return NULL;
    void *memory = take(count * size, argument);
    if (memory != NULL) memset(memory, 0, count * size);
    return memory;
}

static void *take_again(void *memory, size_t size, void *argument) {
    if (memory == NULL) return take(size, argument);
    if (size == 0) {
        give(memory, argument);
        return NULL;
    }
    size_t room = ((block *)memory - 1)->of.bytes - sizeof(block);
    if (size <= room) return memory;
    void *moved = take(size, argument);
    if (moved == NULL) return NULL;
    memcpy(moved, memory, room);
    give(memory, argument);
    return moved;
}

nghttp2_mem rocket_http2_pool_functions(rocket_http2_pool *pool) {
    nghttp2_mem functions = {pool, take, give, take_zeroed, take_again};
    return functions;
}
