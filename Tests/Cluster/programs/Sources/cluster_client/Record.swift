import RocketSystem

/// A file with one line for each call that has ended. The values are separated by tabs:
///
///     ok      MILLISECONDS  MICROSECONDS  KEY  SERVER  ID  PRICE  GOODS
///     failed  MILLISECONDS  MICROSECONDS  KEY  CODE    TEXT
///
/// MILLISECONDS: when it ended, since 1970; MICROSECONDS: how long it took. Any thread.
final class Record: Sendable {
    private let file: FileDescriptor
    private let lines = Locked("")

    /// Opens the file, which is empty or new.
    init(_ path: String) throws(SystemError) { file = try FileSystem.openForAppending(path) }

    /// Adds a line, which `flush` writes.
    func append(_ values: [String]) {
        let line = values.map { $0.replacing { $0 == "\t" || $0.isNewline } }
            .joined(separator: "\t")
        lines.withLock { $0 += line + "\n" }
    }

    /// Writes the lines that were added.
    func flush() throws(SystemError) {
        var text = ""
        lines.withLock { swap(&$0, &text) }
        if let error = SharedOutput(file.raw).write(text, waitingAtMost: nil) { throw error }
    }
}

extension String {
    fileprivate func replacing(_ isReplaced: (Character) -> Bool) -> String {
        String(map { isReplaced($0) ? " " : $0 })
    }
}
