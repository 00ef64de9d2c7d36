/* stall PID THREAD: stops one thread of a process for as long as the process lives. It acts like a
   stuck loop and needs no hook in the program under test.

   Prints "stalled" once the thread is stopped. Exits when the process has exited. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static int thread_named(const char *pid, const char *name) {
    char path[300], comm[64];
    snprintf(path, sizeof path, "/proc/%s/task", pid);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        snprintf(path, sizeof path, "/proc/%s/task/%s/comm", pid, entry->d_name);
        FILE *file = fopen(path, "re");
        if (!file) continue;
        int found = fgets(comm, sizeof comm, file) && !strcmp(strtok(comm, "\n"), name);
        fclose(file);
        if (found) return atoi(entry->d_name);
    }
    return 0;
}

int main(int count, char **words) {
    int status, thread = count == 3 ? thread_named(words[1], words[2]) : 0;
    if (!thread) return fprintf(stderr, "stall: no such thread\n"), 2;
    if (ptrace(PTRACE_SEIZE, thread, 0, 0) || ptrace(PTRACE_INTERRUPT, thread, 0, 0) ||
        waitpid(thread, &status, __WALL) != thread)
        return perror("stall"), 1;
    puts("stalled");
    fflush(stdout);
    /* A traced thread has to be waited for, or the process could not exit. */
    while (waitpid(thread, &status, __WALL) == thread && !WIFEXITED(status) && !WIFSIGNALED(status)) {}
    return 0;
}
