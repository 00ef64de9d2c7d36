// What each thread keeps for itself so that logging and ids need no lock.
#ifndef ROCKET_THREAD_STATE_H
#define ROCKET_THREAD_STATE_H
#include <stdint.h>

struct rocket_thread_state {
    int32_t thread_id;  // gettid(2)
    uint32_t lane;      // 0, 1, 2 … in the order in which threads first asked
    uint64_t id_high;   // MessageID's counter: the upper ten digits
    uint64_t id_low;    // and the lower ten
    uint32_t id_seeded; // 0 until the counter has its random start
};

/// The calling thread's own. In the child of a fork it starts afresh.
struct rocket_thread_state *_Nonnull rocket_thread_state(void);
/// getrandom(2): fills two words. 0, or an errno.
int rocket_random_words(uint64_t *_Nonnull words);
#endif
