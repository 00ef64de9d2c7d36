import Foundation
import RocketSystem

/// Standard output of the program. Every write is unbuffered, so the reader of a pipe gets each line
/// at once.
public enum StandardOutput {
    /// Writes the line and a line feed. Errors are ignored, such as that of a closed pipe.
    public static func write(line: String) {
        write(text: line + "\n")
    }

    /// Writes the text without a line feed. Errors are ignored.
    public static func write(text: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }
}

/// Standard error of the program, unbuffered.
public enum StandardError {
    /// Writes the line and a line feed. Errors are ignored, such as that of a closed pipe.
    public static func write(line: String) {
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
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
        let isAllowed = (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
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

    /// Returns the text with control and format characters escaped. Without it, text from a peer
    /// could move the cursor, change colours or start a new line.
    public static func safe(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var safe = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": safe += "\\n"
            case "\t": safe += "\\t"
            case "\r": safe += "\\r"
            case let scalar where isUnsafe(scalar):
                safe += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            case let scalar: safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        // Format characters include those that reverse the direction of writing.
        case .control, .lineSeparator, .paragraphSeparator: true
        case .format: scalar.value != 0x200D && scalar.value != 0x200C
        default: false
        }
    }
}
