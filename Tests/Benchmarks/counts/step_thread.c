// Runs one thread of another process instruction by instruction, and writes for each of them the
// registers before it: what its memory operands need. Says "stepping" on its output when it has begun.
// After the end of its input it lets the thread run on, at the next instruction: one that waits in the
// kernel has to be woken for that.
//
//   step_thread THREAD FILE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

// In the order of their numbers in instructions.
struct step {
    uint64_t ip, ax, cx, dx, bx, sp, bp, si, di, r8, r9, r10, r11, r12, r13, r14, r15, fs;
};

static void check(long result, const char *what) {
    if (result != -1) return;
    perror(what);
    exit(1);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    pid_t thread = (pid_t)atoi(argv[1]);
    FILE *file = fopen(argv[2], "wb");
    if (!file) check(-1, argv[2]);
    check(ptrace(PTRACE_SEIZE, thread, 0, 0), "PTRACE_SEIZE");
    check(ptrace(PTRACE_INTERRUPT, thread, 0, 0), "PTRACE_INTERRUPT");
    fcntl(0, F_SETFL, O_NONBLOCK);
    int status, announced = 0;
    long steps = 0;
    char byte;
    for (;;) {
        check(waitpid(thread, &status, __WALL), "waitpid");
        if (!WIFSTOPPED(status)) return 1;
        if (!announced) puts("stepping"), fflush(stdout), announced = 1;
        struct user_regs_struct r;
        check(ptrace(PTRACE_GETREGS, thread, 0, &r), "PTRACE_GETREGS");
        struct step step = {r.rip, r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi, r.r8,
                            r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.fs_base};
        fwrite(&step, sizeof step, 1, file);
        // Not behind each instruction: a system call more would double the time.
        if (++steps % 64 == 0 && read(0, &byte, 1) == 0) break;
        check(ptrace(PTRACE_SINGLESTEP, thread, 0, 0), "PTRACE_SINGLESTEP");
    }
    check(ptrace(PTRACE_DETACH, thread, 0, 0), "PTRACE_DETACH");
    return fclose(file) == 0 ? 0 : 1;
}
