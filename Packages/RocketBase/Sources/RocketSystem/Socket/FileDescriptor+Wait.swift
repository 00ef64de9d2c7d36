import Glibc

extension FileDescriptor {
    /// Blocks the thread until there is something to read or the stream has ended (poll(2)): for
    /// tools and tests, never on a loop.
    ///
    /// - Returns: false when `limit` passed first.
    /// - Throws: `SystemError`.
    public borrowing func waitUntilReadable(atMost limit: Duration) throws(SystemError) -> Bool {
        var request = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(clamping: limit.wholeNanoseconds / 1_000_000)
        while true {
            // SAFETY: one pollfd, as the count says.
            let count = unsafe poll(&request, 1, milliseconds)
            if count >= 0 { return count > 0 }
            if errno != EINTR { throw SystemError("poll", .current) }
        }
    }
}
