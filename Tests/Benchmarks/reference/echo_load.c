// A load for echo servers on this machine: units of 64 bytes, `depth` of them in flight on each
// connection, each one checked when it returns.
// Usage: echo_load PORT PID CONNECTIONS DEPTH MILLISECONDS
// Prints: calls/s, processor time of the server per call (ns), p50, p99 and p99.9 (us), and the
// number of calls.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { UNIT = 64, MOST = 1024 };

struct peer {
    int fd;
    size_t held;                  // bytes of an unfinished unit
    uint64_t next, oldest;        // numbers of units
    uint64_t *began;              // by number, modulo depth
    char partial[UNIT];
};

static uint64_t histogram[64 * 64]; // 64 steps per power of two
static int depth;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void note(uint64_t ns) {
    int power = 63 - __builtin_clzll(ns | 64);
    histogram[power * 64 + (int)((ns >> (power - 6)) & 63)]++;
}

static double percentile(double part) {
    uint64_t total = 0, seen = 0;
    for (int i = 0; i < 64 * 64; i++) total += histogram[i];
    for (int i = 0; i < 64 * 64; i++) {
        seen += histogram[i];
        if ((double)seen >= part * (double)total && histogram[i])
            return (double)((uint64_t)(64 + i % 64) << (i / 64 - 6)) / 1000;
    }
    return 0;
}

static uint64_t processor_time(int pid) { // of all threads, ns
    char path[300];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    uint64_t sum = 0;
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        if (task->d_name[0] == '.') continue;
        unsigned long long ns = 0;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, task->d_name);
        FILE *file = fopen(path, "r");
        if (file && fscanf(file, "%llu", &ns) == 1) sum += ns;
        if (file) fclose(file);
    }
    if (tasks) closedir(tasks);
    return sum;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void start_calls(struct peer *peer, int count) {
    static char out[MOST * UNIT];
    uint64_t time = now();
    for (int i = 0; i < count; i++, peer->next++) {
        memset(out + i * UNIT, (int)(peer->next & 0xff), UNIT);
        memcpy(out + i * UNIT, &peer->next, 8);
        peer->began[peer->next % (uint64_t)depth] = time;
    }
    if (send(peer->fd, out, (size_t)count * UNIT, 0) != count * UNIT) fail("send");
}

static int answered(struct peer *peer) {
    static char in[UNIT + MOST * UNIT];
    memcpy(in, peer->partial, peer->held);
    ssize_t got = recv(peer->fd, in + peer->held, MOST * UNIT, 0);
    if (got <= 0) fail("recv");
    size_t have = peer->held + (size_t)got;
    int count = (int)(have / UNIT);
    uint64_t time = now();
    for (int i = 0; i < count; i++, peer->oldest++) {
        uint64_t number;
        memcpy(&number, in + i * UNIT, 8);
        if (number != peer->oldest || in[i * UNIT + UNIT - 1] != (char)(number & 0xff)) {
            fprintf(stderr, "wrong echo\n");
            exit(1);
        }
        note(time - peer->began[number % (uint64_t)depth]);
    }
    peer->held = have % UNIT;
    memcpy(peer->partial, in + count * UNIT, peer->held);
    return count;
}

static uint64_t run(struct peer *peers, int poller, uint64_t ns) {
    struct epoll_event events[MOST];
    uint64_t done = 0, end = now() + ns;
    while (now() < end) {
        int ready = epoll_wait(poller, events, MOST, 100);
        for (int i = 0; i < ready; i++) {
            struct peer *peer = &peers[events[i].data.u32];
            int count = answered(peer);
            if (count > 0) start_calls(peer, count);
            done += (uint64_t)count;
        }
    }
    return done;
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    int port = atoi(argv[1]), pid = atoi(argv[2]), connections = atoi(argv[3]), on = 1;
    depth = atoi(argv[4]);
    uint64_t ns = strtoull(argv[5], NULL, 10) * 1000000u;
    if (connections < 1 || depth < 1 || depth > MOST) return 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct peer *peers = calloc((size_t)connections, sizeof *peers);
    int poller = epoll_create1(0);
    for (int i = 0; i < connections; i++) {
        peers[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(peers[i].fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
        setsockopt(peers[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        peers[i].began = calloc((size_t)depth, sizeof(uint64_t));
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(poller, EPOLL_CTL_ADD, peers[i].fd, &event);
        start_calls(&peers[i], depth);
    }
    uint64_t all = run(peers, poller, ns / 5); // warm up
    memset(histogram, 0, sizeof histogram);
    uint64_t cpu = processor_time(pid), began = now();
    uint64_t done = run(peers, poller, ns);
    double seconds = (double)(now() - began) / 1e9;
    cpu = processor_time(pid) - cpu;
    printf("%.0f %.1f %.1f %.1f %.1f %llu\n", (double)done / seconds, (double)cpu / (double)done,
           percentile(0.5), percentile(0.99), percentile(0.999),
           (unsigned long long)(all + done));
    return 0;
}
