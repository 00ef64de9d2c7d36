#define _GNU_SOURCE
#include "rocket_dns.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef union {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
} address;

static socklen_t flatten(const rocket_dns_address *from, address *to) {
    memset(to, 0, sizeof *to);
    // A port of 0 is refused by some systems; nothing is sent to it.
    uint16_t port = htons(from->port ? from->port : 53);
    if (!from->is_ipv6) {
        to->ipv4.sin_family = AF_INET;
        to->ipv4.sin_port = port;
        to->ipv4.sin_addr.s_addr = htonl(from->ipv4);
        return sizeof to->ipv4;
    }
    to->ipv6.sin6_family = AF_INET6;
    to->ipv6.sin6_port = port;
    to->ipv6.sin6_scope_id = from->scope;
    for (int index = 0; index < 8; index++) {
        to->ipv6.sin6_addr.s6_addr[index] = (uint8_t)(from->ipv6_high >> (56 - 8 * index));
        to->ipv6.sin6_addr.s6_addr[8 + index] = (uint8_t)(from->ipv6_low >> (56 - 8 * index));
    }
    return sizeof to->ipv6;
}

int rocket_dns_source(const rocket_dns_address *to, rocket_dns_address *source) {
    address flat;
    socklen_t size = flatten(to, &flat);
    int descriptor = socket(flat.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    int result = connect(descriptor, &flat.any, size);
    if (result == 0) {
        size = sizeof flat;
        result = getsockname(descriptor, &flat.any, &size);
    }
    (void)close(descriptor);
    if (result != 0) return -1;
    memset(source, 0, sizeof *source);
    if (flat.any.sa_family == AF_INET) {
        source->ipv4 = ntohl(flat.ipv4.sin_addr.s_addr);
        return 0;
    }
    source->is_ipv6 = 1;
    for (int index = 0; index < 8; index++) {
        source->ipv6_high = source->ipv6_high << 8 | flat.ipv6.sin6_addr.s6_addr[index];
        source->ipv6_low = source->ipv6_low << 8 | flat.ipv6.sin6_addr.s6_addr[8 + index];
    }
    return 0;
}

rocket_dns_stamp rocket_dns_file_stamp(const char *path) {
    rocket_dns_stamp stamp = {0, 0, 0, 0};
    struct stat status;
    if (stat(path, &status) != 0) return stamp;
    stamp.device = (uint64_t)status.st_dev;
    stamp.inode = (uint64_t)status.st_ino;
    stamp.size = (uint64_t)status.st_size;
    // Of the inode, not of the contents: no program can set it.
    stamp.changed_ns = (int64_t)status.st_ctim.tv_sec * 1000000000 + status.st_ctim.tv_nsec;
    return stamp;
}
