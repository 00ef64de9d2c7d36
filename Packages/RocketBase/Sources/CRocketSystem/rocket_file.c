#define _GNU_SOURCE
#include "rocket_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int rocket_rename_new(const char *path, const char *other) {
    return renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_NOREPLACE);
}

int rocket_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
