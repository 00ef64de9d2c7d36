import Glibc

/// What the process is given to read. Blocking: for a thread of its own, never a reactor's.
public enum StandardInput {
    /// True when standard input comes from a terminal.
    public static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Waits until something is there: 1 to `limit` bytes, none at the end of the input.
    ///
    /// - Throws: `SystemError` (EIO: the terminal is gone; EBADF: it was closed).
    public static func read(atMost limit: Int) throws(SystemError) -> [UInt8] {
        var failure: Errno?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max(1, limit)) { space, count in
            var result = 0
            repeat {
                // SAFETY: the kernel writes at most `space.count` bytes to the array's own memory.
                result = unsafe Glibc.read(STDIN_FILENO, space.baseAddress, space.count)
            } while result < 0 && errno == EINTR
            if result < 0 { failure = .current }
            count = max(0, result)
        }
        if let failure { throw SystemError("read", failure) }
        return bytes
    }
}
