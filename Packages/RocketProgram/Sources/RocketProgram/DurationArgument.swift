public import ArgumentParser

/// A length of time on a command line: `500ms`, `2s`, `1.5s`, `1m`; a bare number is
/// milliseconds, as in the configuration file.
public struct DurationArgument: ExpressibleByArgument, Hashable, Sendable {
    /// More than zero, at most an hour.
    public let duration: Duration

    /// Nil for anything else than a number with one of the units, within the range.
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
