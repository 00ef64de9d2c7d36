#define _GNU_SOURCE
#include "rocket_process.h"
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

int64_t rocket_open_descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) return -1;
    int64_t count = 0;
    struct dirent *entry;
    errno = 0;
    while ((entry = readdir(directory)) != NULL) count += entry->d_name[0] != '.';
    int error = errno; // closedir may change it
    closedir(directory);
    if (error != 0) return errno = error, -1;
    return count - 1; // without the descriptor of the directory itself
}

int64_t rocket_resident_bytes(void) {
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) return -1;
    long long total, resident;
    errno = 0;
    int count = fscanf(file, "%lld %lld", &total, &resident);
    int error = errno ? errno : EIO; // fclose may change it
    fclose(file);
    if (count != 2) return errno = error, -1;
    return resident * sysconf(_SC_PAGESIZE);
}

int64_t rocket_heap_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return (int64_t)(info.uordblks + info.hblkhd);
}

int rocket_trim_heap(void) { return malloc_trim(0); }

void rocket_keep_freed_memory(int kept_bytes) {
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, kept_bytes);
}

int64_t rocket_descriptor_limit(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (int64_t)limit.rlim_cur : -1;
}

int rocket_set_descriptor_limit(int64_t wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    limit.rlim_cur = (rlim_t)wanted < limit.rlim_max ? (rlim_t)wanted : limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

int64_t rocket_processor_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

const char *rocket_errno_name(int number) { return strerrorname_np(number); }
const char *rocket_errno_text(int number) { return strerrordesc_np(number); }
