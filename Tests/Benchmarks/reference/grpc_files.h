// Reads the PEM files of gRPC's TLS.
#ifndef GRPC_FILES_H
#define GRPC_FILES_H

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

// The contents of a file; ends the process if it can't be read. NULL: nothing.
inline std::string contents(const char *path) {
    if (!path) return "";
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    if (!file || text.str().empty()) {
        fprintf(stderr, "%s can't be read\n", path);
        exit(1);
    }
    return text.str();
}

#endif
