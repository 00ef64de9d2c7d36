// The reference for chat_server: a chat server of the same wire format on libevent, with one loop
// and one bufferevent per session like LibeventMiniChat. Each message is encoded once and written
// to every other session.
//
// With --batch all messages of one read are written to each session at once, which LibeventMiniChat
// does not do: the same design, tuned.
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 64 << 10, SINGLE = 256 << 10 };

struct session {
    struct bufferevent *io;
    char prefix[40];
    size_t prefix_bytes;
    size_t slot;
};

static struct session **sessions;
static size_t count, room, names;
static int batches;
static char *out;
static size_t filled, out_room;

static void leave(struct session *session) {
    sessions[session->slot] = sessions[--count];
    sessions[session->slot]->slot = session->slot;
    bufferevent_free(session->io);
    free(session);
}

static void broadcast(struct session *from) {
    for (size_t i = 0; filled && i < count; i++)
        if (sessions[i] != from) bufferevent_write(sessions[i]->io, out, filled);
    filled = 0;
}

static void on_read(struct bufferevent *io, void *context) {
    struct session *from = context;
    struct evbuffer *input = bufferevent_get_input(io);
    uint32_t big;
    while (evbuffer_copyout(input, &big, 4) == 4) {
        size_t length = ntohl(big);
        if (length > LIMIT) {
            broadcast(from);
            return leave(from);
        }
        if (evbuffer_get_length(input) < 4 + length) break;
        size_t whole = 4 + from->prefix_bytes + length;
        if (filled + whole > out_room) out = realloc(out, out_room = 2 * (filled + whole));
        big = htonl((uint32_t)(whole - 4));
        memcpy(out + filled, &big, 4);
        memcpy(out + filled + 4, from->prefix, from->prefix_bytes);
        evbuffer_drain(input, 4);
        evbuffer_remove(input, out + filled + 4 + from->prefix_bytes, length);
        filled += whole;
        if (!batches) broadcast(from);
    }
    broadcast(from);
}

static void on_event(struct bufferevent *io, short what, void *context) {
    (void)io;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) leave(context);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
                      int length, void *context) {
    (void)listener, (void)peer, (void)length;
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct session *session = calloc(1, sizeof *session);
    session->io = bufferevent_socket_new(context, fd, BEV_OPT_CLOSE_ON_FREE);
    session->prefix_bytes = (size_t)snprintf(session->prefix, sizeof session->prefix,
                                             "from: client%zu: ", ++names);
    bufferevent_set_max_single_read(session->io, SINGLE);
    bufferevent_set_max_single_write(session->io, SINGLE);
    bufferevent_setcb(session->io, on_read, 0, on_event, session);
    bufferevent_enable(session->io, EV_READ | EV_WRITE);
    if (count == room) sessions = realloc(sessions, (room = room * 2 + 64) * sizeof *sessions);
    session->slot = count;
    sessions[count++] = session;
}

static void on_signal(evutil_socket_t signal, short what, void *context) {
    (void)signal, (void)what;
    event_base_loopbreak(context);
}

int main(int argc, char **argv) {
    batches = argc > 1 && strcmp(argv[1], "--batch") == 0;
    signal(SIGPIPE, SIG_IGN);
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    struct event_base *base = event_base_new_with_config(config);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct evconnlistener *listener = evconnlistener_new_bind(
        base, on_accept, base, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 1024,
        (struct sockaddr *)&address, sizeof address);
    if (!listener) return 1;
    socklen_t length = sizeof address;
    getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&address, &length);
    event_add(evsignal_new(base, SIGTERM, on_signal, base), 0);
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    event_base_dispatch(base);
    return 0;
}
