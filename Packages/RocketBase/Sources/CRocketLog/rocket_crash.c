#define _GNU_SOURCE
#include "rocket_crash.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    TARGETS = 64,
    RINGS = 256, // the largest LogConfiguration.bufferCount
    SIGNALS = 6,
    BUFFER_BYTES = 1 << 20,
    WAIT_MILLISECONDS = 500,
    LEVEL_CRITICAL = 5, // LogLevel.critical
};

static const int signals[SIGNALS] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
static const char *const signal_names[SIGNALS] = {"SIGSEGV", "SIGABRT", "SIGBUS",
                                                  "SIGFPE",  "SIGILL",  "SIGTRAP"};
static struct sigaction former[SIGNALS];
static struct rocket_crash_target *targets[TARGETS];
static uint32_t *marks;
static uint32_t crashing; // 0: no; 1: a handler is writing; 2: it has finished
static char buffer[BUFFER_BYTES];

static uint32_t load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }

static void sleep_millisecond(void) {
    struct timespec pause = {0, 1000000};
    nanosleep(&pause, NULL);
}

struct rocket_crash_target *rocket_crash_target_create(uint32_t ring_count) {
    struct rocket_crash_target *target = calloc(1, sizeof *target);
    if (!target) return NULL;
    target->rings = calloc(ring_count, sizeof *target->rings);
    if (!target->rings) {
        free(target);
        return NULL;
    }
    target->ring_count = ring_count;
    target->process_id = getpid();
    memset(target->outputs, 0xff, sizeof target->outputs);
    return target;
}

void rocket_crash_target_destroy(struct rocket_crash_target *target) {
    free(target->rings);
    free(target);
}

void rocket_crash_set_ring(struct rocket_crash_target *target, uint32_t index,
                           struct rocket_log_ring *ring) {
    target->rings[index] = ring;
}

void rocket_crash_set_output(struct rocket_crash_target *target, uint32_t stream, uint32_t slot,
                             int32_t descriptor, enum rocket_log_style style) {
    target->styles[stream][slot] = (int32_t)style;
    __atomic_store_n(&target->outputs[stream][slot], descriptor, __ATOMIC_RELEASE);
}

// --- The handler: the functions below must be async-signal-safe (no allocation, no lock) ---

static void write_all(int descriptor, const char *bytes, size_t count) {
    while (count) {
        // A pipe whose reader does not read must not keep the process from ending.
        struct pollfd request = {.fd = descriptor, .events = POLLOUT};
        if (poll(&request, 1, WAIT_MILLISECONDS) == 0) return;
        ssize_t written = write(descriptor, bytes, count < PIPE_BUF ? count : PIPE_BUF);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return; // a full disk, for example; there is no other output
        bytes += written, count -= (size_t)written;
    }
}

// Returns the oldest record at the cursors, and moves the cursor of its ring after it.
static const struct rocket_log_record *next_record(const struct rocket_crash_target *target,
                                                   uint64_t *cursors, const uint64_t *ends) {
    const struct rocket_log_record *oldest = NULL;
    uint32_t from = 0;
    for (uint32_t i = 0; i < target->ring_count; i++) {
        const struct rocket_log_record *record =
            rocket_log_ring_at(target->rings[i], &cursors[i], ends[i]);
        if (!record || (oldest && oldest->wall_nanoseconds <= record->wall_nanoseconds)) continue;
        oldest = record, from = i;
    }
    if (oldest) cursors[from] += oldest->size;
    return oldest;
}

static size_t put_crash_line(const struct rocket_crash_target *target, int stream, int style,
                             int index, char *out) {
    static const char message[] = "the process is crashing", key[] = "signal", file[] = "crash";
    const char *name = signal_names[index];
    struct {
        struct rocket_log_record record;
        char text[96];
    } line;
    memset(&line, 0, sizeof line);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    line.record.level = LEVEL_CRITICAL;
    line.record.stream = (uint8_t)stream;
    line.record.field_count = 1;
    line.record.wall_nanoseconds = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    line.record.thread_id = (int32_t)syscall(SYS_gettid);
    line.record.file = file, line.record.file_length = sizeof file - 1;
    line.record.function = file;
    line.record.message_length = sizeof message - 1;
    struct rocket_log_field field = {ROCKET_LOG_TEXT, sizeof key - 1, (uint32_t)strlen(name)};
    char *next = line.text;
    memcpy(next, message, sizeof message - 1), next += sizeof message - 1;
    memcpy(next, &field, sizeof field), next += sizeof field;
    memcpy(next, key, sizeof key - 1), next += sizeof key - 1;
    memcpy(next, name, strlen(name));
    line.record.size = sizeof line;
    return rocket_log_line(&line.record, target->process_id, target->utc_offset_seconds,
                           (enum rocket_log_style)style, out);
}

static void write_stream(const struct rocket_crash_target *target, int stream, int slot, int index,
                         const uint64_t *ends) {
    static uint64_t cursors[RINGS];
    int descriptor = target->outputs[stream][slot], style = target->styles[stream][slot];
    if (descriptor < 0) return;
    for (uint32_t i = 0; i < target->ring_count; i++)
        cursors[i] = rocket_log_ring_tail(target->rings[i]);
    size_t length = 0;
    const struct rocket_log_record *record;
    while ((record = next_record(target, cursors, ends))) {
        if (record->stream != stream) continue;
        size_t bound = rocket_log_line_bound(record);
        if (bound > BUFFER_BYTES) continue;
        if (length + bound > BUFFER_BYTES) write_all(descriptor, buffer, length), length = 0;
        length += rocket_log_line(record, target->process_id, target->utc_offset_seconds,
                                  (enum rocket_log_style)style, buffer + length);
    }
    write_all(descriptor, buffer, length);
    length = put_crash_line(target, stream, style, index, buffer);
    write_all(descriptor, buffer, length);
}

static void write_target(const struct rocket_crash_target *target, int index) {
    static uint64_t ends[RINGS];
    // The writer releases the records it has written before it ends its batch. Wait for that, else
    // lines would be written twice; but not without a limit, because its disk may hang.
    int by_writer = target->writer_thread_id == (int32_t)syscall(SYS_gettid);
    for (int i = 0; !by_writer && i < WAIT_MILLISECONDS && load(&target->writing); i++)
        sleep_millisecond();
    for (uint32_t i = 0; i < target->ring_count; i++)
        ends[i] = rocket_log_ring_head(target->rings[i]);
    for (int stream = 0; stream < ROCKET_CRASH_STREAMS; stream++)
        for (int slot = 0; slot < ROCKET_CRASH_OUTPUTS; slot++)
            write_stream(target, stream, slot, index, ends);
}

static void handle(int number, siginfo_t *info, void *context) {
    (void)context;
    int error = errno, index = 0;
    while (index < SIGNALS - 1 && signals[index] != number) index++;
    uint32_t none = 0;
    if (__atomic_compare_exchange_n(&crashing, &none, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        uint32_t *words = __atomic_load_n(&marks, __ATOMIC_SEQ_CST);
        if (words) words[0] = (uint32_t)number, words[1] = (uint32_t)syscall(SYS_gettid);
        for (int i = 0; i < TARGETS; i++) {
            struct rocket_crash_target *target = __atomic_load_n(&targets[i], __ATOMIC_SEQ_CST);
            if (target) write_target(target, index);
        }
        __atomic_store_n(&crashing, 2, __ATOMIC_SEQ_CST);
    } else {
        for (int i = 0; i < WAIT_MILLISECONDS && load(&crashing) == 1; i++) sleep_millisecond();
    }
    // Restore the former disposition. On return a fault repeats with its own stack frame; a signal
    // sent by raise, abort or kill is sent again and delivered on return.
    sigaction(number, &former[index], NULL);
    if (info->si_code <= 0)
        syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), number);
    errno = error;
}

// --- Set-up ---

static void install(void) {
    // A signal stack lets the handler run when the stack of the installing thread (usually main) is
    // exhausted.
    stack_t current;
    if (sigaltstack(NULL, &current) == 0 && (current.ss_flags & SS_DISABLE)) {
        stack_t stack = {.ss_size = 65536, .ss_sp = malloc(65536)};
        if (stack.ss_sp) sigaltstack(&stack, NULL);
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    for (int i = 0; i < SIGNALS; i++) sigaction(signals[i], &action, &former[i]);
}

int rocket_crash_register(struct rocket_crash_target *target) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    for (int i = 0; i < TARGETS; i++) {
        struct rocket_crash_target *none = NULL;
        if (__atomic_compare_exchange_n(&targets[i], &none, target, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return 0;
    }
    return ENOSPC;
}

void rocket_crash_unregister(struct rocket_crash_target *target) {
    for (int i = 0; i < TARGETS; i++) {
        struct rocket_crash_target *ours = target;
        __atomic_compare_exchange_n(&targets[i], &ours, NULL, 0, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST);
    }
    while (load(&crashing) == 1) sleep_millisecond();
}

void rocket_crash_set_marks(uint32_t *words) {
    __atomic_store_n(&marks, words, __ATOMIC_SEQ_CST);
}

void rocket_crash_clear_marks(uint32_t *words) {
    uint32_t *ours = words;
    __atomic_compare_exchange_n(&marks, &ours, NULL, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    while (load(&crashing) == 1) sleep_millisecond();
}

void rocket_crash_begin_batch(struct rocket_crash_target *target) {
    __atomic_store_n(&target->writing, 1, __ATOMIC_SEQ_CST);
    if (load(&crashing) == 0) return;
    __atomic_store_n(&target->writing, 0, __ATOMIC_SEQ_CST);
    for (;;) pause();
}

void rocket_crash_end_batch(struct rocket_crash_target *target) {
    __atomic_store_n(&target->writing, 0, __ATOMIC_SEQ_CST);
}
