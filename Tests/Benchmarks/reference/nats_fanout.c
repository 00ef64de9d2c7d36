// Many subscribers of one subject with libnats, in a process of their own, and ten senders beside it:
// the load of chat_load without a chat. Each subscriber checks that it receives the messages of each
// sender once and in order; a message is complete when all have received it.
//
//   --to ADDRESS        of the nats-server
//   --connections N     subscribers
//   --kind KIND         subscriptions: all on one connection; connections: one each; sockets: one
//                       subscription, whose messages are written to a TCP socket for each
//
// libnats calls back on one thread, which costs it least. Start it on core 0: the senders take core 1. Prints the line of load_report.h;
// `server_cpu_us` is the processor time of the subscribers' process.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <nats/nats.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load_report.h"

enum { SENDERS = 10, HEAD = 35, MOST_IN_FLIGHT = 1024 };

// Of both processes.
struct shared {
    struct load_report report;
    uint32_t missing[SENDERS][MOST_IN_FLIGHT];
    atomic_int is_measuring, subscribed;
};

struct subscriber {
    uint32_t next[SENDERS];
};

static struct load_options options;
static struct shared *shared;
static int completed[2]; // a pipe of the indices of senders
static const char subject[] = "bench.fanout";

static void wrong(const char *what) {
    fprintf(stderr, "nats_fanout: %s\n", what);
    exit(1);
}

static void check(natsStatus status) {
    if (status != NATS_OK) wrong(natsStatus_GetText(status));
}

static natsConnection *connect_to_server(void) {
    natsOptions *settings;
    natsConnection *connection;
    char url[64];
    snprintf(url, sizeof url, "nats://127.0.0.1:%d", options.port);
    check(natsOptions_Create(&settings));
    check(natsOptions_SetURL(settings, url));
    check(natsOptions_UseGlobalMessageDelivery(settings, true));
    check(natsOptions_SetMaxPendingMsgs(settings, 1 << 20));
    check(natsConnection_Connect(&connection, settings));
    natsOptions_Destroy(settings);
    return connection;
}

static uint64_t parse(const char *digits, int count) {
    uint64_t value = 0;
    while (count--) value = value * 10 + (uint64_t)(*digits++ - '0');
    return value;
}

static void take(struct subscriber *subscriber, const char *text) {
    int from = (int)parse(text, 2);
    uint32_t number = (uint32_t)parse(text + 3, 10);
    if (from >= SENDERS || number != subscriber->next[from]++) wrong("not the next");
    if (shared->is_measuring) {
        shared->report.calls++;
        record_latency(&shared->report, now_ns() - parse(text + 14, 20));
    }
    if (--shared->missing[from][number % (uint32_t)options.in_flight] == 0) {
        unsigned char byte = (unsigned char)from;
        if (write(completed[1], &byte, 1) != 1) wrong("write");
    }
}

static void on_message(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
                       void *closure) {
    (void)connection;
    (void)subscription;
    if (natsMsg_GetDataLength(message) != options.payload) wrong("wrong length");
    take(closure, natsMsg_GetData(message));
    natsMsg_Destroy(message);
}

static void write_to_all(natsConnection *connection, natsSubscription *subscription,
                         natsMsg *message, void *closure) {
    (void)connection;
    (void)subscription;
    int *sockets = closure;
    const char *data = natsMsg_GetData(message);
    int size = natsMsg_GetDataLength(message);
    for (int i = 0; i < options.connections; i++)
        if (send(sockets[i], data, (size_t)size, MSG_NOSIGNAL) != size) wrong("send");
    natsMsg_Destroy(message);
}

// Receives what the subscription's process writes.
static void receive(struct sockaddr_in address) {
    struct epoll_event events[256];
    int poller = epoll_create1(0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct subscriber *subscribers = calloc((size_t)options.connections, sizeof *subscribers);
    int *sockets = calloc((size_t)options.connections, sizeof *sockets);
    for (int i = 0; i < options.connections; i++) {
        sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(sockets[i], (struct sockaddr *)&address, sizeof address) != 0) wrong("connect");
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(poller, EPOLL_CTL_ADD, sockets[i], &event);
    }
    char *text = malloc(256 << 10);
    for (;;) {
        int ready = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            int index = (int)events[i].data.u32;
            // Whole messages: those that have arrived by half are taken the next time.
            ssize_t size = recv(sockets[index], text, 256 << 10, MSG_PEEK);
            if (size <= 0) exit(0);
            size -= size % options.payload;
            if (size == 0) continue;
            size = recv(sockets[index], text, (size_t)size, 0);
            for (ssize_t at = 0; at < size; at += options.payload) take(&subscribers[index], text + at);
        }
    }
}

static void write_to_sockets(int listener) {
    int *sockets = calloc((size_t)options.connections, sizeof *sockets), one = 1;
    for (int i = 0; i < options.connections; i++) {
        sockets[i] = accept(listener, NULL, NULL);
        if (sockets[i] < 0) wrong("accept");
        setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    natsSubscription *subscription;
    natsConnection *connection = connect_to_server();
    check(natsConnection_Subscribe(&subscription, connection, subject, write_to_all, sockets));
    check(natsConnection_Flush(connection));
}

static void subscribe_all(void) {
    struct subscriber *subscribers = calloc((size_t)options.connections, sizeof *subscribers);
    int is_shared = strcmp(options.kind, "subscriptions") == 0;
    natsConnection *connection = NULL;
    for (int i = 0; i < options.connections; i++) {
        natsSubscription *subscription;
        if (!connection || !is_shared) connection = connect_to_server();
        check(natsConnection_Subscribe(&subscription, connection, subject, on_message,
                                       &subscribers[i]));
        if (!is_shared) check(natsConnection_Flush(connection));
    }
    check(natsConnection_Flush(connection));
}

static void subscribe(int listener) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    check(nats_Open(-1));
    check(nats_SetMessageDeliveryPoolSize(1));
    if (strcmp(options.kind, "sockets") == 0)
        write_to_sockets(listener);
    else
        subscribe_all();
    shared->subscribed = 1;
    for (;;) pause();
}

// `SS NNNNNNNNNN TTTTTTTTTTTTTTTTTTTT ` and padding: sender, number, time.
static void publish(natsConnection *connection, int sender) {
    static uint32_t numbers[SENDERS];
    char text[HEAD + 2], message[64 << 10];
    uint32_t number = numbers[sender]++;
    snprintf(text, sizeof text, "%02d %010u %020llu ", sender, number, (unsigned long long)now_ns());
    memset(message, 'x', (size_t)options.payload);
    memcpy(message, text, HEAD);
    shared->missing[sender][number % (uint32_t)options.in_flight] = (uint32_t)options.connections;
    check(natsConnection_Publish(connection, subject, message, options.payload));
}

static void run(natsConnection *connection, uint64_t until) {
    while (now_ns() < until) {
        unsigned char ready[256];
        ssize_t count = read(completed[0], ready, sizeof ready);
        if (count <= 0) wrong("the subscribers have ended");
        for (ssize_t i = 0; i < count; i++) publish(connection, ready[i]);
    }
}

int main(int argc, char **argv) {
    options_parse(&options, argc, argv);
    if (options.payload < HEAD) options.payload = 64;
    if (options.in_flight > MOST_IN_FLIGHT || options.payload > (64 << 10)) wrong("too much");
    if (!options.kind) options.kind = "subscriptions";
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || pipe(completed) != 0) wrong("no memory or pipe");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 4096) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        wrong("listen");
    pid_t child = fork();
    if (child == 0) subscribe(listener);
    // The subscribers keep the core that this was started on.
    cpu_set_t other;
    CPU_ZERO(&other);
    CPU_SET(1, &other);
    sched_setaffinity(0, sizeof other, &other);
    if (strcmp(options.kind, "sockets") == 0 && fork() == 0) receive(address);
    close(completed[1]);
    while (!shared->subscribed) {
        if (waitpid(child, NULL, WNOHANG) != 0) wrong("the subscribers have ended");
        usleep(10000);
    }
    options.server_pid = child;
    natsConnection *connection = connect_to_server();
    for (int i = 0; i < SENDERS; i++)
        for (int j = 0; j < options.in_flight; j++) publish(connection, i);
    uint64_t length = (uint64_t)(options.seconds * 1e9);
    run(connection, now_ns() + length / 4);
    report_begin(&shared->report, &options);
    shared->is_measuring = 1;
    run(connection, shared->report.began + length);
    report_end(&shared->report, &options);
    shared->is_measuring = 0;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    report_print(&shared->report);
    return 0;
}
