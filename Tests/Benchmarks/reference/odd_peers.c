// Peers of an echo server that don't behave, or only come and go.
// Usage: odd_peers PORT KIND COUNT
//   idle     COUNT connections that say nothing; says "ready" and stays until its input ends
//   cycle    COUNT times: connect, 64 bytes there and back, close; prints connections/s
//   deaf     COUNT connections that send without ever reading, until the server closes them
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
            // Reset rather than close: else 100,000 ports would wait out their time.
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
    printf("ready\n");
    fflush(stdout);
    if (strcmp(argv[2], "idle") == 0) while (!input_ended(1000)) {}
    if (strcmp(argv[2], "trickle") == 0)
        while (!input_ended(1))
            for (int i = 0; i < count; i++) send(fds[i], bytes, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (strcmp(argv[2], "deaf") == 0)
        while (!input_ended(1))
            for (int i = 0; i < count; i++)
                send(fds[i], bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    return 0;
}
