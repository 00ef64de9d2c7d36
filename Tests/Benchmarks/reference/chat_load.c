// A load for chat servers of the length-field wire format on this machine: many clients, the first
// ten of which send. Each sender has --in-flight messages in flight; one is complete when every
// other client has received it. Checks that every client receives the messages of each sender once
// and in order.
//
// A delivery is one message received by one client; its latency counts from when the message was
// enqueued. With --senders-to the first ten are clients of another server of the same room, and only
// what the clients of the first server receive is counted. Prints one line of JSON, in which `calls` are deliveries; see load_report.h.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load_report.h"

enum { SENDERS = 10, HEAD = 35, EVENTS = 512, READ = 256 << 10 };

struct client {
    int fd;
    size_t have, room;
    char *in;
    int is_present; // it has received a probe
    uint32_t next[SENDERS];
};

struct sender {
    uint32_t number;   // of the next message
    uint32_t *missing; // by number modulo in_flight: outstanding deliveries
    char *out;
    size_t waiting;
};

static struct load_options options;
static struct load_report report;
static struct client *clients;
static struct sender senders[SENDERS];
static int poller, is_measuring, absent;
static char *shared;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void wrong(const char *what, int client) {
    fprintf(stderr, "chat_load: client %d: %s\n", client, what);
    exit(1);
}

// `SS NNNNNNNNNN TTTTTTTTTTTTTTTTTTTT ` and padding: sender, number, time.
static void enqueue(int index, uint64_t now) {
    struct sender *sender = &senders[index];
    size_t size = 4 + (size_t)options.payload;
    char *to = sender->out + sender->waiting;
    uint32_t big = htobe32((uint32_t)options.payload);
    memcpy(to, &big, 4);
    char head[HEAD + 1];
    snprintf(head, sizeof head, "%02d %010u %020llu ", index, sender->number,
             (unsigned long long)now);
    memcpy(to + 4, head, HEAD);
    memset(to + 4 + HEAD, 'x', size - 4 - HEAD);
    uint32_t receivers = (uint32_t)options.connections - 1;
    sender->missing[sender->number % (uint32_t)options.in_flight] = receivers;
    sender->number++;
    sender->waiting += size;
}

static void flush(int index) {
    struct sender *sender = &senders[index];
    if (sender->waiting == 0) return;
    ssize_t sent = send(clients[index].fd, sender->out, sender->waiting, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) fail("send");
    if (sent <= 0) return;
    memmove(sender->out, sender->out + sent, sender->waiting - (size_t)sent);
    sender->waiting -= (size_t)sent;
}

static uint64_t parse(const char *digits, int count) {
    uint64_t value = 0;
    while (count--) value = value * 10 + (uint64_t)(*digits++ - '0');
    return value;
}

static void on_message(int index, const char *text, size_t length, uint64_t now) {
    // After `from: clientN: `.
    const char *end = memchr(text + 6, ':', length < 40 ? length : 40);
    if (memcmp(text, "from: ", 6) != 0 || !end) wrong("received an invalid message", index);
    const char *own = end + 2;
    if (*own == 'h') {
        absent -= !clients[index].is_present;
        clients[index].is_present = 1;
        return;
    }
    if ((size_t)(text + length - own) != (size_t)options.payload) wrong("wrong length", index);
    int from = (int)parse(own, 2);
    uint32_t number = (uint32_t)parse(own + 3, 10);
    if (from >= SENDERS || number != clients[index].next[from]++) wrong("not the next", index);
    struct sender *sender = &senders[from];
    if (is_measuring && (!options.senders_port || index >= SENDERS)) {
        report.calls++;
        record_latency(&report, now - parse(own + 14, 20));
    }
    if (--sender->missing[number % (uint32_t)options.in_flight] == 0)
        enqueue(from, now);
}

static void on_readable(int index) {
    struct client *client = &clients[index];
    // Copies the incomplete message of the last read to the front.
    memcpy(shared, client->in, client->have);
    ssize_t got = recv(client->fd, shared + client->have, READ, 0);
    if (got == 0) wrong("the server closed", index);
    if (got < 0) {
        if (errno == EAGAIN) return;
        fail("recv");
    }
    uint64_t now = now_ns();
    size_t have = client->have + (size_t)got, at = 0;
    while (have - at >= 4) {
        uint32_t big;
        memcpy(&big, shared + at, 4);
        size_t length = be32toh(big);
        if (have - at - 4 < length) break;
        on_message(index, shared + at + 4, length, now);
        at += 4 + length;
    }
    client->have = have - at;
    if (client->have > client->room) client->in = realloc(client->in, client->room = client->have);
    memcpy(client->in, shared + at, client->have);
}

static void connect_all(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    clients = calloc((size_t)options.connections, sizeof *clients);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)options.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < options.connections; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
        if (fd < 0) fail("socket");
        if (i < SENDERS && options.senders_port)
            address.sin_port = htons((uint16_t)options.senders_port);
        else
            address.sin_port = htons((uint16_t)options.port);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
        clients[i] = (struct client){.fd = fd, .room = 256, .in = malloc(256)};
    }
}

// The last client sends probes until all others have received one: then all are in the room.
static void wait_for_room(void) {
    struct epoll_event events[EVENTS];
    int prober = options.connections - 1;
    absent = prober;
    for (int tries = 0; absent > 0; tries++) {
        if (tries == 50) wrong("clients are missing in the room", absent);
        if (send(clients[prober].fd, "\0\0\0\5hello", 9, MSG_NOSIGNAL) != 9) fail("send");
        int ready;
        while (absent > 0 && (ready = epoll_wait(poller, events, EVENTS, 200)) > 0)
            for (int i = 0; i < ready; i++) on_readable((int)events[i].data.u32);
    }
}

static void run(uint64_t until) {
    struct epoll_event events[EVENTS];
    while (now_ns() < until) {
        int ready = epoll_wait(poller, events, EVENTS, 100);
        for (int i = 0; i < ready; i++) on_readable((int)events[i].data.u32);
        for (int i = 0; i < SENDERS; i++) flush(i);
    }
}

int main(int argc, char **argv) {
    options_parse(&options, argc, argv);
    if (options.payload < HEAD) options.payload = 64;
    if (options.connections <= SENDERS) wrong("too few connections", 0);
    poller = epoll_create1(0);
    shared = malloc(READ + (128 << 10));
    connect_all();
    wait_for_room();
    uint64_t now = now_ns();
    for (int i = 0; i < SENDERS; i++) {
        senders[i].missing = calloc((size_t)options.in_flight, sizeof(uint32_t));
        senders[i].out = malloc((size_t)options.in_flight * (4 + (size_t)options.payload));
        for (int j = 0; j < options.in_flight; j++) enqueue(i, now);
        flush(i);
    }
    uint64_t length = (uint64_t)(options.seconds * 1e9);
    run(now + length / 4);
    report_begin(&report, &options);
    is_measuring = 1;
    run(report.began + length);
    report_end(&report, &options);
    report_print(&report);
    return 0;
}
