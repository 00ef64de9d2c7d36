#include "rocket_microhttpd_private.h"

#include <string.h>
#include <strings.h>

// What libmicrohttpd reads more leniently than RFC 9112, so that a proxy before it could see another
// request, or another end of one.

typedef struct {
    const char *fault;
    /// Where the next line must begin; NULL: unknown.
    const char *end;
    int lengths, encodings;
} header_check;

/// One line feed, or a carriage return before it. libmicrohttpd has replaced both by zeros, so another
/// distance shows a zero within the line, or a line that goes on in the next one.
static int is_line_end(const char *from, const char *to) { return to == from + 1 || to == from + 2; }

static enum MHD_Result check_header(void *context, enum MHD_ValueKind kind, const char *name,
                                    size_t name_count, const char *value, size_t value_count) {
    (void)kind;
    header_check *check = context;
    if (memchr(name, ' ', name_count) || memchr(name, '\t', name_count) || name_count == 0)
        check->fault = "The name of a header is empty or has a space.\n";
    if (check->end && !is_line_end(check->end, name))
        check->fault = "A header has a zero, or more than one line.\n";
    // A value NULL can't be: each line has a colon.
    if (check->end && value) check->end = value + value_count;
    if (strcasecmp(name, "Content-Length") == 0) check->lengths++;
    if (strcasecmp(name, "Transfer-Encoding") == 0) {
        check->encodings++;
        if (!value || strcasecmp(value, "chunked") != 0)
            check->fault = "The only Transfer-Encoding is chunked.\n";
    }
    return MHD_YES;
}

const char *rocket_httpd_fault(struct MHD_Connection *mhd, const char *method, const char *target,
                               const char *version) {
    header_check check = {0};
    // All three are in one buffer in these versions; later ones check it themselves.
#if MHD_VERSION < 0x01000000
    if (version != method + strlen(method) + 1 + strlen(target) + 1)
        return "The first line of the request has a zero or two spaces.\n";
    check.end = version + strlen(version);
#else
    (void)method;
    (void)target;
    (void)version;
#endif
    (void)MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, check_header, &check);
    if (check.fault) return check.fault;
    const union MHD_ConnectionInfo *head =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    // The end of the last header, and an empty line.
    if (check.end && head) {
        const char *end = method + head->header_size;
        if (end < check.end + 2 || end > check.end + 4)
            return "A header has a zero, or more than one line.\n";
    }
    if (check.lengths + check.encodings > 1)
        return "The length of the body is given twice: by Content-Length or Transfer-Encoding.\n";
    return NULL;
}
