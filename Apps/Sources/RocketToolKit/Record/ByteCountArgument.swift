import ArgumentParser

/// A number of bytes on a command line: `4096`, `64k`, `10m`, `1g` (of 1024). A value.
struct ByteCountArgument: ExpressibleByArgument, Hashable, Sendable {
    let bytes: Int

    /// Parses a number; nil for any other text, and above 1 TiB.
    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        let units: [String: Int] = ["": 0, "k": 10, "m": 20, "g": 30]
        guard let shift = units[argument[digits.endIndex...].lowercased()],
            let number = Int(digits), number <= 1 << (40 - shift)
        else { return nil }
        bytes = number << shift
    }
}
