// The reference for RocketTCP's echo: plain C on epoll, one read per readiness, one write for all
// its bytes. Usage: c_echo. Prints its port, serves until standard input ends.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 64 << 10, EVENTS = 512 };

struct peer {
    int fd;
    size_t waiting, sent;
    char *bytes; // output that did not fit into the socket buffer, or NULL
};

static char room[ROOM];
static int poller;

static void drop(struct peer *peer) {
    close(peer->fd);
    free(peer->bytes);
    free(peer);
}

static void set_interest(struct peer *peer, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = peer};
    epoll_ctl(poller, EPOLL_CTL_MOD, peer->fd, &event);
}

static int flush(struct peer *peer) {
    while (peer->sent < peer->waiting) {
        ssize_t n = send(
            peer->fd, peer->bytes + peer->sent, peer->waiting - peer->sent, MSG_NOSIGNAL);
        if (n < 0) return errno == EAGAIN ? 0 : -1;
        peer->sent += (size_t)n;
    }
    free(peer->bytes);
    peer->bytes = NULL;
    peer->waiting = peer->sent = 0;
    set_interest(peer, EPOLLIN);
    return 0;
}

static int echo(struct peer *peer) {
    ssize_t count = recv(peer->fd, room, ROOM, 0);
    if (count < 0) return errno == EAGAIN ? 0 : -1;
    if (count == 0) return -1;
    ssize_t sent = send(peer->fd, room, (size_t)count, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return -1;
    if (sent < 0) sent = 0;
    if (sent == count) return 0;
    peer->waiting = (size_t)(count - sent);
    peer->bytes = malloc(peer->waiting);
    memcpy(peer->bytes, room + sent, peer->waiting);
    set_interest(peer, EPOLLOUT);
    return 0;
}

int main(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 1024) != 0) {
        perror("listen");
        return 1;
    }
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    poller = epoll_create1(0);
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    event.data.ptr = &on; // any other pointer: standard input
    epoll_ctl(poller, EPOLL_CTL_ADD, 0, &event);
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr == &on) return 0;
            struct peer *peer = events[i].data.ptr;
            if (peer != NULL) {
                int result = peer->bytes ? flush(peer) : echo(peer);
                if (result != 0) drop(peer);
                continue;
            }
            int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            if (fd < 0) continue;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            peer = calloc(1, sizeof *peer);
            peer->fd = fd;
            event.data.ptr = peer;
            epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
