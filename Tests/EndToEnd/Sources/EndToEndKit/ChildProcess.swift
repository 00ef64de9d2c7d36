public import Foundation

/// A program that a test has started: its lines, its exit status, its end.
///
/// Calls block. A child that still runs after a minute is killed, so that a test that waits for
/// it fails instead of hanging.
public final class ChildProcess: @unchecked Sendable {
    // SAFETY: process and pipes are set up in init; Process is only asked to run and to report
    // its end afterwards. Output buffers are used by the test's own thread alone.
    private let process = Process()
    private var output = PipeLines()
    private var errors = PipeLines()

    /// The child's process id.
    public var id: Int32 { process.processIdentifier }

    /// Starts the program; `environment` is added to the test's own. Its standard input is `input`,
    /// or empty.
    public init(
        _ path: String, _ arguments: [String], in folder: String? = nil,
        environment: [String: String] = [:], input: FileHandle? = nil
    ) throws {
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw MissingProgram(path: path)
        }
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input ?? FileHandle.nullDevice
        process.standardOutput = output.pipe
        process.standardError = errors.pipe
        try process.run()
        DispatchQueue.global().asyncAfter(deadline: .now() + 60) { [weak process] in
            if let process, process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// The next line of standard output; nil at its end.
    public func nextLine() -> String? { output.next() }

    /// The next lines of standard error up to the first one that contains `text`; what came
    /// until its end when none does.
    public func errorLines(through text: String) -> [String] {
        var lines: [String] = []
        while let line = errors.next() {
            lines.append(line)
            if line.contains(text) { break }
        }
        return lines
    }

    /// Sends a signal.
    public func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for the end and returns everything that was written and the exit status.
    public func finish() -> Ending {
        // Programs under test write little to standard error, so one pipe can wait.
        let rest = output.rest()
        let complaints = errors.rest()
        process.waitUntilExit()
        return Ending(
            status: process.terminationStatus,
            wasKilled: process.terminationReason == .uncaughtSignal,
            output: rest, errors: complaints)
    }
}

/// One of a child's outputs, line by line.
private struct PipeLines {
    let pipe = Pipe()
    private var pending = Data()

    mutating func next() -> String? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending = Data(pending[(end + 1)...])
                return line
            }
            let more = pipe.fileHandleForReading.availableData
            if more.isEmpty { return nil }
            pending += more
        }
    }

    mutating func rest() -> String {
        let more = (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
        defer { pending = Data() }
        return String(decoding: pending + more, as: UTF8.self)
    }
}

/// How a child ended.
public struct Ending: Sendable, CustomStringConvertible {
    /// The exit status, or the number of the signal that killed it.
    public let status: Int32
    /// Whether a signal ended it.
    public let wasKilled: Bool
    /// What it wrote to standard output and nobody had read yet.
    public let output: String
    /// What it wrote to standard error and nobody had read yet.
    public let errors: String

    /// Failed as a program should: status 1, one line on standard error, no trace.
    public var isOneClearLine: Bool {
        !wasKilled && status == 1 && errors.hasSuffix("\n")
            && errors.split(separator: "\n", omittingEmptySubsequences: false).count == 2
    }

    /// For a failed expectation.
    public var description: String {
        "\(wasKilled ? "signal" : "status") \(status), output: \(output), errors: \(errors)"
    }
}

/// There is nothing to test.
public struct MissingProgram: Error, CustomStringConvertible {
    let path: String

    /// What to do.
    public var description: String {
        "\(path) is missing: run `make all` first, or name its folder in ROCKET_BIN"
    }
}
