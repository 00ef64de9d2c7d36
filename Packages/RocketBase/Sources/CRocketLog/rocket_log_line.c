#include "rocket_log.h"
#include "rocket_civil.h"
#include <string.h>

static const char *const names[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"};
static const char *const colours[] = {"\033[90m", "\033[36m",   "\033[32m",
                                      "\033[33m", "\033[1;31m", "\033[1;37;41m"};
static const int priorities[] = {7, 7, 6, 4, 3, 2};
enum { LEVELS = 6 };

int rocket_log_priority(uint8_t level) { return priorities[level < LEVELS ? level : LEVELS - 1]; }

static char *put(char *out, const char *bytes, size_t count) {
    memcpy(out, bytes, count);
    return out + count;
}

static char *put_digits(char *out, uint32_t value, int width) {
    for (int i = width; i-- > 0; value /= 10) out[i] = (char)('0' + value % 10);
    return out + width;
}

static char *put_number(char *out, uint64_t value, int negative) {
    char digits[20];
    int count = 0;
    do digits[count++] = (char)('0' + value % 10);
    while (value /= 10);
    if (negative) *out++ = '-';
    while (count) *out++ = digits[--count];
    return out;
}

// Returns whether `c` would break a line, a column or a terminal.
static int is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

// Writes text with control characters escaped as \n, \t, \r, \xNN, so that a line stays one line.
static char *put_escaped(char *out, const char *bytes, size_t count, int in_quotes) {
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (in_quotes && (c == '"' || c == '\\')) {
            *out++ = '\\', *out++ = (char)c;
        } else if (!is_control(c)) {
            *out++ = (char)c;
        } else if (c == '\n' || c == '\t' || c == '\r') {
            *out++ = '\\', *out++ = c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
        } else {
            *out++ = '\\', *out++ = 'x', *out++ = hex[c >> 4], *out++ = hex[c & 15];
        }
    }
    return out;
}

// Returns whether a value needs quotes because a parser could not find its end without them.
static int needs_quotes(const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == ' ' || c == '"' || c == '=' || c == '\\' || is_control(c)) return 1;
    }
    return count == 0;
}

static char *put_value(char *out, const char *bytes, size_t count) {
    if (!needs_quotes(bytes, count)) return put(out, bytes, count);
    *out++ = '"';
    out = put_escaped(out, bytes, count, 1);
    *out++ = '"';
    return out;
}

static char *put_field(char *out, const struct rocket_log_field *field, const char *bytes) {
    *out++ = ' ';
    out = put_escaped(out, bytes, field->key_length, 0);
    *out++ = '=';
    bytes += field->key_length;
    if (field->kind == ROCKET_LOG_TEXT) return put_value(out, bytes, field->value_length);
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    int negative = field->kind == ROCKET_LOG_SIGNED && (int64_t)value < 0;
    return put_number(out, negative ? 0 - value : value, negative);
}

// Writes "yy-mm-dd HH:MM:SS.mmm".
static char *put_time(char *out, int64_t nanoseconds, int32_t utc_offset_seconds) {
    int64_t seconds = nanoseconds / 1000000000, fraction = nanoseconds % 1000000000;
    if (fraction < 0) fraction += 1000000000, seconds -= 1;
    int32_t civil[6];
    rocket_civil(seconds + utc_offset_seconds, civil);
    static const char separators[] = "-- ::.";
    for (int i = 0; i < 6; i++) {
        out = put_digits(out, (uint32_t)(i ? civil[i] : civil[0] % 100), 2);
        *out++ = separators[i];
    }
    return put_digits(out, (uint32_t)(fraction / 1000000), 3);
}

size_t rocket_log_line_bound(const struct rocket_log_record *record) {
    size_t length = record->size + (size_t)record->file_length;
    return 4 * length + 32 * (size_t)record->field_count + 256;
}

size_t rocket_log_line(const struct rocket_log_record *record, int32_t process_id,
                       int32_t utc_offset_seconds, enum rocket_log_style style, char *out) {
    char *start = out;
    const char *next = (const char *)(record + 1);
    const char *file = record->file;
    if (!file) file = next, next += record->file_length;
    if (!record->function) next += record->function_length;
    int level = record->level < LEVELS ? record->level : LEVELS - 1;
    if (style == ROCKET_LOG_PRIORITY) {
        *out++ = '<', *out++ = (char)('0' + priorities[level]), *out++ = '>';
    }
    if (style == ROCKET_LOG_COLOUR) out = put(out, colours[level], strlen(colours[level]));
    *out++ = '[';
    out = put(out, names[level], strlen(names[level]));
    *out++ = ']';
    if (style == ROCKET_LOG_COLOUR) out = put(out, "\033[0m", 4);
    out = put(out, "\t[", 2);
    out = put_time(out, record->wall_nanoseconds, utc_offset_seconds);
    out = put(out, "]\t[", 3);
    out = put_number(out, (uint32_t)process_id, 0);
    *out++ = ':';
    out = put_number(out, (uint32_t)record->thread_id, 0);
    out = put(out, "]\t[", 3);

    const char *message = next;
    next += record->message_length;
    out = put_escaped(out, next, record->message_id_length, 0);
    next += record->message_id_length;
    out = put(out, "]\t[", 3);
    out = put_escaped(out, next, record->method_length, 0);
    next += record->method_length;
    out = put(out, "]\t[", 3);
    const char *base = file;
    for (uint32_t i = 0; i < record->file_length; i++)
        if (file[i] == '/') base = file + i + 1;
    out = put_escaped(out, base, (size_t)(file + record->file_length - base), 0);
    *out++ = ':';
    out = put_number(out, record->line, 0);
    out = put(out, "]\t", 2);
    out = put_escaped(out, message, record->message_length, 0);

    const char *peer = next;
    next += record->peer_length;
    for (uint16_t i = 0; i < record->field_count; i++) {
        struct rocket_log_field field;
        memcpy(&field, next, sizeof field);
        next += sizeof field;
        out = put_field(out, &field, next);
        next += field.key_length + field.value_length;
    }
    if (record->peer_length) {
        out = put(out, " peer=", 6);
        out = put_value(out, peer, record->peer_length);
    }
    if (record->cut) out = put(out, " cut=true", 9);
    *out++ = '\n';
    return (size_t)(out - start);
}
