// Idle, short-lived and misbehaving peers of an echo server.
// Usage: odd_peers PORT KIND COUNT
//   idle     COUNT connections without traffic; prints "ready", and waits for the end of its input
//   quiet    like idle, after an echo of 64 bytes
//   cycle    COUNT times: connect, an echo of 64 bytes, close; prints connections/s
//   stalled  COUNT connections that send and never read, until its input ends; connects again when
//            the server closes one, as for slow
//   slow     COUNT connections that send without a pause and read 1 KiB per millisecond, until its
//            input ends
//   trickle  COUNT connections that send one byte at a time, until its input ends
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in address;

static int reach(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("connect");
        exit(1);
    }
    return fd;
}

static void pour(int *fd, const char *bytes, size_t count) {
    if (send(*fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 || errno == EAGAIN) return;
    close(*fd);
    *fd = reach();
}

static int input_ended(int milliseconds) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    return poll(&input, 1, milliseconds) > 0;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int count = atoi(argv[3]);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    char bytes[65536] = {0};
    if (strcmp(argv[2], "cycle") == 0) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < count; i++) {
            int fd = reach();
            ssize_t got = 0, more;
            if (send(fd, bytes, 64, 0) != 64) return 1;
            while (got < 64 && (more = recv(fd, bytes, 64, 0)) > 0) got += more;
            if (got != 64) return 1;
            // Resets rather than closes, or 100,000 ports would stay in TIME_WAIT.
            struct linger now = {1, 0};
            if (i % 8) setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
            close(fd);
        }
        clock_gettime(CLOCK_MONOTONIC, &to);
        printf("%.0f\n", count / ((double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9));
        return 0;
    }
    int *fds = calloc((size_t)count, sizeof *fds);
    for (int i = 0; i < count; i++) fds[i] = reach();
    if (strcmp(argv[2], "quiet") == 0)
        for (int i = 0; i < count; i++)
            if (send(fds[i], bytes, 64, 0) != 64 || recv(fds[i], bytes, 64, MSG_WAITALL) != 64) return 1;
    printf("ready\n");
    fflush(stdout);
    if (strcmp(argv[2], "idle") == 0 || strcmp(argv[2], "quiet") == 0) while (!input_ended(1000)) {}
    if (strcmp(argv[2], "trickle") == 0)
        while (!input_ended(1))
            for (int i = 0; i < count; i++) send(fds[i], bytes, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (strcmp(argv[2], "stalled") == 0)
        while (!input_ended(1))
            for (int i = 0; i < count; i++) pour(&fds[i], bytes, sizeof bytes);
    if (strcmp(argv[2], "slow") == 0)
        while (!input_ended(1))
            for (int i = 0; i < count; i++) {
                pour(&fds[i], bytes, sizeof bytes);
                recv(fds[i], bytes, 1024, MSG_DONTWAIT);
            }
    return 0;
}
