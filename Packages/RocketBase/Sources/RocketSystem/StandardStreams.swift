import Glibc

/// The standard input of the process. Reading blocks: use a thread other than an event loop's.
public enum StandardInput {
    /// Whether standard input is a terminal.
    public static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Blocks until input is available and returns 1 to `limit` bytes, or none at the end of the
    /// input.
    ///
    /// - Throws: `SystemError` (EIO: the terminal was disconnected; EBADF: the input was closed).
    public static func read(atMost limit: Int) throws(SystemError) -> [UInt8] {
        var failure: Errno?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max(1, limit)) { space, count in
            var result = 0
            repeat {
                // SAFETY: the kernel writes at most `space.count` bytes to the array's own memory.
                result = unsafe Glibc.read(STDIN_FILENO, space.baseAddress, space.count)
                failure = result < 0 ? .current : nil
            } while failure?.isInterrupted == true
            count = max(0, result)
        }
        if let failure { throw SystemError("read", failure) }
        return bytes
    }
}

/// The standard streams of the process, which Rocket never closes.
public enum StandardStream {
    /// Opens /dev/null in place of each of the descriptors 0, 1 and 2 that is closed. Programs call
    /// it first: a file that is opened later would get such a number, and what is printed would be
    /// written to that file.
    public static func openMissing() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
            // SAFETY: the path is static. The lowest free number is `number`.
            _ = unsafe open("/dev/null", O_RDWR)
        }
    }

    /// The descriptor of standard output.
    public static var output: Int32 { STDOUT_FILENO }
    /// The descriptor of standard error.
    public static var error: Int32 { STDERR_FILENO }

    /// Whether standard error is a terminal.
    public static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Whether standard error is connected to the journal: JOURNAL_STREAM contains its device and
    /// inode (systemd.exec(5)). A child process can inherit the variable with another stream.
    public static var errorIsJournal: Bool {
        // SAFETY: the text of getenv is copied at once.
        guard let text = unsafe getenv("JOURNAL_STREAM").map({ unsafe String(cString: $0) })
        else { return false }
        var status = stat()
        guard unsafe fstat(STDERR_FILENO, &status) == 0 else { return false }
        return isJournal(text, device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Whether JOURNAL_STREAM names the stream with this device and inode: two decimal numbers,
    /// separated by a colon.
    static func isJournal(_ variable: String, device: UInt64, inode: UInt64) -> Bool {
        let parts = variable.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && UInt64(parts[0]) == device && UInt64(parts[1]) == inode
    }

    /// Returns `line` as it is written to standard error: with the prefix `<N>` (sd-daemon(3)) if
    /// the journal reads it, which would give it the priority of information otherwise.
    ///
    /// - Parameter priority: that of syslog(3). Default 3, an error.
    public static func errorLine(_ line: String, priority: Int = 3) -> String {
        errorIsJournal ? "<\(priority)>\(line)" : line
    }
}

/// Terminals on the standard streams: programs use colours on a terminal, plain text in a file or
/// a pipe.
public enum Terminal {
    /// Whether standard output is a terminal.
    public static var isStandardOutput: Bool { isatty(STDOUT_FILENO) == 1 }
}

/// The terminal on standard input in raw mode: each key is delivered at once, without an echo. Its
/// deinit restores the former mode, unless the process is in the background: then the terminal
/// belongs to another one. Neither waits for output. At most one value may exist at a time. Any
/// thread.
public struct RawTerminal: ~Copyable {
    private let formerMode: termios

    /// Sets raw mode, except that output is still processed: a line feed starts a new line.
    ///
    /// - Throws: `SystemError` (ENOTTY: standard input is no terminal; EIO: it was disconnected).
    public init() throws(SystemError) {
        formerMode = try Self.setRawMode()
    }

    private static func setRawMode() throws(SystemError) -> termios {
        var former = termios()
        // SAFETY: the calls fill, change and read one termios each.
        guard unsafe tcgetattr(STDIN_FILENO, &former) == 0 else {
            throw SystemError("tcgetattr", .current)
        }
        var mode = former
        unsafe cfmakeraw(&mode)
        mode.c_oflag |= tcflag_t(OPOST | ONLCR)
        guard unsafe tcsetattr(STDIN_FILENO, TCSANOW, &mode) == 0 else {
            throw SystemError("tcsetattr", .current)
        }
        return former
    }

    deinit {
        if !Terminal.isForeground { return }
        var mode = formerMode
        _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &mode)
    }

    /// The current number of columns of the terminal on standard output; 80 when it is unknown.
    public static var columns: Int {
        let columns = size.ws_col
        return columns > 0 ? Int(columns) : 80
    }

    /// The current number of rows of the terminal on standard output; 24 when it is unknown.
    public static var rows: Int {
        let rows = size.ws_row
        return rows > 0 ? Int(rows) : 24
    }

    /// Zeros when it is unknown.
    private static var size: winsize {
        var size = winsize()
        // SAFETY: the kernel fills one winsize, or leaves it as it is.
        _ = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
        return size
    }
}
