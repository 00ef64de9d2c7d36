#define _GNU_SOURCE
#include "rocket_microhttpd_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t rocket_httpd_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/// With the lock held: takes the number of an added socket; 0: it was accepted.
static uint64_t take_number(rocket_httpd *httpd, int descriptor) {
    for (added_socket **link = &httpd->added; *link; link = &(*link)->next) {
        added_socket *found = *link;
        if (found->descriptor != descriptor) continue;
        uint64_t number = found->number;
        *link = found->next;
        free(found);
        return number;
    }
    return 0;
}

void rocket_httpd_release(rocket_httpd *httpd) {
    pthread_mutex_lock(&httpd->lock);
    unsigned int left = --httpd->references;
    pthread_mutex_unlock(&httpd->lock);
    if (left > 0) return;
    while (httpd->added) (void)take_number(httpd, httpd->added->descriptor);
    pthread_cond_destroy(&httpd->answered);
    pthread_mutex_destroy(&httpd->lock);
    free(httpd);
}

static void write_log(void *context, const char *format, va_list arguments) {
    rocket_httpd *httpd = context;
    char text[256];
    int count = vsnprintf(text, sizeof text, format, arguments);
    if (count <= 0) return;
    for (char *end = text + strlen(text); end > text && end[-1] == '\n';) *--end = 0;
    httpd->callbacks.log(httpd->context, text);
}

// MARK: Connections

connection *rocket_httpd_connection(struct MHD_Connection *mhd) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static uint32_t peer_uid(int descriptor) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return UINT32_MAX;
    return credentials.uid;
}

int rocket_httpd_add(rocket_httpd *httpd, int descriptor, uint64_t number) {
    added_socket *added = calloc(1, sizeof *added);
    if (!added) {
        close(descriptor);
        return -1;
    }
    added->descriptor = descriptor;
    added->number = number;
    pthread_mutex_lock(&httpd->lock);
    added->next = httpd->added;
    httpd->added = added;
    pthread_mutex_unlock(&httpd->lock);
    // No lock: libmicrohttpd may call `opened` here. It closes the socket if it fails; the number of one
    // that fails is taken before another socket can have the descriptor.
    struct sockaddr address = {.sa_family = AF_UNIX};
    if (MHD_add_connection(httpd->daemon, descriptor, &address, sizeof address) == MHD_YES) return 0;
    pthread_mutex_lock(&httpd->lock);
    (void)take_number(httpd, descriptor);
    pthread_mutex_unlock(&httpd->lock);
    return -1;
}

static void opened(rocket_httpd *httpd, struct MHD_Connection *mhd, void **memory) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!info) return;
    connection *added = calloc(1, sizeof *added);
    if (!added) {
        (void)shutdown(info->connect_fd, SHUT_RDWR);
        return;
    }
    added->descriptor = info->connect_fd;
    added->since_ms = rocket_httpd_now_ms();
    unsigned int same = 0;
    pthread_mutex_lock(&httpd->lock);
    added->number = take_number(httpd, added->descriptor);
    if (httpd->settings.is_unix) {
        added->uid = peer_uid(added->descriptor);
        for (connection *other = httpd->connections; other; other = other->next)
            same += other->uid == added->uid;
    }
    added->next = httpd->connections;
    added->link = &httpd->connections;
    if (added->next) added->next->link = &added->next;
    httpd->connections = added;
    httpd->connection_count++;
    pthread_mutex_unlock(&httpd->lock);
    *memory = added;
    // libmicrohttpd reads the end, and closes it.
    if (same >= httpd->settings.max_connections_per_peer)
        (void)shutdown(added->descriptor, SHUT_RDWR);
}

static void closed(rocket_httpd *httpd, void **memory) {
    connection *removed = *memory;
    if (!removed) return;
    pthread_mutex_lock(&httpd->lock);
    *removed->link = removed->next;
    if (removed->next) removed->next->link = removed->link;
    httpd->connection_count--;
    pthread_mutex_unlock(&httpd->lock);
    free(removed);
    *memory = NULL;
}

static void connection_changed(void *context, struct MHD_Connection *mhd, void **memory,
                               enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        opened(context, mhd, memory);
    else
        closed(context, memory);
}

void rocket_httpd_close_late(rocket_httpd *httpd) {
    int64_t limit = rocket_httpd_now_ms() - httpd->settings.timeout_ms;
    pthread_mutex_lock(&httpd->lock);
    // A descriptor in the list is open: it is removed before libmicrohttpd closes it.
    for (connection *each = httpd->connections; each; each = each->next)
        if (each->since_ms != 0 && each->since_ms < limit)
            (void)shutdown(each->descriptor, SHUT_RDWR);
    pthread_mutex_unlock(&httpd->lock);
}

unsigned int rocket_httpd_connections(rocket_httpd *httpd) {
    pthread_mutex_lock(&httpd->lock);
    unsigned int count = httpd->connection_count;
    pthread_mutex_unlock(&httpd->lock);
    return count;
}

// MARK: The server

/// Leaves escapes as they are: the caller reads the target as it was sent.
static size_t keep_escapes(void *context, struct MHD_Connection *mhd, char *text) {
    (void)context;
    (void)mhd;
    return strlen(text);
}

rocket_httpd *rocket_httpd_start(int descriptor, const rocket_httpd_settings *settings,
                                 const rocket_httpd_callbacks *callbacks, void *context) {
    rocket_httpd *httpd = calloc(1, sizeof *httpd);
    if (!httpd) return NULL;
    httpd->settings = *settings;
    httpd->callbacks = *callbacks;
    httpd->context = context;
    httpd->references = 1;
    pthread_mutex_init(&httpd->lock, NULL);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&httpd->answered, &clock);
    pthread_condattr_destroy(&clock);
    int64_t seconds = (settings->timeout_ms + 999) / 1000;
    struct MHD_OptionItem listening[] = {{MHD_OPTION_LISTEN_SOCKET, descriptor, NULL},
                                         {MHD_OPTION_END, 0, NULL}};
    if (descriptor < 0) listening[0].option = MHD_OPTION_END;
    // The logger first: it is in force for the options after it. Not epoll: libmicrohttpd 0.9 does not see
    // the end of a connection that came together with a part of a request, and keeps it until its time
    // limit.
    httpd->daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
            (descriptor < 0 ? MHD_USE_NO_LISTEN_SOCKET : 0),
        0, NULL, NULL, rocket_httpd_handle, httpd, MHD_OPTION_EXTERNAL_LOGGER, write_log, httpd,
        MHD_OPTION_ARRAY, listening, MHD_OPTION_CONNECTION_LIMIT,
        settings->max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        settings->is_unix ? 0u : settings->max_connections_per_peer,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, settings->header_bytes, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, rocket_httpd_begin, httpd, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escapes, httpd, MHD_OPTION_NOTIFY_COMPLETED, rocket_httpd_completed, httpd,
        MHD_OPTION_NOTIFY_CONNECTION, connection_changed, httpd, MHD_OPTION_END);
    if (httpd->daemon) return httpd;
    int error = errno != 0 ? errno : EINVAL;
    rocket_httpd_release(httpd);
    errno = error;
    return NULL;
}

void rocket_httpd_stop(rocket_httpd *httpd) {
    pthread_mutex_lock(&httpd->lock);
    httpd->is_stopping = 1;
    pthread_cond_broadcast(&httpd->answered);
    // libmicrohttpd ends the process if it is stopped with suspended connections.
    while (httpd->suspended) {
        rocket_httpd_request *request = httpd->suspended;
        httpd->suspended = request->next;
        if (request->next) request->next->link = &httpd->suspended;
        request->state = ROCKET_HTTPD_ANSWERED;
        MHD_resume_connection(request->connection);
    }
    pthread_mutex_unlock(&httpd->lock);
    MHD_stop_daemon(httpd->daemon);
    rocket_httpd_release(httpd);
}
