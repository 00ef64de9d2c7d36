import Foundation
import RocketSystem

/// Text on its way to a person's terminal.
public struct TerminalText: Hashable, Sendable {
    /// Whether `bold` and the colours do anything.
    public let isColoured: Bool

    /// Colours or not, as told.
    public init(isColoured: Bool) { self.isColoured = isColoured }

    /// Colours when standard output is a terminal and `NO_COLOR` is not set.
    public static var standardOutput: TerminalText {
        let wanted = (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
        return TerminalText(isColoured: wanted && Terminal.isStandardOutput)
    }

    /// What matters in a line.
    public func bold(_ text: String) -> String { painted(text, "1") }
    /// What is only said for completeness.
    public func dim(_ text: String) -> String { painted(text, "2") }
    /// What went well.
    public func green(_ text: String) -> String { painted(text, "32") }

    private func painted(_ text: String, _ code: String) -> String {
        isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    /// The text with everything made visible that could move the cursor, change colours or
    /// start a new line: a peer's words must not steer the terminal.
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
        // Format characters include those that turn the direction of writing around.
        case .control, .lineSeparator, .paragraphSeparator: true
        case .format: scalar.value != 0x200D && scalar.value != 0x200C
        default: false
        }
    }
}
