// A load for gRPC servers on this machine by frames of HTTP/2 that are prepared beforehand, so that
// it costs less than any server. What it sends is what gRPC C++ sends: all fields of a request in
// HPACK's table after the first one, one DATA frame for a message. Checks framing, length and the
// fields of the replies' messages; a reply with an error has no message.
//
//   --kind calls     calls of Order.makeOrder, each followed by the next (default)
//   --kind send      messages to the server, on --in-flight streams of each connection, as fast as
//                    its windows permit
//   --kind receive   messages of the server, on as many streams
//   --kind echo      one message on its way on each stream: its echo is followed by the next
//   --kind idle      connections that have made one call; prints "ready", and waits for the end of
//                    its input
//   --kind hold      as idle, with --in-flight open streams, each after an echo
// --payload: of calls, bytes of goods; of streams, bytes of each message (100).
// --refusals yes: calls without a message in their reply are counted, and not a failure.
// Prints one line of JSON; see load_report.h. Calls are messages, where there are streams.
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

enum { HEAD = 9, FRAME = 16384, EVENTS = 256, FULL = 128 << 10, WINDOW = 4 << 20 };
enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE };
enum { ACK = 1, END_STREAM = 1, END_HEADERS = 4, PADDED = 8 };
enum kind { CALLS, SEND, RECEIVE, ECHO, IDLE, HOLD };

struct slot {
    uint32_t id;    // of its stream; 0: none
    uint64_t began; // 0: nothing is on its way
    size_t got;     // bytes of DATA of the call, or of the message
    size_t unread;  // bytes that the server has no credit for again
    size_t at;      // bytes of the current message that were sent
    int is_owed;    // whether a part of it was not
    int64_t credit;
};

struct peer {
    int fd, wants_room, has_sent_request;
    uint8_t *in, *out;
    size_t have, in_room, waiting, sent, out_room, unread;
    int64_t credit, stream_credit; // stream_credit: what a new stream begins with
    uint32_t next_id;
    struct slot *slots;
    int *slot_of; // by stream id
};

static struct load_options options;
static struct load_report report;
static struct peer *peers;
static enum kind kind;
static int poller, done_slots;
static size_t mask, reply_bytes;
static long begun_calls;
static uint8_t first_block[512], later_block[16], *message;
static size_t first_bytes, later_bytes, message_bytes;
static uint64_t now;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void wrong(const char *what) {
    fprintf(stderr, "wrong reply: %s\n", what);
    exit(1);
}

static void put32(uint8_t *to, uint32_t value) {
    value = htobe32(value);
    memcpy(to, &value, 4);
}

static uint32_t get32(const uint8_t *from) {
    uint32_t value;
    memcpy(&value, from, 4);
    return be32toh(value);
}

static uint8_t *room(struct peer *peer, size_t bytes) {
    if (peer->sent == peer->waiting) peer->sent = peer->waiting = 0;
    while (peer->waiting + bytes > peer->out_room) {
        peer->out_room = peer->out_room ? peer->out_room * 2 : 1024;
        peer->out = realloc(peer->out, peer->out_room);
    }
    peer->waiting += bytes;
    return peer->out + peer->waiting - bytes;
}

static void put_head(uint8_t *to, size_t bytes, int type, int flags, uint32_t id) {
    put32(to, (uint32_t)bytes << 8);
    to[3] = (uint8_t)type;
    to[4] = (uint8_t)flags;
    put32(to + 5, id);
}

static void put_frame(struct peer *peer, int type, int flags, uint32_t id, const void *bytes,
                      size_t count) {
    uint8_t *to = room(peer, HEAD + count);
    put_head(to, count, type, flags, id);
    memcpy(to + HEAD, bytes, count);
}

static void put_window(struct peer *peer, uint32_t id, size_t bytes) {
    uint8_t more[4];
    put32(more, (uint32_t)bytes);
    put_frame(peer, WINDOW_UPDATE, 0, id, more, 4);
}

// A field of a request, for the table: `name` NULL and the number of a static name, or a name.
static void field(int number, const char *name, const char *value) {
    uint8_t *to = first_block + first_bytes;
    *to++ = (uint8_t)(0x40 | number);
    for (const char *text = number ? value : name; text; text = text == name ? value : NULL) {
        size_t length = strlen(text); // below 127
        *to++ = (uint8_t)length;
        memcpy(to, text, length);
        to += length;
    }
    first_bytes = (size_t)(to - first_block);
}

static void build_blocks(const char *path) {
    char authority[32];
    snprintf(authority, sizeof authority, "127.0.0.1:%d", options.port);
    first_block[first_bytes++] = 0x80 | 3; // :method POST
    first_block[first_bytes++] = 0x80 | 6; // :scheme http
    field(4, NULL, path);
    field(1, NULL, authority);
    field(31, NULL, "application/grpc");
    field(58, NULL, "grpc-c++/1.51.1 grpc-c/29.0.0 (linux; chttp2)");
    field(0, "te", "trailers");
    field(0, "grpc-accept-encoding", "identity, deflate, gzip");
    later_block[later_bytes++] = 0x80 | 3;
    later_block[later_bytes++] = 0x80 | 6;
    for (int number = 67; number >= 62; number--) later_block[later_bytes++] = (uint8_t)(0x80 | number);
}

static size_t put_varint(uint8_t *to, uint64_t value) {
    size_t n = 0;
    for (; value > 127; value >>= 7) to[n++] = (uint8_t)(value | 128);
    to[n++] = (uint8_t)value;
    return n;
}

static void build_message(void) {
    int is_call = kind == CALLS || kind == IDLE;
    size_t body = options.payload > 0 ? (size_t)options.payload : is_call ? 5 : 100, at = 5;
    message = calloc(1, body + 32);
    if (is_call) {
        memcpy(message + at, "\x08\x64", 2); // price 100
        message[at + 2] = 0x12;
        at += 3 + put_varint(message + at + 3, body);
        memset(message + at, 'a', body);
        if (options.payload == 0) memcpy(message + at, "apple", 5);
        at += body;
    } else if (kind == RECEIVE) {
        message[at] = 0x10; // Flood.bytes
        at += 1 + put_varint(message + at + 1, body);
        uint8_t length[10];
        reply_bytes = 5 + 1 + put_varint(length, body) + body;
    } else {
        message[at] = 0x0a;
        at += 1 + put_varint(message + at + 1, body);
        memset(message + at, 'a', body);
        at += body;
        reply_bytes = at;
    }
    put32(message + 1, (uint32_t)at - 5);
    message_bytes = at;
}

// Sends of the slot's message what the credit permits. Returns whether it was sent as a whole.
static int put_message(struct peer *peer, struct slot *slot, int flags) {
    while (slot->at < message_bytes) {
        int64_t bytes = (int64_t)(message_bytes - slot->at);
        if (bytes > FRAME) bytes = FRAME;
        if (bytes > peer->credit) bytes = peer->credit;
        if (bytes > slot->credit) bytes = slot->credit;
        if (bytes <= 0) return 0;
        int is_last = slot->at + (size_t)bytes == message_bytes;
        put_frame(peer, DATA, is_last ? flags : 0, slot->id, message + slot->at, (size_t)bytes);
        slot->at += (size_t)bytes;
        peer->credit -= bytes;
        slot->credit -= bytes;
    }
    slot->at = 0;
    return 1;
}

static void put_request(struct peer *peer, int number) {
    struct slot *slot = &peer->slots[number];
    int *entry = &peer->slot_of[(peer->next_id >> 1) & mask];
    if (*entry >= 0) wrong("none to an old request");
    *entry = number;
    *slot = (struct slot){.id = peer->next_id, .credit = peer->stream_credit};
    peer->next_id += 2;
    put_frame(peer, HEADERS, END_HEADERS, slot->id, peer->has_sent_request ? later_block : first_block,
              peer->has_sent_request ? later_bytes : first_bytes);
    peer->has_sent_request = 1;
}

// Begins the next call or message of the slot, or goes on with it.
static void advance(struct peer *peer, int number) {
    struct slot *slot = &peer->slots[number];
    if (kind == SEND) {
        while (peer->waiting - peer->sent < FULL && put_message(peer, slot, 0)) report.calls++;
        return;
    }
    if (slot->began == 0) {
        if (options.calls && begun_calls >= options.calls) return;
        begun_calls++;
        if (kind == CALLS || kind == IDLE) put_request(peer, number);
        slot->began = now;
    } else if (!slot->is_owed) {
        return;
    }
    slot->is_owed = !put_message(peer, slot, kind == ECHO || kind == HOLD ? 0 : END_STREAM);
}

static void advance_all(struct peer *peer) {
    for (int i = 0; i < options.in_flight; i++)
        if (kind == SEND ? peer->slots[i].id != 0 : peer->slots[i].is_owed) advance(peer, i);
}

static void completed(struct peer *peer, int number) {
    struct slot *slot = &peer->slots[number];
    record_latency(&report, now - slot->began);
    report.calls++;
    slot->began = slot->got = 0;
    done_slots++;
    if (kind == CALLS || kind == ECHO) advance(peer, number);
}

static void take_data(struct peer *peer, uint32_t id, const uint8_t *bytes, size_t count, int number) {
    struct slot *slot = &peer->slots[number];
    peer->unread += count;
    if (peer->unread > WINDOW / 2) {
        put_window(peer, 0, peer->unread);
        peer->unread = 0;
    }
    if (kind == CALLS || kind == IDLE) {
        if (slot->got == 0 && (count < 9 || memcmp(bytes + 5, "\x12\x02OK", 4) != 0))
            wrong("its message");
        slot->got += count;
        return;
    }
    slot->unread += count;
    if (slot->unread > WINDOW / 4) {
        put_window(peer, id, slot->unread);
        slot->unread = 0;
    }
    if (slot->got == 0 && bytes[0] != 0) wrong("a compressed message");
    slot->got += count;
    if (kind == RECEIVE) {
        report.calls += slot->got / reply_bytes;
        slot->got %= reply_bytes;
    } else if (slot->got == reply_bytes) {
        completed(peer, number);
    } else if (slot->got > reply_bytes) {
        wrong("a longer message");
    }
}

static void take_settings(struct peer *peer, const uint8_t *bytes, size_t count) {
    for (; count >= 6; bytes += 6, count -= 6) {
        if (bytes[0] != 0 || bytes[1] != 4) continue; // INITIAL_WINDOW_SIZE
        int64_t credit = get32(bytes + 2);
        for (int i = 0; i < options.in_flight; i++)
            peer->slots[i].credit += credit - peer->stream_credit;
        peer->stream_credit = credit;
    }
    put_frame(peer, SETTINGS, ACK, 0, "", 0);
    advance_all(peer);
}

static void take(struct peer *peer, int type, int flags, uint32_t id, const uint8_t *bytes,
                 size_t count) {
    int number = id ? peer->slot_of[(id >> 1) & mask] : -1;
    if (number >= 0 && peer->slots[number].id != id) number = -1;
    switch (type) {
    case DATA:
        if (flags & PADDED || number < 0) wrong("a stray or padded DATA frame");
        if (count > 0) take_data(peer, id, bytes, count, number);
        break;
    case HEADERS:
        if (number < 0) wrong("stray HEADERS");
        if (!(flags & END_STREAM)) break;
        if (kind != CALLS && kind != IDLE) wrong("the end of a stream");
        peer->slot_of[(id >> 1) & mask] = -1;
        if (options.refusals && peer->slots[number].got == 0) {
            report.refused++;
            completed(peer, number);
            break;
        }
        if (reply_bytes == 0) reply_bytes = peer->slots[number].got;
        if (reply_bytes < 9 || peer->slots[number].got != reply_bytes) wrong("its size");
        completed(peer, number);
        break;
    case RST_STREAM: wrong("RST_STREAM");
    // fallthrough
    case GOAWAY: wrong("GOAWAY");
    // fallthrough
    case SETTINGS:
        if (!(flags & ACK)) take_settings(peer, bytes, count);
        break;
    case PING:
        if (!(flags & ACK)) put_frame(peer, PING, ACK, 0, bytes, count);
        break;
    case WINDOW_UPDATE:
        if (id == 0) peer->credit += get32(bytes);
        else if (number >= 0) peer->slots[number].credit += get32(bytes);
        advance_all(peer);
        break;
    }
}

static void set_interest(struct peer *peer, int wants_room) {
    if (peer->wants_room == wants_room) return;
    peer->wants_room = wants_room;
    struct epoll_event event = {.events = wants_room ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                .data.ptr = peer};
    epoll_ctl(poller, EPOLL_CTL_MOD, peer->fd, &event);
}

static void flush(struct peer *peer) {
    for (;;) {
        while (peer->sent < peer->waiting) {
            ssize_t n = send(peer->fd, peer->out + peer->sent, peer->waiting - peer->sent,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n < 0 && errno == EAGAIN) return set_interest(peer, 1);
            if (n < 0) fail("send");
            peer->sent += (size_t)n;
        }
        if (kind == SEND) advance_all(peer); // there is room again
        if (peer->sent == peer->waiting) break;
    }
    set_interest(peer, 0);
}

static void receive(struct peer *peer) {
    ssize_t got = recv(peer->fd, peer->in + peer->have, peer->in_room - peer->have, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) fail("recv");
    peer->have += (size_t)got;
    size_t at = 0;
    while (peer->have - at >= HEAD) {
        const uint8_t *head = peer->in + at;
        size_t count = get32(head) >> 8;
        if (count > FRAME) wrong("a frame of more than 16,384 bytes");
        if (peer->have - at < HEAD + count) break;
        take(peer, head[3], head[4], get32(head + 5), head + HEAD, count);
        at += HEAD + count;
    }
    memmove(peer->in, peer->in + at, peer->have - at);
    peer->have -= at;
}

static void open_peer(struct peer *peer) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    *peer = (struct peer){.credit = 65535, .stream_credit = 65535, .next_id = 1};
    peer->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (peer->fd < 0 || connect(peer->fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("connect");
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    peer->in_room = options.connections > 1000 ? FRAME + HEAD : 256 << 10;
    peer->in = malloc(peer->in_room);
    peer->slots = calloc((size_t)options.in_flight, sizeof *peer->slots);
    peer->slot_of = malloc((mask + 1) * sizeof *peer->slot_of);
    for (size_t i = 0; i <= mask; i++) peer->slot_of[i] = -1;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    epoll_ctl(poller, EPOLL_CTL_ADD, peer->fd, &event);
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    memcpy(room(peer, sizeof preface - 1), preface, sizeof preface - 1);
    uint8_t settings[12] = {0, 2, 0, 0, 0, 0, 0, 4}; // no PUSH, INITIAL_WINDOW_SIZE
    put32(settings + 8, WINDOW);
    put_frame(peer, SETTINGS, 0, 0, settings, sizeof settings);
    put_window(peer, 0, WINDOW - 65535);
    for (int i = 0; i < options.in_flight; i++) {
        if (kind == CALLS || kind == IDLE) {
            advance(peer, i);
            continue;
        }
        put_request(peer, i);
        if (kind != RECEIVE) advance(peer, i);
        else if (!put_message(peer, &peer->slots[i], END_STREAM)) wrong("its window");
    }
    flush(peer);
}

// Returns whether the end of the input, or of the time, or of the calls, was reached.
static int turn(int milliseconds) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, milliseconds);
    now = now_ns();
    for (int i = 0; i < count; i++) {
        struct peer *peer = events[i].data.ptr;
        if (!peer) return 1;
        if (events[i].events & ~(uint32_t)EPOLLOUT) receive(peer);
        flush(peer);
    }
    return 0;
}

static void run(double seconds) {
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
    while (now_ns() < end) turn(10);
}

int main(int argc, char **argv) {
    static const char *kinds[] = {"calls", "send", "receive", "echo", "idle", "hold"};
    static const char *methods[] = {"/Order/makeOrder", "/rocket.bench.Streams/Send",
                                    "/rocket.bench.Streams/Receive", "/rocket.bench.Streams/Echo",
                                    "/Order/makeOrder", "/rocket.bench.Streams/Echo"};
    options_parse(&options, argc, argv);
    while (options.kind && kind <= HOLD && strcmp(kinds[kind], options.kind) != 0) kind++;
    if (kind > HOLD) {
        fprintf(stderr, "%s: --kind is calls, send, receive, echo, idle or hold\n", argv[0]);
        return 2;
    }
    build_blocks(methods[kind]);
    build_message();
    for (mask = 63; mask < (size_t)options.in_flight * 16; mask = mask * 2 + 1) {}
    poller = epoll_create1(0);
    peers = calloc((size_t)options.connections, sizeof *peers);
    now = now_ns();
    int is_idle = kind == IDLE || kind == HOLD;
    for (int i = 0; i < options.connections; i++) {
        open_peer(&peers[i]);
        // So that the backlog of the server never overflows.
        while (is_idle && done_slots < i * options.in_flight) turn(1000);
    }
    if (is_idle) {
        while (done_slots < options.connections * options.in_flight) turn(1000);
        struct epoll_event input = {.events = EPOLLIN};
        epoll_ctl(poller, EPOLL_CTL_ADD, 0, &input);
        printf("ready\n");
        fflush(stdout);
        while (!turn(1000)) {}
        return 0;
    }
    if (options.calls) {
        report_begin(&report, &options);
        while (report.calls < (uint64_t)options.calls) turn(1000);
    } else {
        run(options.seconds * 0.2);
        report_begin(&report, &options);
        run(options.seconds);
    }
    report_end(&report, &options);
    report_print(&report);
}
