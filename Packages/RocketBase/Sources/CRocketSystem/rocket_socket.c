#define _GNU_SOURCE
#include "rocket_socket.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un un;
    struct sockaddr_storage storage;
} system_address;

static uint64_t load_big(const uint8_t *bytes) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
    return value;
}

static void store_big(uint64_t value, uint8_t *bytes) {
    for (int i = 7; i >= 0; i--, value >>= 8) bytes[i] = (uint8_t)value;
}

static int to_system(const struct rocket_address *in, system_address *out, socklen_t *length) {
    memset(out, 0, sizeof *out);
    switch (in->family) {
    case ROCKET_FAMILY_IPV4:
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(in->port);
        out->v4.sin_addr.s_addr = htonl(in->ipv4);
        *length = sizeof out->v4;
        return 0;
    case ROCKET_FAMILY_IPV6:
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(in->port);
        out->v6.sin6_scope_id = in->scope;
        store_big(in->ipv6_high, out->v6.sin6_addr.s6_addr);
        store_big(in->ipv6_low, out->v6.sin6_addr.s6_addr + 8);
        *length = sizeof out->v6;
        return 0;
    case ROCKET_FAMILY_UNIX:
    case ROCKET_FAMILY_ABSTRACT: {
        int abstract = in->family == ROCKET_FAMILY_ABSTRACT;
        if (in->path_bytes == 0 || in->path_bytes > ROCKET_UNIX_PATH_BYTES) {
            errno = in->path_bytes == 0 ? EINVAL : ENAMETOOLONG;
            return -1;
        }
        out->un.sun_family = AF_UNIX;
        memcpy(out->un.sun_path + abstract, in->path, in->path_bytes);
        *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + in->path_bytes + 1);
        return 0;
    }
    }
    errno = EAFNOSUPPORT;
    return -1;
}

static void from_system(const system_address *in, socklen_t length, struct rocket_address *out) {
    memset(out, 0, sizeof *out);
    if (length < sizeof in->any.sa_family) return;
    if (in->any.sa_family == AF_INET) {
        out->family = ROCKET_FAMILY_IPV4;
        out->port = ntohs(in->v4.sin_port);
        out->ipv4 = ntohl(in->v4.sin_addr.s_addr);
    } else if (in->any.sa_family == AF_INET6) {
        out->family = ROCKET_FAMILY_IPV6;
        out->port = ntohs(in->v6.sin6_port);
        out->scope = in->v6.sin6_scope_id;
        out->ipv6_high = load_big(in->v6.sin6_addr.s6_addr);
        out->ipv6_low = load_big(in->v6.sin6_addr.s6_addr + 8);
    } else if (in->any.sa_family == AF_UNIX) {
        size_t bytes = length - offsetof(struct sockaddr_un, sun_path);
        if (length <= offsetof(struct sockaddr_un, sun_path)) return;
        if (bytes > sizeof in->un.sun_path) bytes = sizeof in->un.sun_path;
        int abstract = in->un.sun_path[0] == 0;
        out->family = abstract ? ROCKET_FAMILY_ABSTRACT : ROCKET_FAMILY_UNIX;
        const char *start = in->un.sun_path + abstract;
        bytes -= (size_t)abstract;
        // A path ends at its NUL, and so does an abstract name set by to_system.
        bytes = strnlen(start, bytes);
        memcpy(out->path, start, bytes);
        out->path_bytes = (uint16_t)bytes;
        if (bytes == 0) out->family = ROCKET_FAMILY_UNNAMED;
    }
}

int rocket_socket(int family) {
    int domain = family == ROCKET_FAMILY_IPV4 ? AF_INET
        : family == ROCKET_FAMILY_IPV6       ? AF_INET6
                                             : AF_UNIX;
    return socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int rocket_bind(int fd, const struct rocket_address *address) {
    system_address system;
    socklen_t length;
    if (to_system(address, &system, &length) != 0) return -1;
    return bind(fd, &system.any, length);
}

int rocket_connect(int fd, const struct rocket_address *address) {
    system_address system;
    socklen_t length;
    if (to_system(address, &system, &length) != 0) return -1;
    int result;
    do result = connect(fd, &system.any, length);
    while (result != 0 && errno == EINTR);
    return result;
}

int rocket_accept(int fd, struct rocket_address *peer) {
    system_address system;
    socklen_t length = sizeof system;
    int accepted;
    do {
        length = sizeof system;
        accepted = accept4(fd, &system.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (accepted < 0 && errno == EINTR);
    if (accepted >= 0) from_system(&system, length, peer);
    return accepted;
}

int rocket_local_address(int fd, struct rocket_address *address) {
    system_address system;
    socklen_t length = sizeof system;
    if (getsockname(fd, &system.any, &length) != 0) return -1;
    from_system(&system, length, address);
    return 0;
}

int rocket_peer_address(int fd, struct rocket_address *address) {
    system_address system;
    socklen_t length = sizeof system;
    if (getpeername(fd, &system.any, &length) != 0) return -1;
    from_system(&system, length, address);
    return 0;
}

int rocket_socket_pair(int fds[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
}

static int option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value);
}

int rocket_listening_family(int fd) {
    int type = 0, listens = 0, domain = 0;
    socklen_t length = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0) return -1;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0) return -1;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0) return -1;
    errno = EINVAL;
    if (type != SOCK_STREAM || !listens) return -1;
    if (domain == AF_INET) return ROCKET_FAMILY_IPV4;
    if (domain == AF_INET6) return ROCKET_FAMILY_IPV6;
    return domain == AF_UNIX ? ROCKET_FAMILY_UNIX : -1;
}

int rocket_set_nonblocking_cloexec(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return -1;
    return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int rocket_set_reuse_address(int fd, int on) { return option(fd, SOL_SOCKET, SO_REUSEADDR, on); }
int rocket_set_reuse_port(int fd, int on) { return option(fd, SOL_SOCKET, SO_REUSEPORT, on); }
int rocket_set_ipv6_only(int fd, int on) { return option(fd, IPPROTO_IPV6, IPV6_V6ONLY, on); }
int rocket_set_no_delay(int fd, int on) { return option(fd, IPPROTO_TCP, TCP_NODELAY, on); }

int rocket_set_user_timeout(int fd, int milliseconds) {
    return option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, milliseconds);
}

int rocket_set_keepalive(int fd, int idle_seconds, int interval_seconds, int probes) {
    if (option(fd, SOL_SOCKET, SO_KEEPALIVE, 1) != 0) return -1;
    if (option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle_seconds) != 0) return -1;
    if (option(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval_seconds) != 0) return -1;
    return option(fd, IPPROTO_TCP, TCP_KEEPCNT, probes);
}

int rocket_set_buffer_bytes(int fd, int send_bytes, int receive_bytes) {
    if (send_bytes > 0 && option(fd, SOL_SOCKET, SO_SNDBUF, send_bytes) != 0) return -1;
    if (receive_bytes > 0 && option(fd, SOL_SOCKET, SO_RCVBUF, receive_bytes) != 0) return -1;
    return 0;
}

int rocket_set_reset_on_close(int fd) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

int rocket_socket_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return -1;
    return error;
}

int rocket_peer_credentials(int fd, struct rocket_credentials *out) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return -1;
    out->pid = credentials.pid;
    out->uid = credentials.uid;
    out->gid = credentials.gid;
    return 0;
}

ssize_t rocket_receive(int fd, void *bytes, size_t count) {
    ssize_t result;
    do result = recv(fd, bytes, count, 0);
    while (result < 0 && errno == EINTR);
    return result;
}

ssize_t rocket_send(int fd, const void *bytes, size_t count) {
    ssize_t result;
    do result = send(fd, bytes, count, MSG_NOSIGNAL);
    while (result < 0 && errno == EINTR);
    return result;
}

_Static_assert(sizeof(struct rocket_slice) == sizeof(struct iovec), "a slice is an iovec");
_Static_assert(offsetof(struct rocket_slice, count) == offsetof(struct iovec, iov_len), "iovec");

ssize_t rocket_send_slices(int fd, const struct rocket_slice *slices, int count) {
    struct msghdr header = {.msg_iov = (struct iovec *)slices, .msg_iovlen = (size_t)count};
    ssize_t result;
    do result = sendmsg(fd, &header, MSG_NOSIGNAL);
    while (result < 0 && errno == EINTR);
    return result;
}

int rocket_parse_ipv4(const char *text, uint32_t *bits) {
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1) return -1;
    *bits = ntohl(address.s_addr);
    return 0;
}

int rocket_parse_ipv6(const char *text, uint64_t *high, uint64_t *low) {
    struct in6_addr address;
    if (inet_pton(AF_INET6, text, &address) != 1) return -1;
    *high = load_big(address.s6_addr);
    *low = load_big(address.s6_addr + 8);
    return 0;
}

void rocket_print_ipv4(uint32_t bits, char *text) {
    struct in_addr address = {.s_addr = htonl(bits)};
    inet_ntop(AF_INET, &address, text, INET6_ADDRSTRLEN);
}

void rocket_print_ipv6(uint64_t high, uint64_t low, char *text) {
    struct in6_addr address;
    store_big(high, address.s6_addr);
    store_big(low, address.s6_addr + 8);
    inet_ntop(AF_INET6, &address, text, INET6_ADDRSTRLEN);
}

unsigned rocket_interface_index(const char *name) { return if_nametoindex(name); }

int rocket_look_up(
    const char *host, uint16_t port, struct rocket_address *out, int capacity, int *count) {
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    hints.ai_flags = AI_NUMERICSERV;
    *count = 0;
    int code = getaddrinfo(host, service, &hints, &list);
    if (code != 0) return code;
    for (struct addrinfo *i = list; i != NULL && *count < capacity; i = i->ai_next) {
        if (i->ai_family != AF_INET && i->ai_family != AF_INET6) continue;
        system_address system;
        memcpy(&system, i->ai_addr, i->ai_addrlen);
        from_system(&system, i->ai_addrlen, &out[(*count)++]);
    }
    freeaddrinfo(list);
    return 0;
}

const char *rocket_look_up_text(int code) { return gai_strerror(code); }

int rocket_look_up_is_system_error(int code) { return code == EAI_SYSTEM; }

int rocket_look_up_is_unknown_name(int code) {
    return code == EAI_NONAME || code == EAI_NODATA;
}

int rocket_path_is_socket(const char *path) {
    struct stat status;
    if (lstat(path, &status) != 0) return -1;
    return S_ISSOCK(status.st_mode) ? 1 : 0;
}

int rocket_path_identity(const char *path, uint64_t *device, uint64_t *inode) {
    struct stat status;
    if (lstat(path, &status) != 0) return -1;
    *device = (uint64_t)status.st_dev;
    *inode = (uint64_t)status.st_ino;
    return 0;
}

int rocket_open_folder(const char *path) {
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int rocket_try_lock(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }

int rocket_remove_path(const char *path) { return unlink(path); }
int rocket_path_mode(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 ? (int)(status.st_mode & 07777) : -1;
}

int rocket_set_path_mode(const char *path, unsigned mode) { return chmod(path, mode); }
int rocket_open_null(void) { return open("/dev/null", O_RDONLY | O_CLOEXEC); }
