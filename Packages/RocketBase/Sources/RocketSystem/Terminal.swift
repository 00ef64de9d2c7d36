import Glibc

/// Whether somebody looks: a terminal gets colours, a file or a pipe gets plain text.
public enum Terminal {
    /// True when standard output goes to a terminal.
    public static var isStandardOutput: Bool { isatty(STDOUT_FILENO) == 1 }
    /// True when standard error goes to a terminal.
    public static var isStandardError: Bool { isatty(STDERR_FILENO) == 1 }
}
