public import RocketBase
import RocketSystem

/// Standard output of the program. Every write is unbuffered, so the reader of a pipe gets each line
/// at once. The first write that fails is kept: `Program.run` then ends with status 74. Any
/// thread.
public enum StandardOutput {
    private struct State {
        var failure: SystemError?
        var isOfServer = false
    }

    private static let state = Locked(State())
    private static let stream = SharedOutput(StandardStream.output)
    /// The longest time that a server waits for the reader of its line.
    fileprivate static var serverTimeout: Duration { .seconds(1) }

    /// Writes the line and a line feed; see `write(text:)`.
    public static func write(line: String) { write(text: line + "\n") }

    /// Writes the text without a line feed. Waits for the reader, at most 1 s in a server. After a
    /// failure nothing more is written.
    public static func write(text: String) { _ = isWritten(text) }

    /// Writes the text; returns whether all of it was written.
    static func isWritten(_ text: String) -> Bool {
        let (failure, isOfServer) = state.withLock { ($0.failure, $0.isOfServer) }
        if failure != nil { return false }
        let error = stream.write(text, waitingAtMost: isOfServer ? serverTimeout : nil)
        // A server's lines are for a script that starts it; it may end without reading all.
        let isExpected = isOfServer && error?.errno.isReset == true
        if let error, !isExpected { state.withLock { $0.failure = error } }
        return error == nil
    }

    /// Whether a write has failed, after which nothing more is written: a program that writes without
    /// an end ends then.
    public static var hasFailed: Bool { failure != nil }

    /// The error of the first write that failed; nil when all succeeded, or when the reader of a
    /// server's output has gone.
    static var failure: SystemError? { state.withLock { $0.failure } }

    /// For servers, first in their `main`; `Daemon` calls it. Ignores SIGPIPE, lets no write wait
    /// longer than 1 s, and takes a reader that has gone for no failure.
    public static func outliveReaders() {
        Signals.ignoreBrokenPipes()
        state.withLock { $0.isOfServer = true }
    }

    fileprivate static var isOfServer: Bool { state.withLock { $0.isOfServer } }
}

/// Standard error of the program, unbuffered. Any thread.
public enum StandardError {
    private static let stream = SharedOutput(StandardStream.error)

    /// Writes the line and a line feed. Waits for the reader, at most 1 s in a server. Errors are
    /// ignored, such as that of a closed pipe: there is no other place to report them.
    ///
    /// - Parameter level: the priority of the line in the journal, if that reads standard error: a
    ///   service that fails before its log is open is found by `journalctl -p err`.
    public static func write(line: String, level: LogLevel = .error) {
        ThreadSignals.withoutWriteSignals {
            _ = stream.write(
                StandardStream.errorLine(line, priority: level.syslogPriority) + "\n",
                waitingAtMost: StandardOutput.isOfServer ? StandardOutput.serverTimeout : nil)
        }
    }
}

/// Formats text for a terminal.
public struct TerminalText: Hashable, Sendable {
    /// Whether `bold`, `dim` and `green` add escape sequences.
    public let isColoured: Bool

    /// Creates a formatter with or without colours.
    public init(isColoured: Bool) { self.isColoured = isColoured }

    /// A formatter that uses colours if standard output is a terminal and `NO_COLOR` is not set.
    public static var standardOutput: TerminalText {
        let isAllowed = (ProcessEnvironment.current["NO_COLOR"] ?? "").isEmpty
        return TerminalText(isColoured: isAllowed && Terminal.isStandardOutput)
    }

    /// Returns the text in bold, for the important part of a line.
    public func bold(_ text: String) -> String { painted(text, "1") }
    /// Returns the text dimmed, for details.
    public func dim(_ text: String) -> String { painted(text, "2") }
    /// Returns the text in green, for success.
    public func green(_ text: String) -> String { painted(text, "32") }

    private func painted(_ text: String, _ code: String) -> String {
        isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    /// Returns the text with unsafe characters escaped (`PrintableText`). Without it, text from a
    /// peer could move the cursor, change colours or start a new line.
    public static func safe(_ text: String) -> String {
        PrintableText.escaping(text) { scalar in
            switch scalar {
            case "\n": "\\n"
            case "\t": "\\t"
            case "\r": "\\r"
            default: PrintableText.swiftEscape(scalar)
            }
        }
    }

    /// Returns JSON with unsafe characters as `\uNNNN`: the same values for any reader of JSON, but
    /// safe on a terminal.
    public static func safeJSON(_ json: String) -> String { PrintableText.json(json) }
}
