#define _GNU_SOURCE
#include "rocket_dns.h"

#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

struct rocket_dns_channel {
    ares_channel ares;
    rocket_dns_callbacks callbacks;
    void *context;
    struct ares_options saved;
    /// The code of the answer that is being processed, if c-ares would drop it; 0 otherwise.
    int rejected;
};

typedef struct {
    rocket_dns_channel *channel;
    uint64_t number;
} query;

// MARK: Sockets
//
// c-ares' own would be open in child processes between socket(2) and fcntl(2), and a write to a closed
// connection would send SIGPIPE. c-ares reports an answer with an error as if no server were reachable;
// the code is read here.

static ares_socket_t open_socket(int family, int type, int protocol, void *context) {
    (void)context;
    int descriptor = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (descriptor >= 0 && type == SOCK_STREAM) {
        int on = 1;
        (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return descriptor;
}

static int close_socket(ares_socket_t descriptor, void *context) {
    (void)context;
    return close(descriptor);
}

static int connect_socket(ares_socket_t descriptor, const struct sockaddr *address,
                          ares_socklen_t size, void *context) {
    (void)context;
    return connect(descriptor, address, size);
}

static ares_ssize_t receive(ares_socket_t descriptor, void *bytes, size_t count, int flags,
                            struct sockaddr *from, ares_socklen_t *from_size, void *context) {
    rocket_dns_channel *channel = context;
    ssize_t received = recvfrom(descriptor, bytes, count, flags, from, from_size);
    channel->rejected = 0;
    // Of TCP, whose answers may come in parts, the first part is seen: longer than the length before.
    if (received >= 12) {
        int code = ((const uint8_t *)bytes)[3] & 15;
        if (code == 2 || code == 4 || code == 5) channel->rejected = code;
    }
    return received;
}

static ares_ssize_t send_slices(ares_socket_t descriptor, const struct iovec *slices, int count,
                                void *context) {
    (void)context;
    struct msghdr message = {.msg_iov = (struct iovec *)slices, .msg_iovlen = (size_t)count};
    ssize_t sent = sendmsg(descriptor, &message, MSG_NOSIGNAL);
    // The error is of a datagram before: if this one is sent, the next read reports an error of it, by
    // which c-ares ends both queries at once. Otherwise the one before would wait for its time limit.
    if (sent < 0 && errno == ECONNREFUSED) sent = sendmsg(descriptor, &message, MSG_NOSIGNAL);
    return sent;
}

static const struct ares_socket_functions socket_functions = {
    open_socket, close_socket, connect_socket, receive, send_slices,
};

static void socket_changed(void *context, ares_socket_t descriptor, int readable, int writable) {
    rocket_dns_channel *channel = context;
    channel->callbacks.socket_changed(channel->context, descriptor, readable, writable);
}

// MARK: Addresses

static void set_ipv6(uint8_t bytes[16], uint64_t high, uint64_t low) {
    for (int index = 0; index < 8; index++) {
        bytes[index] = (uint8_t)(high >> (56 - 8 * index));
        bytes[8 + index] = (uint8_t)(low >> (56 - 8 * index));
    }
}

static void get_ipv6(const uint8_t bytes[16], uint64_t *high, uint64_t *low) {
    *high = *low = 0;
    for (int index = 0; index < 8; index++) {
        *high = *high << 8 | bytes[index];
        *low = *low << 8 | bytes[8 + index];
    }
}

static int set_servers(rocket_dns_channel *channel, const rocket_dns_address *servers, size_t count) {
    struct ares_addr_port_node *nodes = calloc(count, sizeof *nodes);
    if (nodes == NULL) return ARES_ENOMEM;
    for (size_t index = 0; index < count; index++) {
        struct ares_addr_port_node *node = &nodes[index];
        node->next = index + 1 < count ? node + 1 : NULL;
        node->udp_port = node->tcp_port = servers[index].port;
        if (servers[index].is_ipv6) {
            node->family = AF_INET6;
            set_ipv6(node->addr.addr6._S6_un._S6_u8, servers[index].ipv6_high,
                     servers[index].ipv6_low);
        } else {
            node->family = AF_INET;
            node->addr.addr4.s_addr = htonl(servers[index].ipv4);
        }
    }
    int status = ares_set_servers_ports(channel->ares, nodes);
    free(nodes);
    return status;
}

size_t rocket_dns_servers(rocket_dns_channel *channel, rocket_dns_address *servers, size_t most) {
    struct ares_addr_port_node *nodes = NULL;
    if (ares_get_servers_ports(channel->ares, &nodes) != ARES_SUCCESS) return 0;
    size_t count = 0;
    for (struct ares_addr_port_node *node = nodes; node && count < most; node = node->next) {
        rocket_dns_address *server = &servers[count++];
        memset(server, 0, sizeof *server);
        server->is_ipv6 = node->family == AF_INET6;
        server->port = (uint16_t)(node->udp_port ? node->udp_port : 53);
        if (server->is_ipv6)
            get_ipv6(node->addr.addr6._S6_un._S6_u8, &server->ipv6_high, &server->ipv6_low);
        else
            server->ipv4 = ntohl(node->addr.addr4.s_addr);
    }
    ares_free_data(nodes);
    return count;
}

// MARK: Channels

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int library_status;

static void initialize_library(void) { library_status = ares_library_init(ARES_LIB_INIT_ALL); }

rocket_dns_channel *rocket_dns_create(const rocket_dns_settings *settings,
                                      const rocket_dns_callbacks *callbacks, void *context,
                                      const char **error) {
    pthread_once(&once, initialize_library);
    rocket_dns_channel *channel = calloc(1, sizeof *channel);
    int status = channel ? library_status : ARES_ENOMEM;
    if (status != ARES_SUCCESS) {
        *error = ares_strerror(status);
        free(channel);
        return NULL;
    }
    channel->callbacks = *callbacks;
    channel->context = context;
    struct ares_options options = {
        .timeout = settings->timeout_ms,
        .tries = settings->tries,
        .lookups = (char *)"b",
        .sock_state_cb = socket_changed,
        .sock_state_cb_data = channel,
        .resolvconf_path = (char *)settings->resolv_conf,
    };
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
    if (settings->resolv_conf) mask |= ARES_OPT_RESOLVCONF;
    status = ares_init_options(&channel->ares, &options, mask);
    if (status != ARES_SUCCESS) {
        *error = ares_strerror(status);
        free(channel);
        return NULL;
    }
    ares_set_socket_functions(channel->ares, &socket_functions, channel);
    if (settings->server_count)
        status = set_servers(channel, settings->servers, settings->server_count);
    int saved = 0;
    if (status == ARES_SUCCESS) status = ares_save_options(channel->ares, &channel->saved, &saved);
    if (status != ARES_SUCCESS) {
        *error = ares_strerror(status);
        rocket_dns_free(channel);
        return NULL;
    }
    return channel;
}

void rocket_dns_free(rocket_dns_channel *channel) {
    ares_destroy(channel->ares);
    ares_destroy_options(&channel->saved);
    free(channel);
}

size_t rocket_dns_domain_count(const rocket_dns_channel *channel) {
    return channel->saved.ndomains > 0 ? (size_t)channel->saved.ndomains : 0;
}

const char *rocket_dns_domain(const rocket_dns_channel *channel, size_t index) {
    return channel->saved.domains[index];
}

int rocket_dns_dots(const rocket_dns_channel *channel) { return channel->saved.ndots; }

// MARK: Queries

static int status_of(const rocket_dns_channel *channel, int status) {
    switch (status) {
    // Answers of which c-ares has read the code.
    case ARES_SUCCESS:
    case ARES_ENODATA: return ROCKET_DNS_ANSWERED;
    case ARES_ENOTFOUND: return ROCKET_DNS_NO_SUCH_NAME;
    case ARES_ETIMEOUT: return ROCKET_DNS_TIMED_OUT;
    case ARES_ESERVFAIL: return ROCKET_DNS_SERVER_FAILED;
    case ARES_EREFUSED: return ROCKET_DNS_REFUSED;
    case ARES_EFORMERR:
    case ARES_ENOTIMP: return ROCKET_DNS_NOT_SUPPORTED;
    case ARES_EBADRESP: return ROCKET_DNS_MALFORMED;
    case ARES_EBADNAME:
    case ARES_EBADQUERY:
    case ARES_EBADSTR: return ROCKET_DNS_BAD_NAME;
    case ARES_ENOMEM: return ROCKET_DNS_NO_MEMORY;
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION: return ROCKET_DNS_CANCELLED;
    default: break;
    }
    switch (channel->rejected) {
    case 2: return ROCKET_DNS_SERVER_FAILED;
    case 4: return ROCKET_DNS_NOT_SUPPORTED;
    case 5: return ROCKET_DNS_REFUSED;
    default: return ROCKET_DNS_UNREACHABLE;
    }
}

static void query_ended(void *context, int status, int timeouts, unsigned char *bytes, int count) {
    (void)timeouts;
    query *ended = context;
    rocket_dns_channel *channel = ended->channel;
    uint64_t number = ended->number;
    free(ended);
    int has_bytes = bytes != NULL && count > 0;
    int own = has_bytes && status != ARES_ECANCELLED && status != ARES_EDESTRUCTION
                  ? ROCKET_DNS_ANSWERED
                  : status_of(channel, status);
    if (own == ROCKET_DNS_ANSWERED && !has_bytes) own = ROCKET_DNS_MALFORMED;
    channel->callbacks.ended(channel->context, number, own, has_bytes ? bytes : NULL,
                             has_bytes ? (size_t)count : 0);
}

void rocket_dns_query(rocket_dns_channel *channel, const char *name, int type, uint64_t number) {
    channel->rejected = 0;
    query *begun = malloc(sizeof *begun);
    if (begun == NULL) {
        channel->callbacks.ended(channel->context, number, ROCKET_DNS_NO_MEMORY, NULL, 0);
        return;
    }
    begun->channel = channel;
    begun->number = number;
    ares_query(channel->ares, name, 1 /* IN */, type, query_ended, begun);
}

void rocket_dns_ready(rocket_dns_channel *channel, int descriptor, int readable, int writable) {
    channel->rejected = 0;
    ares_process_fd(channel->ares, readable ? descriptor : ARES_SOCKET_BAD,
                    writable ? descriptor : ARES_SOCKET_BAD);
}

void rocket_dns_expire(rocket_dns_channel *channel) {
    channel->rejected = 0;
    ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void rocket_dns_cancel(rocket_dns_channel *channel) { ares_cancel(channel->ares); }

int64_t rocket_dns_wait_us(rocket_dns_channel *channel) {
    struct timeval left;
    if (ares_timeout(channel->ares, NULL, &left) == NULL) return -1;
    return (int64_t)left.tv_sec * 1000000 + left.tv_usec;
}
