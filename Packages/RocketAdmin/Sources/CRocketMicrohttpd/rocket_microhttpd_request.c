#define _GNU_SOURCE
#include "rocket_microhttpd_private.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// MARK: The life of a request

void rocket_httpd_request_release(rocket_httpd_request *request) {
    rocket_httpd *httpd = request->httpd;
    pthread_mutex_lock(&httpd->lock);
    unsigned int left = --request->references;
    pthread_mutex_unlock(&httpd->lock);
    if (left > 0) return;
    if (request->response) {
        MHD_destroy_response(request->response->mhd);
        free(request->response);
    }
    free(request->target);
    free(request->body);
    free(request);
    rocket_httpd_release(httpd);
}

void *rocket_httpd_begin(void *context, const char *target, struct MHD_Connection *mhd) {
    rocket_httpd *httpd = context;
    rocket_httpd_request *request = calloc(1, sizeof *request);
    char *copy = strdup(target);
    // Without memory: the handler closes the connection.
    if (!request || !copy) {
        free(request);
        free(copy);
        return NULL;
    }
    request->httpd = httpd;
    request->connection = mhd;
    request->target = copy;
    request->references = 1;
    pthread_mutex_lock(&httpd->lock);
    httpd->references++;
    pthread_mutex_unlock(&httpd->lock);
    return request;
}

void rocket_httpd_completed(void *context, struct MHD_Connection *mhd, void **memory,
                            enum MHD_RequestTerminationCode code) {
    (void)code;
    rocket_httpd *httpd = context;
    pthread_mutex_lock(&httpd->lock);
    connection *owner = rocket_httpd_connection(mhd);
    if (owner) owner->since_ms = rocket_httpd_now_ms();
    pthread_mutex_unlock(&httpd->lock);
    rocket_httpd_request *request = *memory;
    *memory = NULL;
    if (!request) return;
    request->connection = NULL;
    rocket_httpd_request_release(request);
}

static void receive_body(rocket_httpd_request *request, const char *bytes, size_t count) {
    size_t limit = request->httpd->settings.body_bytes;
    if (request->is_too_large || count > limit - request->body_count) {
        request->is_too_large = 1;
        return;
    }
    if (!request->body && !(request->body = malloc(limit))) {
        request->is_too_large = 1;
        return;
    }
    memcpy(request->body + request->body_count, bytes, count);
    request->body_count += count;
}

/// Sends the answer that is there; without one, as when the server ends, the connection is closed.
static enum MHD_Result send_answer(rocket_httpd_request *request) {
    pthread_mutex_lock(&request->httpd->lock);
    connection *owner = rocket_httpd_connection(request->connection);
    if (owner) owner->since_ms = rocket_httpd_now_ms();
    rocket_httpd_response *response = request->response;
    unsigned int status = request->status;
    pthread_mutex_unlock(&request->httpd->lock);
    if (response) return MHD_queue_response(request->connection, status, response->mhd);
    return MHD_NO;
}

/// Answers before the body, whose length may be unclear, and closes.
static enum MHD_Result refuse(rocket_httpd_request *request, const char *text) {
    rocket_httpd_response *response = rocket_httpd_response_create(text, strlen(text));
    if (!response) return MHD_NO;
    (void)rocket_httpd_response_header(response, "Content-Type", "text/plain; charset=utf-8");
    (void)rocket_httpd_response_header(response, "X-Content-Type-Options", "nosniff");
    (void)rocket_httpd_response_header(response, "Connection", "close");
    pthread_mutex_lock(&request->httpd->lock);
    request->state = ROCKET_HTTPD_ANSWERED;
    request->status = MHD_HTTP_BAD_REQUEST;
    request->response = response;
    pthread_mutex_unlock(&request->httpd->lock);
    return send_answer(request);
}

// libmicrohttpd reads from a connection that is resumed, before it asks for the answer, and closes it if
// the client has closed its sending side. So the thread waits for an answer that comes soon, and for one
// to such a client longer; all others wait meanwhile.
enum { SOON_MS = 5, HALF_CLOSED_MS = 500 };

/// With the lock held: waits until the request is answered, the server ends, or the time has passed.
static void wait_for_answer(rocket_httpd_request *request, int64_t milliseconds) {
    rocket_httpd *httpd = request->httpd;
    int64_t end = rocket_httpd_now_ms() + milliseconds;
    struct timespec until = {.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};
    while (request->state == ROCKET_HTTPD_ASKED && !httpd->is_stopping)
        if (pthread_cond_timedwait(&httpd->answered, &httpd->lock, &until) != 0) return;
}

static int is_half_closed(const connection *owner) {
    if (!owner) return 0;
    struct pollfd end = {.fd = owner->descriptor, .events = POLLRDHUP};
    return poll(&end, 1, 0) == 1 && (end.revents & POLLRDHUP) != 0;
}

static enum MHD_Result ask(rocket_httpd_request *request) {
    rocket_httpd *httpd = request->httpd;
    pthread_mutex_lock(&httpd->lock);
    request->state = ROCKET_HTTPD_ASKED;
    request->references++;
    connection *owner = rocket_httpd_connection(request->connection);
    if (owner) owner->since_ms = 0;
    pthread_mutex_unlock(&httpd->lock);
    httpd->callbacks.request(httpd->context, request);
    pthread_mutex_lock(&httpd->lock);
    wait_for_answer(request, SOON_MS);
    if (request->state == ROCKET_HTTPD_ASKED && is_half_closed(owner))
        wait_for_answer(request, HALF_CLOSED_MS);
    int is_answered = request->state == ROCKET_HTTPD_ANSWERED;
    if (!is_answered && !httpd->is_stopping) {
        request->state = ROCKET_HTTPD_SUSPENDED;
        request->next = httpd->suspended;
        request->link = &httpd->suspended;
        if (request->next) request->next->link = &request->next;
        httpd->suspended = request;
        MHD_suspend_connection(request->connection);
    }
    int is_stopping = httpd->is_stopping;
    pthread_mutex_unlock(&httpd->lock);
    if (is_answered) return send_answer(request);
    return is_stopping ? MHD_NO : MHD_YES;
}

// Waits for an answer that is being given on another thread: MHD goes on with a connection as soon as it
// is resumed, which rocket_httpd_answer does with the lock.
static int is_receiving(rocket_httpd_request *request) {
    pthread_mutex_lock(&request->httpd->lock);
    int is_receiving = request->state == ROCKET_HTTPD_RECEIVING;
    pthread_mutex_unlock(&request->httpd->lock);
    return is_receiving;
}

enum MHD_Result rocket_httpd_handle(void *context, struct MHD_Connection *mhd, const char *path,
                                    const char *method, const char *version, const char *bytes,
                                    size_t *count, void **memory) {
    (void)context;
    (void)path;
    rocket_httpd_request *request = *memory;
    if (!request) return MHD_NO;
    if (!is_receiving(request)) return send_answer(request);
    // The first call is before the body; a method NULL marks it as not made yet.
    if (!request->method) {
        request->method = method;
        const char *fault = rocket_httpd_fault(mhd, method, request->target, version);
        return fault ? refuse(request, fault) : MHD_YES;
    }
    if (*count > 0) {
        receive_body(request, bytes, *count);
        *count = 0;
        return MHD_YES;
    }
    return ask(request);
}

void rocket_httpd_answer(rocket_httpd_request *request, unsigned int status,
                         rocket_httpd_response *response) {
    rocket_httpd *httpd = request->httpd;
    pthread_mutex_lock(&httpd->lock);
    // In the state ANSWERED the server ends, and has answered itself.
    int is_asked = request->state == ROCKET_HTTPD_ASKED;
    if (is_asked || request->state == ROCKET_HTTPD_SUSPENDED) {
        request->status = status;
        request->response = response;
        response = NULL;
    }
    if (request->state == ROCKET_HTTPD_SUSPENDED) {
        *request->link = request->next;
        if (request->next) request->next->link = request->link;
        MHD_resume_connection(request->connection);
    }
    request->state = ROCKET_HTTPD_ANSWERED;
    pthread_cond_broadcast(&httpd->answered);
    pthread_mutex_unlock(&httpd->lock);
    if (response) {
        MHD_destroy_response(response->mhd);
        free(response);
    }
    rocket_httpd_request_release(request);
}

// MARK: What a request says

const char *rocket_httpd_method(const rocket_httpd_request *request) { return request->method; }

const char *rocket_httpd_target(const rocket_httpd_request *request) { return request->target; }

typedef struct {
    const char *name, *value;
    int count;
} header_search;

static enum MHD_Result match_header(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *value) {
    (void)kind;
    header_search *search = context;
    if (strcasecmp(name, search->name) != 0) return MHD_YES;
    if (search->count++ == 0) search->value = value ? value : "";
    return MHD_YES;
}

const char *rocket_httpd_header(const rocket_httpd_request *request, const char *name, int *count) {
    header_search search = {.name = name};
    (void)MHD_get_connection_values(request->connection, MHD_HEADER_KIND, match_header, &search);
    *count = search.count;
    return search.value;
}

const char *rocket_httpd_body(const rocket_httpd_request *request, size_t *count) {
    *count = request->body_count;
    return request->body;
}

int rocket_httpd_body_is_too_large(const rocket_httpd_request *request) {
    return request->is_too_large;
}

static int descriptor(const rocket_httpd_request *request) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

uint64_t rocket_httpd_number(const rocket_httpd_request *request) {
    pthread_mutex_lock(&request->httpd->lock);
    connection *owner = rocket_httpd_connection(request->connection);
    uint64_t number = owner ? owner->number : 0;
    pthread_mutex_unlock(&request->httpd->lock);
    return number;
}

int rocket_httpd_peer(const rocket_httpd_request *request, int32_t *pid, uint32_t *uid,
                      uint32_t *gid) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(descriptor(request), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return -1;
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return 0;
}

int rocket_httpd_peer_is_in_group(const rocket_httpd_request *request, uint32_t gid) {
    int32_t pid;
    uint32_t uid, primary;
    if (rocket_httpd_peer(request, &pid, &uid, &primary) != 0) return 0;
    if (primary == gid) return 1;
#ifdef SO_PEERGROUPS
    // As many as Linux allows (NGROUPS_MAX).
    socklen_t size = 65536 * sizeof(gid_t);
    gid_t *groups = malloc(size);
    if (!groups) return 0;
    int is_in = 0;
    if (getsockopt(descriptor(request), SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0)
        for (size_t at = 0; at < size / sizeof(gid_t); at++) is_in |= groups[at] == gid;
    free(groups);
    return is_in;
#else
    return 0;
#endif
}

// MARK: Answers

rocket_httpd_response *rocket_httpd_response_create(const void *bytes, size_t count) {
    rocket_httpd_response *response = calloc(1, sizeof *response);
    if (!response) return NULL;
    response->mhd = MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
    if (response->mhd) return response;
    free(response);
    return NULL;
}

int rocket_httpd_response_header(rocket_httpd_response *response, const char *name,
                                 const char *value) {
    return MHD_add_response_header(response->mhd, name, value) == MHD_YES ? 0 : -1;
}

// MARK: System

int rocket_httpd_group_id(const char *name, uint32_t *gid) {
    char buffer[16384];
    struct group entry, *found = NULL;
    int error = getgrnam_r(name, &entry, buffer, sizeof buffer, &found);
    if (error != 0) {
        errno = error;
        return -1;
    }
    if (!found) return 1;
    *gid = found->gr_gid;
    return 0;
}

int rocket_httpd_set_group(const char *path, uint32_t gid) {
    return lchown(path, (uid_t)-1, gid);
}
