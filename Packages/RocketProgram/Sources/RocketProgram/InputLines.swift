import RocketBase
import RocketSystem

/// The lines of standard input, one by one, for one reader at a time. Reads no more than it is asked
/// for: what a slow server does not take waits in the pipe.
public final class InputLines: Sendable {
    /// The longest line, in bytes: a message of 64 MiB, which is more than any server takes, as JSON.
    public static let maxLineBytes = 128 << 20
    private static let chunkBytes = 1 << 16

    private struct State {
        var text: [UInt8] = []
        /// Bytes of `text` that were returned.
        var start = 0
        /// Bytes of `text` that contain no line feed after `start`.
        var searched = 0
        var isAtEnd = false
    }

    private let state = Locked(State())
    private let read: @Sendable () throws(SystemError) -> [UInt8]

    /// Creates a reader of standard input; one for a process.
    public convenience init() {
        self.init { () throws(SystemError) in
            try StandardInput.read(atMost: InputLines.chunkBytes)
        }
    }

    /// - Parameter read: blocks until there is input, and returns it; none at the end of the input.
    init(
        read: @escaping @Sendable () throws(SystemError) -> [UInt8]
    ) { self.read = read }

    /// Returns the next line that is not blank, without its line feed; nil at the end.
    ///
    /// - Throws: `ProgramFailure` if standard input can't be read, or a line is too long or no UTF-8.
    public func next() async throws(ProgramFailure) -> String? {
        while true {
            if let line = try takeLine() {
                if line.contains(where: { !$0.isWhitespace }) { return line }
                continue
            }
            if state.withLock({ $0.isAtEnd }) { return nil }
            let bytes = try await readChunk()
            state.withLock { state in
                state.text.append(contentsOf: bytes)
                state.isAtEnd = bytes.isEmpty
            }
        }
    }

    /// Returns a line that has been read; nil if there is none.
    private func takeLine() throws(ProgramFailure) -> String? {
        let line: [UInt8]? = try state.withLock { state throws(ProgramFailure) in
            if let end = state.text[state.searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { (state.start, state.searched) = (end + 1, end + 1) }
                return Array(state.text[state.start..<end])
            }
            state.text.removeFirst(state.start)
            (state.start, state.searched) = (0, state.text.count)
            guard state.text.count <= Self.maxLineBytes else {
                throw ProgramFailure(
                    "a line of standard input has more than \(Self.maxLineBytes) bytes",
                    status: .dataError)
            }
            guard state.isAtEnd, !state.text.isEmpty else { return nil }
            defer { (state.text, state.searched) = ([], 0) }
            return state.text
        }
        guard let line else { return nil }
        guard let text = String(validating: line, as: UTF8.self) else {
            throw ProgramFailure("a line of standard input is not valid UTF-8", status: .dataError)
        }
        return text
    }

    /// Reads on a thread that exists for this: the read may block until the process ends, and the
    /// threads of tasks must not.
    private func readChunk() async throws(ProgramFailure) -> [UInt8] {
        let result = await withCheckedContinuation { continuation in
            do throws(SystemError) {
                let thread = try SystemThread(name: "input") { [read] in
                    continuation.resume(
                        returning: Result { () throws(SystemError) in try read() })
                }
                thread.detach()
            } catch {
                continuation.resume(returning: Result<[UInt8], SystemError>.failure(error))
            }
        }
        do { return try result.get() } catch {
            throw ProgramFailure(
                "standard input can't be read: \(error.errno.text)", status: .ioError)
        }
    }
}
