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

// The characters beyond ASCII that do the same, or that change or hide what a reader sees: the
// controls of C1, line separators, characters that reverse the direction of writing, invisible ones.
static const struct { uint32_t first, last; } unsafe_ranges[] = {
    {0x80, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},     {0x180e, 0x180e},   {0x200b, 0x200b},
    {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},
    {0xe0000, 0xe007f},
};

int rocket_log_is_unsafe(uint32_t scalar) {
    if (scalar < 0x80) return is_control((unsigned char)scalar);
    for (size_t i = 0; i < sizeof unsafe_ranges / sizeof *unsafe_ranges; i++)
        if (scalar >= unsafe_ranges[i].first && scalar <= unsafe_ranges[i].last) return 1;
    return 0;
}

// Decodes the UTF-8 character at `bytes`: returns its length, or 0 when there is none.
static size_t decode(const char *bytes, size_t count, uint32_t *scalar) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)bytes[0];
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length > count) return 0;
    uint32_t value = first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)bytes[i];
        if ((next & 0xc0) != 0x80) return 0;
        value = value << 6 | (next & 0x3f);
    }
    if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *scalar = value;
    return length;
}

// Writes `\u{9B}`, the form of Swift.
static char *put_scalar(char *out, uint32_t scalar) {
    static const char hex[] = "0123456789ABCDEF";
    *out++ = '\\', *out++ = 'u', *out++ = '{';
    int shift = 28;
    while (shift > 4 && !(scalar >> shift)) shift -= 4;
    for (; shift >= 0; shift -= 4) *out++ = hex[scalar >> shift & 15];
    *out++ = '}';
    return out;
}

// Writes text so that a line stays one line and shows what it contains: control characters as
// \n, \t, \r, \xNN, unsafe characters beyond ASCII as \u{NNNN}, bytes that are no UTF-8 as \xNN.
// `keep_layout`: without escaping line feeds and tabs. At most 4 bytes per byte.
static char *put_escaped(char *out, const char *bytes, size_t count, int in_quotes,
                         int keep_layout) {
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= 0x80) {
            uint32_t scalar = 0;
            size_t length = decode(bytes + i, count - i, &scalar);
            if (length) {
                out = rocket_log_is_unsafe(scalar) ? put_scalar(out, scalar)
                                                   : put(out, bytes + i, length);
                i += length - 1;
                continue;
            }
        } else if (in_quotes && (c == '"' || c == '\\')) {
            *out++ = '\\', *out++ = (char)c;
            continue;
        } else if (!is_control(c) || (keep_layout && (c == '\n' || c == '\t'))) {
            *out++ = (char)c;
            continue;
        } else if (c == '\n' || c == '\t' || c == '\r') {
            *out++ = '\\', *out++ = c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
            continue;
        }
        *out++ = '\\', *out++ = 'x', *out++ = hex[c >> 4], *out++ = hex[c & 15];
    }
    return out;
}

size_t rocket_log_escape(const char *bytes, size_t count, char *out) {
    return (size_t)(put_escaped(out, bytes, count, 0, 1) - out);
}

// Returns whether a value needs quotes because a parser could not find its end without them.
static int needs_quotes(const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == ' ' || c == '"' || c == '=' || c == '\\' || is_control(c)) return 1;
        if (c < 0x80) continue;
        uint32_t scalar = 0;
        size_t length = decode(bytes + i, count - i, &scalar);
        if (!length || rocket_log_is_unsafe(scalar)) return 1;
        i += length - 1;
    }
    return count == 0;
}

static char *put_value(char *out, const char *bytes, size_t count) {
    if (!needs_quotes(bytes, count)) return put(out, bytes, count);
    *out++ = '"';
    out = put_escaped(out, bytes, count, 1, 0);
    *out++ = '"';
    return out;
}

static char *put_field(char *out, const struct rocket_log_field *field, const char *bytes) {
    *out++ = ' ';
    out = put_escaped(out, bytes, field->key_length, 0, 0);
    *out++ = '=';
    bytes += field->key_length;
    if (field->kind == ROCKET_LOG_TEXT) return put_value(out, bytes, field->value_length);
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    int negative = field->kind == ROCKET_LOG_SIGNED && (int64_t)value < 0;
    return put_number(out, negative ? 0 - value : value, negative);
}

// One text of the call that a line belongs to.
struct call_part {
    const char *key, *value;
    size_t length;
    int is_field; // whether the line has a field of the same key and value
};

// Writes " key=value" for each field, then for the peer of the call, with `all_parts` also for its
// method and id, unless a field says the same. `next`: the peer, followed by the fields.
static char *put_fields(char *out, const struct rocket_log_record *record, const char *next,
                        int all_parts) {
    const char *method = next - record->method_length;
    struct call_part parts[] = {
        {"peer", next, record->peer_length, 0},
        {"method", method, record->method_length, 0},
        {"msg_id", method - record->message_id_length, record->message_id_length, 0},
    };
    int count = all_parts ? 3 : 1;
    next += record->peer_length;
    for (uint16_t i = 0; i < record->field_count; i++) {
        struct rocket_log_field field;
        memcpy(&field, next, sizeof field);
        next += sizeof field;
        out = put_field(out, &field, next);
        for (int j = 0; j < count; j++)
            if (field.key_length == strlen(parts[j].key) && field.kind == ROCKET_LOG_TEXT
                && field.value_length == parts[j].length
                && memcmp(next, parts[j].key, field.key_length) == 0
                && memcmp(next + field.key_length, parts[j].value, parts[j].length) == 0)
                parts[j].is_field = 1;
        next += field.key_length + field.value_length;
    }
    for (int j = 0; j < count; j++) {
        if (parts[j].length == 0 || parts[j].is_field) continue;
        *out++ = ' ';
        out = put(out, parts[j].key, strlen(parts[j].key));
        *out++ = '=';
        out = put_value(out, parts[j].value, parts[j].length);
    }
    return record->cut ? put(out, " cut=true", 9) : out;
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
    out = put_escaped(out, next, record->message_id_length, 0, 0);
    next += record->message_id_length;
    out = put(out, "]\t[", 3);
    out = put_escaped(out, next, record->method_length, 0, 0);
    next += record->method_length;
    out = put(out, "]\t[", 3);
    const char *base = file;
    for (uint32_t i = 0; i < record->file_length; i++)
        if (file[i] == '/') base = file + i + 1;
    out = put_escaped(out, base, (size_t)(file + record->file_length - base), 0, 0);
    *out++ = ':';
    out = put_number(out, record->line, 0);
    out = put(out, "]\t", 2);
    out = put_escaped(out, message, record->message_length, 0, 0);

    out = put_fields(out, record, next, 0);
    *out++ = '\n';
    return (size_t)(out - start);
}

size_t rocket_log_text(const struct rocket_log_record *record, char *out) {
    char *start = out;
    const char *next = (const char *)(record + 1);
    if (!record->file) next += record->file_length;
    if (!record->function) next += record->function_length;
    out = put_escaped(out, next, record->message_length, 0, 1);
    next += record->message_length;
    out = put_fields(out, record, next + record->message_id_length + record->method_length, 1);
    return (size_t)(out - start);
}
