#ifndef ROCKET_MICROHTTPD_PRIVATE_H
#define ROCKET_MICROHTTPD_PRIVATE_H

#include "rocket_microhttpd.h"

#include <microhttpd.h>
#include <pthread.h>

/// A connection of libmicrohttpd. In the list of its server, under its lock.
typedef struct connection {
    struct connection *next, **link;
    int descriptor;
    /// Of one that was added; 0: it was accepted.
    uint64_t number;
    /// The user at the other end of a Unix socket.
    uint32_t uid;
    /// The time (CLOCK_MONOTONIC) from which its limit counts; 0: the server's own time is spent.
    int64_t since_ms;
} connection;

/// A socket on its way to libmicrohttpd's thread.
typedef struct added_socket {
    struct added_socket *next;
    int descriptor;
    uint64_t number;
} added_socket;

/// Is freed with its last reference: the owner's, and one of each request.
struct rocket_httpd {
    struct MHD_Daemon *daemon;
    rocket_httpd_settings settings;
    rocket_httpd_callbacks callbacks;
    void *context;
    /// Protects all that follows, and the states of requests. libmicrohttpd's own locks are taken
    /// inside of it, never the other way round.
    pthread_mutex_t lock;
    /// Signalled after each answer, and when the server ends.
    pthread_cond_t answered;
    unsigned int references;
    int is_stopping;
    connection *connections;
    added_socket *added;
    unsigned int connection_count;
    rocket_httpd_request *suspended;
};

typedef enum {
    /// Its headers or its body are being received.
    ROCKET_HTTPD_RECEIVING,
    /// The callback runs, or has returned without an answer and the connection is suspended.
    ROCKET_HTTPD_ASKED,
    ROCKET_HTTPD_SUSPENDED,
    /// There is an answer, which libmicrohttpd's thread sends.
    ROCKET_HTTPD_ANSWERED,
} request_state;

/// Is freed with its last reference: that of libmicrohttpd, and that of the callback until it answers.
struct rocket_httpd_request {
    rocket_httpd *httpd;
    struct MHD_Connection *connection;
    char *target;
    const char *method;
    char *body;
    size_t body_count;
    int is_too_large;
    request_state state;
    unsigned int references;
    unsigned int status;
    rocket_httpd_response *response;
    /// Neighbours in the list of suspended requests.
    rocket_httpd_request *next, **link;
};

struct rocket_httpd_response {
    struct MHD_Response *mhd;
};

int64_t rocket_httpd_now_ms(void);
void rocket_httpd_release(rocket_httpd *httpd);
/// Drops a reference to a request; its server's lock must not be held.
void rocket_httpd_request_release(rocket_httpd_request *request);
/// What libmicrohttpd calls for each part of a request.
enum MHD_Result rocket_httpd_handle(void *context, struct MHD_Connection *mhd, const char *path,
                                    const char *method, const char *version, const char *bytes,
                                    size_t *count, void **memory);
void *rocket_httpd_begin(void *context, const char *target, struct MHD_Connection *mhd);
void rocket_httpd_completed(void *context, struct MHD_Connection *mhd, void **memory,
                            enum MHD_RequestTerminationCode code);
/// Why a request is not read as all servers would read it; NULL: it is. With its headers there.
const char *rocket_httpd_fault(struct MHD_Connection *mhd, const char *method, const char *target,
                               const char *version);
/// With the lock held: the connection of libmicrohttpd's object.
connection *rocket_httpd_connection(struct MHD_Connection *mhd);

#endif
