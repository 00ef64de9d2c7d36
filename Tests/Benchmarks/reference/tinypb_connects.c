// Connections to a TinyPB server on this machine: connect, handshake, one call of Order.makeOrder,
// close; --connections of them at the same time, one after the other.
//
//   --kind full      each with a handshake of its own (default); plain without --tls-ca
//   --kind resumed   each but the first of a place resumes the session of the one before it
//   --kind hold      no close: --connections in all, 8 at the same time until their replies; then
//                    prints "ready", and holds them until its input ends
//
// Latency is that from connect to reply. Prints one line of JSON as tinypb_load does, where a call
// is a connection; see load_report.h. With --calls N: N connections.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load_report.h"
#include "tls_client.h"

enum phase { HANDSHAKE, WAITING, HELD };

struct place {
    int fd;
    SSL *ssl;
    SSL_SESSION *session; // of the connection before, with `resumed`
    enum phase phase;
    uint64_t began;
    char reply[256];
    size_t have;
};

static const char request[] = "\x02\0\0\0\x3a\0\0\0\x08" "99998888\0\0\0\x0fOrder.makeOrder"
                              "\0\0\0\0\0\0\0\0\x08\x64\x12\x05" "apple\0\0\0\x01\x03";
static struct load_options options;
static struct load_report report;
static SSL_CTX *context;
static struct place *places;
static int poller, is_resumed, is_held, held;
static long begun;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void begin(struct place *place) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    begun++;
    place->began = now_ns();
    place->have = 0;
    place->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (place->fd < 0) fail("socket");
    if (connect(place->fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)
        fail("connect");
    setsockopt(place->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    place->phase = HANDSHAKE;
    if (context) {
        place->ssl = tls_session(context, &options, place->fd);
        if (place->session) SSL_set_session(place->ssl, place->session);
    }
    // The first event is that the connection can be written to.
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = place};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, place->fd, &event) != 0) fail("epoll_ctl");
}

static void end(struct place *place) {
    if (place->ssl) {
        if (is_resumed) {
            if (place->session && !SSL_session_reused(place->ssl)) {
                fprintf(stderr, "a session was not resumed\n");
                exit(1);
            }
            SSL_SESSION_free(place->session);
            place->session = SSL_get1_session(place->ssl);
        }
        SSL_shutdown(place->ssl);
        SSL_free(place->ssl);
        place->ssl = NULL;
    }
    close(place->fd);
}

// Goes on as far as the socket allows; 1 when the reply is complete.
static int step(struct place *place) {
    if (place->phase == HELD) return 0;
    if (place->phase == HANDSHAKE) {
        if (place->ssl) {
            ERR_clear_error();
            int code = SSL_do_handshake(place->ssl);
            if (code != 1 && tls_result(place->ssl, code, 0) <= 0) {
                if (errno == EAGAIN) return 0;
                tls_fail("handshake");
            }
        }
        ssize_t sent = peer_send(place->ssl, place->fd, request, sizeof request - 1);
        if (sent < 0 && errno == EAGAIN) return 0; // a plain connection that is not made yet
        if (sent != (ssize_t)sizeof request - 1) fail("send");
        place->phase = WAITING;
    }
    for (;;) {
        ssize_t got = peer_recv(place->ssl, place->fd, place->reply + place->have,
                                sizeof place->reply - place->have);
        if (got < 0 && errno == EAGAIN) return 0;
        if (got <= 0) fail("recv");
        place->have += (size_t)got;
        uint32_t length = 0;
        if (place->have >= 5) memcpy(&length, place->reply + 1, 4);
        length = be32toh(length);
        if (place->have < 5 || place->have < length) continue;
        if (place->reply[0] != 2 || !memmem(place->reply, length, "\x12\x02OK", 4)) {
            fprintf(stderr, "wrong reply\n");
            exit(1);
        }
        return 1;
    }
}

static void run(uint64_t duration) {
    struct epoll_event events[256];
    uint64_t end_ns = now_ns() + duration;
    while (options.calls ? (long)report.calls < options.calls : now_ns() < end_ns) {
        int ready = epoll_wait(poller, events, 256, 100);
        for (int i = 0; i < ready; i++) {
            struct place *place = events[i].data.ptr;
            if (!step(place)) continue;
            record_latency(&report, now_ns() - place->began);
            report.calls++;
            if (is_held) {
                place->phase = HELD;
                held++;
                if (begun < options.connections) begin(&places[begun]);
                continue;
            }
            end(place);
            if (!options.calls || begun < options.calls) begin(place);
        }
        if (is_held && held == options.connections) return;
    }
}

int main(int argc, char **argv) {
    options_parse(&options, argc, argv);
    if (options.kind) {
        is_resumed = strcmp(options.kind, "resumed") == 0;
        is_held = strcmp(options.kind, "hold") == 0;
        if (!is_resumed && !is_held && strcmp(options.kind, "full") != 0) {
            fprintf(stderr, "--kind is full, resumed or hold\n");
            return 2;
        }
    }
    if (is_held) options.calls = options.connections;
    context = tls_context(&options);
    poller = epoll_create1(0);
    places = calloc((size_t)options.connections, sizeof *places);
    report_begin(&report, &options);
    int first = is_held && options.connections > 8 ? 8 : options.connections;
    for (int i = 0; i < first && (!options.calls || begun < options.calls); i++) begin(&places[i]);
    if (!options.calls) {
        run((uint64_t)(options.seconds * 0.2 * 1e9)); // warm up
        report_begin(&report, &options);
    }
    run((uint64_t)(options.seconds * 1e9));
    report_end(&report, &options);
    if (is_held) {
        printf("ready\n");
        fflush(stdout);
        char byte;
        while (read(0, &byte, 1) > 0) {}
        return 0;
    }
    report_print(&report);
    return 0;
}
