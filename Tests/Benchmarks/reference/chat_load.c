// Load for any chat server of the length-field wire on this machine: many clients, the first ten of
// which also speak. Each of those has --in-flight messages under way; one is done when every other
// client has heard it. Checked: every client hears each speaker's messages once and in order.
//
// A delivery is one message heard by one client; its time counts from when the message was meant to
// be written. Prints one line of JSON, `calls` being deliveries; see load_report.h.
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

enum { SPEAKERS = 10, HEAD = 35, EVENTS = 512, READ = 256 << 10 };

struct client {
    int fd;
    size_t have, room;
    char *in;
    int is_present; // it has heard a roll call
    uint32_t next[SPEAKERS];
};

struct speaker {
    uint32_t said;
    uint32_t *left; // by number modulo in_flight: deliveries that are missing
    char *out;
    size_t waiting;
};

static struct load_options options;
static struct load_report report;
static struct client *clients;
static struct speaker speakers[SPEAKERS];
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

// `SS NNNNNNNNNN TTTTTTTTTTTTTTTTTTTT ` and padding: speaker, number, time.
static void say(int index, uint64_t now) {
    struct speaker *speaker = &speakers[index];
    size_t size = 4 + (size_t)options.payload;
    char *to = speaker->out + speaker->waiting;
    uint32_t big = htobe32((uint32_t)options.payload);
    memcpy(to, &big, 4);
    char head[HEAD + 1];
    snprintf(head, sizeof head, "%02d %010u %020llu ", index, speaker->said,
             (unsigned long long)now);
    memcpy(to + 4, head, HEAD);
    memset(to + 4 + HEAD, 'x', size - 4 - HEAD);
    speaker->left[speaker->said % (uint32_t)options.in_flight] = (uint32_t)options.connections - 1;
    speaker->said++;
    speaker->waiting += size;
}

static void flush(int index) {
    struct speaker *speaker = &speakers[index];
    if (speaker->waiting == 0) return;
    ssize_t sent = send(clients[index].fd, speaker->out, speaker->waiting, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) fail("send");
    if (sent <= 0) return;
    memmove(speaker->out, speaker->out + sent, speaker->waiting - (size_t)sent);
    speaker->waiting -= (size_t)sent;
}

static uint64_t number(const char *digits, int count) {
    uint64_t value = 0;
    while (count--) value = value * 10 + (uint64_t)(*digits++ - '0');
    return value;
}

static void heard(int index, const char *text, size_t length, uint64_t now) {
    // After `from: clientN: `.
    const char *end = memchr(text + 6, ':', length < 40 ? length : 40);
    if (memcmp(text, "from: ", 6) != 0 || !end) wrong("heard no message", index);
    const char *own = end + 2;
    if (*own == 'h') {
        absent -= !clients[index].is_present;
        clients[index].is_present = 1;
        return;
    }
    if ((size_t)(text + length - own) != (size_t)options.payload) wrong("wrong length", index);
    int who = (int)number(own, 2);
    uint32_t which = (uint32_t)number(own + 3, 10);
    if (who >= SPEAKERS || which != clients[index].next[who]++) wrong("not the next", index);
    struct speaker *speaker = &speakers[who];
    if (is_measuring) {
        report.calls++;
        note_latency(&report, now - number(own + 14, 20));
    }
    if (--speaker->left[which % (uint32_t)options.in_flight] == 0)
        say(who, now);
}

static void on_readable(int index) {
    struct client *client = &clients[index];
    // What was left of the last read stands before what comes.
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
        heard(index, shared + at + 4, length, now);
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
        if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
        clients[i] = (struct client){.fd = fd, .room = 256, .in = malloc(256)};
    }
}

// The last client says hello until all others have heard it: then they are all in the room.
static void call_roll(void) {
    struct epoll_event events[EVENTS];
    int caller = options.connections - 1;
    absent = caller;
    for (int tries = 0; absent > 0; tries++) {
        if (tries == 50) wrong("nobody let it in", absent);
        if (send(clients[caller].fd, "\0\0\0\5hello", 9, MSG_NOSIGNAL) != 9) fail("send");
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
        for (int i = 0; i < SPEAKERS; i++) flush(i);
    }
}

int main(int argc, char **argv) {
    options_parse(&options, argc, argv);
    if (options.payload < HEAD) options.payload = 64;
    if (options.connections <= SPEAKERS) wrong("too few connections", 0);
    poller = epoll_create1(0);
    shared = malloc(READ + (128 << 10));
    connect_all();
    call_roll();
    uint64_t now = now_ns();
    for (int i = 0; i < SPEAKERS; i++) {
        speakers[i].left = calloc((size_t)options.in_flight, sizeof(uint32_t));
        speakers[i].out = malloc((size_t)options.in_flight * (4 + (size_t)options.payload));
        for (int j = 0; j < options.in_flight; j++) say(i, now);
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
