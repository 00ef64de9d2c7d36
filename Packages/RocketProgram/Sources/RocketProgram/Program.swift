public import ArgumentParser
import RocketSystem

/// Entry point of Rocket's programs: parses the command line and runs the command. Any error is
/// printed as one line on standard error, without a stack trace or the usage text, and ends the
/// process with an `ExitStatus`.
public enum Program {
    /// Runs the command and ends the process: with status 0 if it succeeded, 64 for a wrong command
    /// line, or `ExitStatus(of:)` of the error that it threw. An `ExitCode` ends it with that
    /// status and no line: the command has printed what happened.
    ///
    /// - Parameter arguments: default: those of the process, without the program's path.
    public static func run<Command: ParsableCommand>(
        _ type: Command.Type, arguments: [String]? = nil
    ) async -> Never {
        start(name: type._commandName, checksArguments: arguments == nil)
        do {
            // Completions of some arguments are asynchronous: they ask a server.
            let asynchronous = type as? any AsyncParsableCommand.Type
            var command =
                try await asynchronous?.asyncParseAsRoot(arguments) ?? type.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            end(name: type._commandName)
        } catch {
            if type.exitCode(for: error) == .success {
                // The parser throws --help and --version, too.
                StandardOutput.write(line: type.fullMessage(for: error))
                end(name: type._commandName)
            }
            if let code = error as? ExitCode {
                end(name: type._commandName, status: ExitStatus(rawValue: code.rawValue))
            }
            let line = line(for: error, of: type)
            if HealthOptions.isPlugin(arguments ?? Array(CommandLine.arguments.dropFirst())) {
                // The parser has failed: a monitor reads standard output, and knows other statuses.
                StandardOutput.write(line: HealthReport.nagiosLine(.unknown, line))
                end(name: type._commandName, status: NagiosStatus.unknown.exitStatus)
            }
            StandardError.write(line: line)
            CurrentProcess.exit(status(for: error, of: type).rawValue)
        }
    }

    /// Prepares the process before anything is opened or printed: opens /dev/null in place of missing
    /// standard streams, and ends the process if an argument is not UTF-8.
    static func start(name: String, checksArguments: Bool) {
        StandardStream.openMissing()
        guard checksArguments, let (position, offset) = ProcessArguments.firstMalformed
        else { return }
        StandardError.write(
            line: "\(name): argument \(position) is not UTF-8, from its byte \(offset) on "
                + "(counted from 0)")
        CurrentProcess.exit(ExitStatus.usage.rawValue)
    }

    /// Ends a program that has printed what happened: with the status, or with 74 and a line on
    /// standard error if something that it printed could not be written.
    static func end(name: String, status: ExitStatus = .success) -> Never {
        guard let failure = StandardOutput.failure else { CurrentProcess.exit(status.rawValue) }
        StandardError.write(line: "\(name): can't write to standard output: \(failure.errno)")
        CurrentProcess.exit(ExitStatus.ioError.rawValue)
    }

    /// Returns the status with which an error ends the process.
    static func status(
        for error: any Error, of type: (some ParsableCommand).Type
    ) -> ExitStatus {
        let status = ExitStatus(of: error)
        if status != .failure || error is ProgramFailure { return status }
        return type.exitCode(for: error) == .validationFailure ? .usage : .failure
    }

    /// Returns the line that is printed for an error; it begins with the program's name.
    static func line(for error: any Error, of type: (some ParsableCommand).Type) -> String {
        let name = type._commandName
        if error is ProgramFailure { return "\(name): \(singleLine("\(error)"))" }
        let usage = type.message(for: error)
        let isUsage = type.exitCode(for: error) == .validationFailure
        let hint = isUsage ? " (see \(name) --help)" : ""
        return "\(name): \(singleLine(usage))\(hint)"
    }

    private static func singleLine(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map { line in
            let start = line.drop { $0.isWhitespace }
            let blanks = start.reversed().prefix { $0.isWhitespace }.count
            return String(start.dropLast(blanks))
        }
        return TerminalText.safe(lines.joined(separator: " "))
    }
}

/// Error of a command with a message for the user of the command line.
public struct ProgramFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line, without the program's name and without a full stop.
    public let description: String
    /// The status with which the program ends.
    public let status: ExitStatus

    /// Creates a failure with a message of one line.
    public init(_ description: String, status: ExitStatus = .failure) {
        self.description = description
        self.status = status
    }
}

/// Version that all programs of this repository print for --version.
public enum RocketVersion {
    /// A semantic version.
    public static let current = "0.1.0"
}

/// A duration on a command line: `500ms`, `2s`, `1.5s`, `1m`. A number without a unit is in
/// milliseconds, as in the configuration file.
public struct DurationArgument: ExpressibleByArgument, Hashable, Sendable {
    /// More than zero, at most one hour.
    public let duration: Duration

    /// Parses a duration. Returns nil for any other text and for values out of range.
    public init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let units: [Substring: Double] = ["": 1, "ms": 1, "s": 1000, "m": 60_000]
        guard let unit = units[argument[digits.endIndex...]], digits.first != ".",
            let number = Double(digits)
        else { return nil }
        let milliseconds = number * unit
        guard milliseconds > 0, milliseconds <= 3_600_000 else { return nil }
        duration = .microseconds(Int64((milliseconds * 1000).rounded(.up)))
    }
}
