import Glibc

/// What a program does that is stopped and continued by its terminal or by a shell (job control).
extension Signals {
    /// Sends a signal to all processes of the own process group, as the terminal does for Ctrl-Z.
    public static func sendToProcessGroup(_ signal: Signal) { kill(0, signal.rawValue) }

    /// Restores the default disposition of `signal` in the process and performs it: ends the
    /// process, so that its parent sees the signal as the cause, or stops all of its threads.
    ///
    /// Returns when the process is continued. Also at once for a signal that stops, if no shell
    /// could continue the process (an orphaned process group); then SIGCONT is not pending. The
    /// calling thread blocks the same signals as before.
    public static func performDefault(_ signal: Signal) {
        var set = sigset_t()
        var former = sigset_t()
        Glibc.signal(signal.rawValue, SIG_DFL)
        // SAFETY: the calls read and fill these two sets.
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, signal.rawValue)
        // Raised while blocked: if the process has got the same signal, both are pending, and one
        // SIGCONT discards both. One after the other they would stop the process twice.
        unsafe pthread_sigmask(SIG_BLOCK, &set, &former)
        _ = Glibc.raise(signal.rawValue)
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
        unsafe pthread_sigmask(SIG_SETMASK, &former, nil)
    }

    /// Returns whether `signal` has been sent to the process or the calling thread, which block it,
    /// and was not read yet.
    public static func isPending(_ signal: Signal) -> Bool {
        var set = sigset_t()
        // SAFETY: the calls fill and read this set.
        unsafe sigpending(&set)
        return unsafe sigismember(&set, signal.rawValue) == 1
    }
}

extension Terminal {
    /// Whether the process may read from the terminal on standard input and change its mode: it is
    /// not in the background. True if standard input is not the terminal that controls the process.
    public static var isForeground: Bool {
        let group = tcgetpgrp(STDIN_FILENO)
        return group < 0 || group == getpgrp()
    }
}
