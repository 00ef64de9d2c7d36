#ifndef ROCKET_MICROHTTPD_H
#define ROCKET_MICROHTTPD_H

#include <stddef.h>
#include <stdint.h>

// MARK: Servers

/// An HTTP/1.1 server on one listening socket: libmicrohttpd with one thread of its own.
typedef struct rocket_httpd rocket_httpd;
/// One request. Valid in the callback `request`, and after it until rocket_httpd_answer.
typedef struct rocket_httpd_request rocket_httpd_request;

/// What a server calls, on its thread.
typedef struct {
    /// A request has come, with its whole body. It is to be answered once, now or later, on any thread.
    void (*request)(void *context, rocket_httpd_request *request);
    /// libmicrohttpd reports a fault of a peer or of the system.
    void (*log)(void *context, const char *text);
} rocket_httpd_callbacks;

typedef struct {
    /// Further connections wait in the kernel's queue.
    unsigned int max_connections;
    /// Of one IP address, or of one user of a Unix socket; a further one is closed at once.
    unsigned int max_connections_per_peer;
    /// The memory of a connection for a request's line and headers; one that needs more is answered
    /// with 431 or 414.
    size_t header_bytes;
    /// A larger body is left out, and rocket_httpd_body_is_too_large.
    size_t body_bytes;
    /// The longest time from the first byte, or the end of the request before, to the request's end, and
    /// from its answer to the end of sending that.
    int64_t timeout_ms;
    /// Peers are users of Unix sockets; otherwise IP addresses.
    int is_unix;
} rocket_httpd_settings;

/// Starts a server on a listening socket, which belongs to it from now on, or with -1 on none: it serves
/// the sockets of rocket_httpd_add. `context` must outlive it. Returns NULL, with errno: the socket still
/// belongs to the caller.
rocket_httpd *rocket_httpd_start(int descriptor, const rocket_httpd_settings *settings,
                                 const rocket_httpd_callbacks *callbacks, void *context);

/// Serves a connected socket, which belongs to the server from now on, also on failure. `number`: for
/// rocket_httpd_number. Returns 0, or -1: there are too many connections, or there is no memory. Any
/// thread.
int rocket_httpd_add(rocket_httpd *httpd, int descriptor, uint64_t number);

/// Ends the server: connections are closed, also those of requests that wait, and no callback runs
/// afterwards. Blocks until the thread has ended. Not in a callback. Frees the server.
void rocket_httpd_stop(rocket_httpd *httpd);

/// Closes connections whose time has passed. To be called now and then, by one thread.
void rocket_httpd_close_late(rocket_httpd *httpd);

/// The connections now.
unsigned int rocket_httpd_connections(rocket_httpd *httpd);

// MARK: Requests, in the callback `request` only

const char *rocket_httpd_method(const rocket_httpd_request *request);
/// As it was sent: path and query with their escapes.
const char *rocket_httpd_target(const rocket_httpd_request *request);
/// The value of a header; NULL: there is none. `count`: how many there are of this name.
const char *rocket_httpd_header(const rocket_httpd_request *request, const char *name, int *count);
const char *rocket_httpd_body(const rocket_httpd_request *request, size_t *count);
int rocket_httpd_body_is_too_large(const rocket_httpd_request *request);
/// The peer of a Unix socket (SO_PEERCRED). Returns 0, or -1 with errno.
int rocket_httpd_peer(const rocket_httpd_request *request, int32_t *pid, uint32_t *uid,
                      uint32_t *gid);
/// The number that the request's connection was added with; 0: it was accepted.
uint64_t rocket_httpd_number(const rocket_httpd_request *request);
/// Whether the peer of a Unix socket is in the group, also by its supplementary groups.
int rocket_httpd_peer_is_in_group(const rocket_httpd_request *request, uint32_t gid);

// MARK: Answers

/// A status, headers and a body.
typedef struct rocket_httpd_response rocket_httpd_response;

/// Copies the bytes. NULL: there is no memory.
rocket_httpd_response *rocket_httpd_response_create(const void *bytes, size_t count);
/// Adds a header. Returns 0, or -1: the name or the value is not allowed in HTTP.
int rocket_httpd_response_header(rocket_httpd_response *response, const char *name,
                                 const char *value);
/// Answers the request, and frees the response; NULL: the connection is closed. The request must not be
/// used afterwards. Any thread.
void rocket_httpd_answer(rocket_httpd_request *request, unsigned int status,
                         rocket_httpd_response *response);

// MARK: System

/// The id of a group by its name. Returns 0; 1: there is no such group; -1 with errno.
int rocket_httpd_group_id(const char *name, uint32_t *gid);
/// Gives a file to a group. Returns 0, or -1 with errno.
int rocket_httpd_set_group(const char *path, uint32_t gid);

#endif
