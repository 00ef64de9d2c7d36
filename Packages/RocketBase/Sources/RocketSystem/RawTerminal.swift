import Glibc

/// The terminal on standard input, in raw mode: each key arrives at once and nothing is echoed.
/// As it was before when this value goes away. One at a time.
public struct RawTerminal: ~Copyable {
    private let before: termios

    /// Takes the terminal over. Output is still processed: a line feed begins a new line.
    ///
    /// - Throws: `SystemError` (ENOTTY: standard input is no terminal; EIO: it is gone).
    public init() throws(SystemError) {
        before = try Self.takeOver()
    }

    private static func takeOver() throws(SystemError) -> termios {
        var before = termios()
        // SAFETY: the calls fill, change and read one termios each.
        guard unsafe tcgetattr(STDIN_FILENO, &before) == 0 else {
            throw SystemError("tcgetattr", .current)
        }
        var mode = before
        unsafe cfmakeraw(&mode)
        mode.c_oflag |= tcflag_t(OPOST | ONLCR)
        guard unsafe tcsetattr(STDIN_FILENO, TCSADRAIN, &mode) == 0 else {
            throw SystemError("tcsetattr", .current)
        }
        return before
    }

    deinit {
        var mode = before
        _ = unsafe tcsetattr(STDIN_FILENO, TCSADRAIN, &mode)
    }

    /// How many columns the terminal on standard output has now; 80 where it does not say.
    public static var columns: Int {
        var size = winsize()
        // SAFETY: the kernel fills one winsize.
        let result = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
        return result == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }
}
