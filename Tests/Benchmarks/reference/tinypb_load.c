// A load for TinyPB servers on this machine: calls of Order.makeOrder, many in flight on each
// connection. Checks framing, msg_id, res_info and length of each reply.
//
// Closed loop by default: each reply is followed by the next call. With --rate it is an open loop:
// calls begin at fixed times whatever the server does, and latency counts from those times. With
// --slow-percent that percentage of calls has price 5, for which `--handler slow` takes 5 ms; they
// are counted, and excluded from the latencies.
// With --tls-ca over TLS, by OpenSSL.
// Prints one line of JSON; see load_report.h.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load_report.h"
#include "tls_client.h"

enum { ID = 20, IDS_AT = 9, EVENTS = 256, BATCH = 64 << 10, LONG = 32 << 10 };
static const char method[] = "Order.makeOrder";

struct peer {
    int fd;
    SSL *ssl; // NULL: plain
    char *in, *out;
    size_t have, in_room, waiting, sent, out_room;
    uint64_t *began; // by slot: when it was due
    char *is_slow;   // by slot
    int *idle, idles; // slots without a call in flight
    int *queue, first; // slots whose long frame has not been sent yet, in their order
    int wants_room;
};

static struct load_options options;
static struct load_report report;
static struct peer *peers;
static SSL_CTX *context; // NULL: plain
static int poller;
static char *frame; // a request; its id and price are filled in
static size_t frame_bytes, price_at;
static size_t reply_bytes; // of all replies; 0 until the first
static long begun_calls;   // in all

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static size_t put_varint(char *to, uint64_t value) {
    size_t n = 0;
    for (; value > 127; value >>= 7) to[n++] = (char)(value | 128);
    to[n++] = (char)value;
    return n;
}

static void put32(char *to, size_t value) {
    uint32_t big = htobe32((uint32_t)value);
    memcpy(to, &big, 4);
}

static uint32_t get32(const char *from) {
    uint32_t big;
    memcpy(&big, from, 4);
    return be32toh(big);
}

static void build_frame(void) {
    size_t goods = options.payload > 0 ? (size_t)options.payload : 5, at = 0;
    frame = calloc(1, goods + 128);
    frame[at] = 0x02;
    put32(frame + 5, ID);
    put32(frame + IDS_AT + ID, sizeof method - 1);
    memcpy(frame + IDS_AT + ID + 4, method, sizeof method - 1);
    at = IDS_AT + ID + 4 + sizeof method - 1 + 8; // err_code and err_info_len are 0
    frame[at++] = 0x08;
    price_at = at;
    frame[at++] = 100;
    frame[at++] = 0x12;
    at += put_varint(frame + at, goods);
    memset(frame + at, 'a', goods);
    if (options.payload == 0) memcpy(frame + at, "apple", 5);
    at += goods;
    put32(frame + at, 1);
    frame[at + 4] = 0x03;
    frame_bytes = at + 5;
    put32(frame + 1, frame_bytes);
}

static void set_interest(struct peer *peer, int room) {
    if (peer->wants_room == room) return;
    peer->wants_room = room;
    struct epoll_event event = {.events = room ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = peer};
    epoll_ctl(poller, EPOLL_CTL_MOD, peer->fd, &event);
}

static void stamp(char *to, const struct peer *peer, int slot) {
    memset(to + IDS_AT, '0', ID);
    for (int i = ID - 1, rest = slot; rest > 0; rest /= 10) to[IDS_AT + i--] = (char)('0' + rest % 10);
    to[price_at] = peer->is_slow[slot] ? 5 : 100;
}

// Sends a long frame in place, with its own id, without a copy: this client has to be faster than
// any server.
static ssize_t send_long(struct peer *peer) {
    size_t at = peer->sent % frame_bytes;
    int slot = peer->queue[(peer->first + (int)(peer->sent / frame_bytes)) % options.in_flight];
    stamp(frame, peer, slot);
    return peer_send(peer->ssl, peer->fd, frame + at, frame_bytes - at);
}

static void flush(struct peer *peer) {
    while (peer->sent < peer->waiting) {
        ssize_t n = frame_bytes > LONG ? send_long(peer)
                                       : peer_send(peer->ssl, peer->fd, peer->out + peer->sent,
                                                   peer->waiting - peer->sent);
        if (n < 0 && errno == EAGAIN) return set_interest(peer, 1);
        if (n < 0) fail("send");
        peer->sent += (size_t)n;
    }
    peer->sent = peer->waiting = 0;
    peer->first = 0;
    set_interest(peer, 0);
}

static void put_out(struct peer *peer, int slot) {
    if (frame_bytes > LONG) {
        // Removes the frames that were sent, so that the queue has room for all slots.
        size_t gone = peer->sent / frame_bytes;
        peer->first = (peer->first + (int)gone) % options.in_flight;
        peer->sent -= gone * frame_bytes;
        peer->waiting -= gone * frame_bytes;
        size_t last = (size_t)peer->first + peer->waiting / frame_bytes;
        peer->queue[last % (size_t)options.in_flight] = slot;
        peer->waiting += frame_bytes;
        return;
    }
    if (peer->waiting + frame_bytes > peer->out_room) {
        if (peer->sent > 0) {
            memmove(peer->out, peer->out + peer->sent, peer->waiting - peer->sent);
            peer->waiting -= peer->sent;
            peer->sent = 0;
        }
        while (peer->waiting + frame_bytes > peer->out_room) peer->out_room *= 2;
        peer->out = realloc(peer->out, peer->out_room);
    }
    memcpy(peer->out + peer->waiting, frame, frame_bytes);
    stamp(peer->out + peer->waiting, peer, slot);
    peer->waiting += frame_bytes;
}

static void start_call(struct peer *peer, uint64_t begins) {
    static double slow_sum;
    if (options.calls && begun_calls >= options.calls) return;
    begun_calls++;
    int slot = peer->idle[--peer->idles];
    slow_sum += options.slow_percent / 100;
    peer->is_slow[slot] = slow_sum >= 1;
    if (slow_sum >= 1) slow_sum -= 1;
    peer->began[slot] = begins;
    put_out(peer, slot);
}

static void wrong(const char *what) {
    fprintf(stderr, "wrong reply: %s\n", what);
    exit(1);
}

// Checks a whole reply, and completes its call.
static void take(struct peer *peer, const char *reply, size_t length, uint64_t now) {
    if (get32(reply + 5) != ID) wrong("length of its msg_id");
    int slot = 0;
    for (int i = 0; i < ID; i++) slot = slot * 10 + reply[IDS_AT + i] - '0';
    if (slot < 0 || slot >= options.in_flight || peer->began[slot] == 0) wrong("its msg_id");
    size_t at = IDS_AT + ID + 4 + get32(reply + IDS_AT + ID);
    if (at + 13 > length || reply[length - 1] != 0x03) wrong("its lengths");
    int refused = get32(reply + at) != 0;
    if (refused && !options.refusals) wrong("an error");
    size_t message = at + 8 + get32(reply + at + 4), order_id = (size_t)options.payload;
    if (!refused) {
        if (message + 10 + order_id > length || memcmp(reply + message, "\x12\x02OK\x1a", 5) != 0)
            wrong("its message");
        if (reply_bytes == 0) reply_bytes = length;
        if (length != reply_bytes) wrong("its size differs from the others'");
    }
    if (refused) report.refused++;
    else if (peer->is_slow[slot]) report.slow++;
    else record_latency(&report, now - peer->began[slot]);
    report.calls++;
    peer->began[slot] = 0;
    peer->idle[peer->idles++] = slot;
}

// Returns the number of replies; -1 if nothing has arrived.
static int receive(struct peer *peer) {
    ssize_t got = peer_recv(peer->ssl, peer->fd, peer->in + peer->have,
                            peer->in_room - peer->have);
    if (got < 0 && errno == EAGAIN) return -1;
    if (got <= 0) fail("recv");
    peer->have += (size_t)got;
    size_t at = 0;
    int count = 0;
    uint64_t now = now_ns();
    while (peer->have - at >= 5) {
        size_t length = get32(peer->in + at + 1);
        if (peer->in[at] != 0x02 || length < 46) wrong("its head");
        if (length > peer->in_room) {
            memmove(peer->in, peer->in + at, peer->have - at);
            peer->have -= at;
            at = 0;
            while (length > peer->in_room) peer->in_room *= 2;
            peer->in = realloc(peer->in, peer->in_room);
        }
        if (peer->have - at < length) break;
        take(peer, peer->in + at, length, now);
        at += length;
        count++;
    }
    memmove(peer->in, peer->in + at, peer->have - at);
    peer->have -= at;
    return count;
}

static void run(uint64_t duration) {
    struct epoll_event events[EVENTS];
    uint64_t start = now_ns(), end = start + duration, begun = 0, now = start;
    int next = 0;
    while (options.calls ? (long)report.calls < options.calls : now < end) {
        int ready = epoll_wait(poller, events, EVENTS, options.rate > 0 ? 0 : 100);
        for (int i = 0; i < ready; i++) {
            struct peer *peer = events[i].data.ptr;
            int count = 0, more;
            if (events[i].events & EPOLLIN) {
                // OpenSSL keeps what it has read, one record after the other.
                do {
                    more = receive(peer);
                    if (more > 0) count += more;
                } while (more >= 0 && peer->ssl && SSL_has_pending(peer->ssl));
            }
            if (options.rate == 0 && count > 0) {
                uint64_t begins = now_ns();
                while (count-- > 0) start_call(peer, begins);
            }
            flush(peer);
        }
        now = now_ns();
        if (options.rate == 0) continue;
        // Begins all calls that are due. If no slot is free a call begins late, and its latency
        // counts from when it was due.
        int blocked = 0;
        while (blocked < options.connections) {
            uint64_t due = due_ns(&options, start, begun);
            if (due > now) break;
            struct peer *peer = &peers[next];
            next = (next + 1) % options.connections;
            if (peer->idles == 0) {
                blocked++;
                continue;
            }
            blocked = 0;
            start_call(peer, due);
            begun++;
        }
        for (int i = 0; i < options.connections; i++)
            if (peers[i].waiting > 0 && !peers[i].wants_room) flush(&peers[i]);
    }
}

static void reach(struct peer *peer) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    peer->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(peer->fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (context) {
        peer->ssl = tls_session(context, &options, peer->fd);
        if (SSL_do_handshake(peer->ssl) != 1) tls_fail("handshake");
    }
    fcntl(peer->fd, F_SETFL, O_NONBLOCK);
    peer->in = malloc(peer->in_room = BATCH);
    peer->out = malloc(peer->out_room = BATCH);
    peer->began = calloc((size_t)options.in_flight, sizeof *peer->began);
    peer->is_slow = calloc((size_t)options.in_flight, 1);
    peer->idle = calloc((size_t)options.in_flight, sizeof *peer->idle);
    peer->queue = calloc((size_t)options.in_flight, sizeof *peer->queue);
    while (peer->idles < options.in_flight) {
        peer->idle[peer->idles] = options.in_flight - 1 - peer->idles;
        peer->idles++;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    epoll_ctl(poller, EPOLL_CTL_ADD, peer->fd, &event);
}

int main(int argc, char **argv) {
    options_parse(&options, argc, argv);
    build_frame();
    context = tls_context(&options);
    poller = epoll_create1(0);
    peers = calloc((size_t)options.connections, sizeof *peers);
    for (int i = 0; i < options.connections; i++) {
        reach(&peers[i]);
        for (int n = 0; options.rate == 0 && n < options.in_flight; n++) start_call(&peers[i], now_ns());
        flush(&peers[i]);
    }
    if (!options.calls) run((uint64_t)(options.seconds * 0.2 * 1e9)); // warm up
    report_begin(&report, &options);
    run((uint64_t)(options.seconds * 1e9));
    report_end(&report, &options);
    report_print(&report);
    return 0;
}
