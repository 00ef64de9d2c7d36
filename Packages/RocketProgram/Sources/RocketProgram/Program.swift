public import ArgumentParser
import Foundation

/// The frame of every Rocket program: parses the command line, runs the command, and turns
/// whatever went wrong into one clear line on standard error and exit status 1. No stack trace,
/// no page of usage for a misspelt option.
public enum Program {
    /// Runs the command that `arguments` (by default the process's own) ask for and ends the
    /// process: with status 0 when it succeeded, 1 when it failed.
    public static func run<Command: ParsableCommand>(
        _ type: Command.Type, arguments: [String]? = nil
    ) async -> Never {
        do {
            var command = try type.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            exit(0)
        } catch {
            if type.exitCode(for: error) == .success {
                // --help and --version arrive as errors, too.
                type.exit(withError: error)
            }
            StandardError.write(line: line(for: error, of: type))
            exit(1)
        }
    }

    /// The one line that tells what went wrong; begins with the program's name.
    static func line(for error: any Error, of type: (some ParsableCommand).Type) -> String {
        let name = type._commandName
        if error is ProgramFailure { return "\(name): \(singleLine("\(error)"))" }
        let usage = type.message(for: error)
        let isUsage = type.exitCode(for: error) == .validationFailure
        let hint = isUsage ? " (see \(name) --help)" : ""
        return "\(name): \(singleLine(usage))\(hint)"
    }

    private static func singleLine(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        return TerminalText.safe(lines.joined(separator: " "))
    }
}

/// Why a command failed, in words for the person who typed it.
public struct ProgramFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line, without the program's name and without a full stop.
    public let description: String

    /// A failure told in one line.
    public init(_ description: String) { self.description = description }
}
