#define _GNU_SOURCE
#include "rocket_dns_test.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in loopback(uint16_t port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int rocket_dns_test_open(uint16_t port) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    struct sockaddr_in address = loopback(port);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return descriptor;
    (void)close(descriptor);
    return -1;
}

ptrdiff_t rocket_dns_test_receive(int descriptor, uint8_t *bytes, size_t count, uint16_t *port) {
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    ssize_t received = recvfrom(descriptor, bytes, count, 0, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    return received;
}

void rocket_dns_test_send(int descriptor, const uint8_t *bytes, size_t count, uint16_t port) {
    struct sockaddr_in address = loopback(port);
    (void)sendto(descriptor, bytes, count, MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof address);
}
