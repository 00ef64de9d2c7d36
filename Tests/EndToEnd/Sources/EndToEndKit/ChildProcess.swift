public import Foundation

/// A program started by a test.
///
/// Functions block. A child that still runs after a minute is killed, so that a test that waits
/// for it fails instead of hanging.
public final class ChildProcess: @unchecked Sendable {
    // SAFETY: process and pipes are set up in init; after that Process only runs and reports its
    // exit. Output buffers are used by the thread of the test alone.
    private let process = Process()
    private var output = PipeLines()
    private var errors = PipeLines()

    /// The process id of the child.
    public var id: Int32 { process.processIdentifier }

    /// Starts the program. `environment` is added to that of the test; standard input is `input`,
    /// or empty. With a terminal, all its standard streams are that.
    public init(
        _ path: String, _ arguments: [String], in folder: String? = nil,
        environment: [String: String] = [:], input: FileHandle? = nil,
        terminal: FileHandle? = nil
    ) throws {
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw MissingProgram(path: path)
        }
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = terminal ?? input ?? FileHandle.nullDevice
        process.standardOutput = output.pipe
        process.standardError = errors.pipe
        if let terminal {
            process.standardOutput = terminal
            process.standardError = terminal
            for pipe in [output.pipe, errors.pipe] { try pipe.fileHandleForWriting.close() }
        }
        try process.run()
        DispatchQueue.global().asyncAfter(deadline: .now() + 600) { [weak process] in
            if let process, process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// Returns the next line of standard output; nil at its end.
    public func nextLine() -> String? { output.next() }

    /// Returns the next lines of standard error up to the first one that contains `text`, or all
    /// lines if none does.
    public func errorLines(through text: String) -> [String] {
        var lines: [String] = []
        while let line = errors.next() {
            lines.append(line)
            if line.contains(text) { break }
        }
        return lines
    }

    /// Whether a signal has stopped the child, until SIGCONT.
    public var isStopped: Bool {
        let status = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
        return status?.split(separator: ")").last?.hasPrefix(" T") == true
    }

    /// Sends a signal.
    public func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for the exit, and returns the exit status and all output that was not read before.
    public func finish() -> ProcessResult {
        // Programs under test write little to standard error, so its pipe does not fill meanwhile.
        let rest = output.rest()
        let errorText = errors.rest()
        process.waitUntilExit()
        return ProcessResult(
            status: process.terminationStatus,
            wasKilled: process.terminationReason == .uncaughtSignal,
            output: rest, errors: errorText)
    }
}

/// Reads one output of a child line by line.
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

/// The result of a child: exit status and output.
public struct ProcessResult: Sendable, CustomStringConvertible {
    /// The exit status, or the number of the signal that killed it.
    public let status: Int32
    /// Whether a signal killed it.
    public let wasKilled: Bool
    /// The part of standard output that was not read before.
    public let output: String
    /// The part of standard error that was not read before.
    public let errors: String

    /// True for a regular failure: one line on standard error, no stack trace.
    public var isOneErrorLine: Bool {
        !wasKilled && status != 0 && errors.hasSuffix("\n")
            && errors.split(separator: "\n", omittingEmptySubsequences: false).count == 2
    }

    /// For a failed expectation.
    public var description: String {
        "\(wasKilled ? "signal" : "status") \(status), output: \(output), errors: \(errors)"
    }
}

/// The program under test has not been built.
public struct MissingProgram: Error, CustomStringConvertible {
    let path: String

    /// One line that includes what to do.
    public var description: String {
        "\(path) is missing: run `make all` first, or set ROCKET_BIN to its folder"
    }
}
