public import RocketSystem
import Synchronization

/// A program that a test has started: a server to test against, or a tool. Any thread.
///
/// Not Foundation's `Process`: its children can inherit the descriptors by which it observes the end
/// of others; and where a thousand files are open, it reads behind the end of their list, which the
/// address sanitizer reports (swift-corelibs-foundation, `findMaximumOpenFromProcSelfFD`).
public final class RunningProgram: Sendable {
    /// Its process number.
    public let id: Int32
    /// The other end of its standard input, which ends with this object at the latest.
    private let input: Mutex<FileDescriptor?>

    /// Starts it.
    ///
    /// - Parameters:
    ///   - words: the program, which is looked for in PATH, and its arguments.
    ///   - output: the file for its standard output and error; created, and emptied if it exists.
    /// - Throws: `SystemError` if it can't be started.
    public init(_ words: [String], output: String = "/dev/null") throws(SystemError) {
        let pipe = try ChildProcess.Pipe()
        id = try ChildProcess.start(
            words[0], Array(words.dropFirst()), searchingPath: true, input: pipe.reader.raw,
            output: output)
        input = Mutex(pipe.keepWriter())
    }

    /// Whether it has not ended. Not to be called after `wait`.
    public var isRunning: Bool { ChildProcess.isRunning(id) }

    /// Writes to its standard input. Throws: `SystemError`.
    public func write(_ text: String) throws(SystemError) {
        let bytes = Array(text.utf8)
        let error = input.withLock { input in
            // SAFETY: the call only reads the bytes.
            unsafe bytes.withUnsafeBytes {
                unsafe RawWrite.all($0, to: input?.raw ?? -1, waitingAtMost: .seconds(60)).error
            }
        }
        if let error { throw error }
    }

    /// Ends its standard input, and waits until it has ended. In place of `wait`, once.
    ///
    /// A program that has ended and is not waited for keeps the thread busy by which Swift Testing
    /// observes exit tests.
    @discardableResult
    public func finish() -> Int32 {
        input.withLock { $0 = nil }
        return wait()
    }

    /// Sends it a signal. Not to be called after `wait`.
    public func send(_ signal: Int32) { ChildProcess.send(signal, to: id) }

    /// Waits until it has ended. Called once.
    ///
    /// - Returns: its exit status; after a signal 128 and the signal's number.
    @discardableResult
    public func wait() -> Int32 { ChildProcess.wait(for: id) }
}
