// The loop of the reference servers: plain epoll on one thread, one read per readiness, and one
// write for the replies to all whole frames of that read. The including file defines the handler:
//
//   static size_t answer(const char *request, size_t length, char *reply, size_t room);
//
// It returns the number of bytes of the reply. Room is at least REPLY_ROOM and twice the configured
// payload.
// Usage: PROGRAM [--payload BYTES]. Prints its port; exits with status 0 on SIGTERM.
#ifndef TINYPB_SERVER_H
#define TINYPB_SERVER_H

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_ROOM = 256 << 10, REPLY_ROOM = 4096, EVENT_COUNT = 512, SHORTEST = 26 };

struct peer {
    int fd;
    char *in; // an incomplete frame, or NULL
    size_t have, room; // its received bytes, and the size of its buffer
    char *out; // output that did not fit into the socket buffer, or NULL
    size_t waiting, sent;
};

static int poller;
static size_t payload_bytes;
static char *in_room, *out_room;
static size_t out_capacity, out_count;

static size_t answer(const char *request, size_t length, char *reply, size_t room);

static uint32_t get32(const char *from) {
    uint32_t big;
    memcpy(&big, from, 4);
    return be32toh(big);
}

static void put32(char *to, size_t value) {
    uint32_t big = htobe32((uint32_t)value);
    memcpy(to, &big, 4);
}

static char *grown(char *memory, size_t *capacity, size_t needed) {
    if (needed <= *capacity) return memory;
    while (*capacity < needed) *capacity *= 2;
    return (char *)realloc(memory, *capacity);
}

static void drop(struct peer *peer) {
    close(peer->fd);
    free(peer->in);
    free(peer->out);
    free(peer);
}

static void set_interest(struct peer *peer, uint32_t events) {
    struct epoll_event event;
    event.events = events;
    event.data.ptr = peer;
    epoll_ctl(poller, EPOLL_CTL_MOD, peer->fd, &event);
}

// Appends the reply to one whole frame to out_room; -1 for an invalid frame.
static int serve(const char *frame, size_t length) {
    size_t id = get32(frame + 5);
    if (id > length - SHORTEST) return -1;
    size_t method = get32(frame + 9 + id);
    if (method > length - SHORTEST - id) return -1;
    size_t error = get32(frame + 17 + id + method);
    if (error > length - SHORTEST - id - method || frame[length - 1] != 0x03) return -1;
    size_t head = 13 + id + method, at = 21 + id + method;
    size_t room = REPLY_ROOM + 2 * payload_bytes;
    out_room = grown(out_room, &out_capacity, out_count + at + room + 5);
    char *out = out_room + out_count;
    memcpy(out, frame, head); // msg_id and method are echoed
    memset(out + head, 0, 8);
    at += answer(frame + at + error, length - 5 - at - error, out + at, room);
    put32(out + at, 1);
    out[at + 4] = 0x03;
    put32(out + 1, at + 5);
    out_count += at + 5;
    return 0;
}

static int flush(struct peer *peer, const char *bytes, size_t count) {
    size_t done = 0;
    while (done < count) {
        ssize_t n = send(peer->fd, bytes + done, count - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) return -1;
        done += (size_t)n;
    }
    if (done == count) return 0;
    // Stops reading from this peer until the rest has been sent.
    if (count - done > READ_ROOM) { // too much to copy: the peer takes ownership of the buffer
        peer->out = out_room;
        peer->waiting = count;
        peer->sent = done;
        out_room = (char *)malloc(out_capacity);
    } else {
        peer->waiting = count - done;
        peer->sent = 0;
        peer->out = (char *)malloc(peer->waiting);
        memcpy(peer->out, bytes + done, peer->waiting);
    }
    set_interest(peer, EPOLLOUT);
    return 0;
}

static int flush_waiting(struct peer *peer) {
    while (peer->sent < peer->waiting) {
        ssize_t n = send(peer->fd, peer->out + peer->sent, peer->waiting - peer->sent,
                         MSG_NOSIGNAL);
        if (n < 0) return errno == EAGAIN ? 0 : -1;
        peer->sent += (size_t)n;
    }
    free(peer->out);
    peer->out = NULL;
    set_interest(peer, EPOLLIN);
    return 0;
}

// Keeps the beginning of a frame. One that is longer than a read gets a buffer for all of it, so
// that its bytes are not moved again; a shorter one is copied to the front of the next read.
static void keep(struct peer *peer, const char *bytes, size_t have) {
    size_t length = have >= 5 ? get32(bytes + 1) : 0;
    peer->room = length > READ_ROOM ? length : have;
    peer->have = have;
    peer->in = (char *)malloc(peer->room);
    memcpy(peer->in, bytes, have);
}

static int ready(struct peer *peer) {
    char *bytes = in_room, *kept = peer->in;
    size_t have = peer->have, room = 2 * READ_ROOM, at = 0;
    int is_long = peer->room > READ_ROOM;
    if (is_long) bytes = kept, room = peer->room;
    else if (kept) memcpy(in_room, kept, have);
    ssize_t got = recv(peer->fd, bytes + have, room - have, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return -1;
    if (got > 0) have += (size_t)got;
    out_count = 0;
    while (have - at >= 5) {
        size_t length = get32(bytes + at + 1);
        if (bytes[at] != 0x02 || length < SHORTEST || length > 64u << 20) return -1;
        if (have - at < length) break;
        if (serve(bytes + at, length) != 0) return -1;
        at += length;
    }
    if (is_long && at == 0) {
        peer->have = have;
        return 0;
    }
    peer->in = NULL;
    peer->have = peer->room = 0;
    if (at < have) keep(peer, bytes + at, have - at);
    free(kept);
    return flush(peer, out_room, out_count);
}

static void accept_one(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), on = 1;
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct peer *peer = (struct peer *)calloc(1, sizeof *peer);
    peer->fd = fd;
    struct epoll_event event;
    event.events = EPOLLIN;
    event.data.ptr = peer;
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static void terminated(int number) {
    (void)number;
    _exit(0);
}

static int serve_forever(void) {
    signal(SIGTERM, terminated);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 4096) != 0) {
        perror("listen");
        return 1;
    }
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("ready, listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    poller = epoll_create1(0);
    // Keeps freed memory in the process, or every long frame would begin with page faults.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    in_room = (char *)malloc(2 * READ_ROOM);
    out_room = (char *)malloc(out_capacity = 2 * READ_ROOM);
    struct epoll_event events[EVENT_COUNT], event;
    event.events = EPOLLIN;
    event.data.ptr = NULL;
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(poller, events, EVENT_COUNT, -1);
        for (int i = 0; i < count; i++) {
            struct peer *peer = (struct peer *)events[i].data.ptr;
            if (peer == NULL) accept_one(listener);
            else if ((peer->out ? flush_waiting(peer) : ready(peer)) != 0) drop(peer);
        }
    }
}

static void options_parse(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--payload") == 0 && i + 1 < argc) payload_bytes = strtoul(argv[++i], NULL, 10);
        else {
            fprintf(stderr, "usage: %s [--payload BYTES]\n", argv[0]);
            exit(2);
        }
    }
}

#endif
