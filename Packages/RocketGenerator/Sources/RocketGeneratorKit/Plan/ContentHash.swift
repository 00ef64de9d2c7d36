/// The hash in a generated file's first line: tells whether anybody has changed the file since.
enum ContentHash {
    private static let mark =
        "// Renewed by rocket_generator; what is edited is kept as FILE.mine. ContentHash: "

    /// The text behind a line that seals it.
    static func sealed(_ text: String) -> String { "\(mark)\(hash(text))\n\(text)" }

    /// The text without its seal; nil where the seal is missing or broken.
    static func opened(_ text: String) -> String? {
        guard let end = text.firstIndex(of: "\n"), text.hasPrefix(mark) else { return nil }
        let body = String(text[text.index(after: end)...])
        return text[..<end] == "\(mark)\(hash(body))" ? body : nil
    }

    /// Whether the text was sealed once, however it looks now.
    static func isSealed(_ text: String) -> Bool { text.hasPrefix(mark) }

    /// 64 bits of FNV-1a as 16 hexadecimal digits: against accidents, not against malice.
    static func hash(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
