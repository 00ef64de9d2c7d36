// Shared by the servers of all peers: the option, the order id, and the line for which scripts
// wait.
#ifndef PEER_SERVER_H
#define PEER_SERVER_H

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>

// `--payload BYTES`: the length of order_id; "20230514" without it.
inline std::string order_id_of(int argc, char **argv) {
    std::string digits = "20230514", id;
    size_t count = 8;
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--payload") == 0) count = strtoul(argv[i + 1], nullptr, 10);
    while (id.size() < count) id += digits;
    id.resize(count);
    return id;
}

// `--buffer-hint 1`: messages of a stream may wait for those after them, as gRPC calls it.
inline bool has_buffer_hint(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--buffer-hint") == 0) return strcmp(argv[i + 1], "1") == 0;
    return false;
}

inline void announce(int port) {
    signal(SIGTERM, [](int) { _exit(0); });
    printf("ready, listening on 127.0.0.1:%d\n", port);
    fflush(stdout);
}

#endif
