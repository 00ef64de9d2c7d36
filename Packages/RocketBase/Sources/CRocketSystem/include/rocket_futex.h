// futex(2) on one word: sleep while it holds a value, wake who sleeps.
#ifndef ROCKET_FUTEX_H
#define ROCKET_FUTEX_H
#include <stdint.h>

static inline uint32_t rocket_word_load(const uint32_t *word) {
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}
static inline void rocket_word_store(uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}
static inline uint32_t rocket_word_exchange(uint32_t *word, uint32_t value) {
    return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}
static inline uint32_t rocket_word_add(uint32_t *word, uint32_t value) {
    return __atomic_add_fetch(word, value, __ATOMIC_SEQ_CST);
}
/// Sleeps while `*word` is `value`, at most `nanoseconds` (negative: no limit); wakes spuriously too.
void rocket_futex_wait(const uint32_t *word, uint32_t value, int64_t nanoseconds);
void rocket_futex_wake_all(const uint32_t *word);
#endif
