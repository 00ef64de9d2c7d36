/// Which .proto file a generated file was made from, and what that was then: a line near its head.
struct ProtoRecord: Equatable {
    /// Below Protos/.
    var path: String
    /// `ContentHash.hash` of the text.
    var hash: String

    var line: String { "// Made from Protos/\(path) when its hash was \(hash)." }

    init(path: String, hash: String) {
        self.path = path
        self.hash = hash
    }

    /// The text that follows a record in the first line.
    static func withoutRecord(_ text: String) -> String {
        guard let end = text.firstIndex(of: "\n"), ProtoRecord(reading: text) != nil else {
            return text
        }
        return String(text[text.index(after: end)...])
    }

    /// Reads it back; nil where there is none.
    init?(reading text: String) {
        let line = /\/\/ Made from Protos\/(.+) when its hash was ([0-9a-f]{16})\./
        for candidate in text.split(separator: "\n").prefix(3) {
            guard let match = candidate.wholeMatch(of: line) else { continue }
            self.init(path: String(match.1), hash: String(match.2))
            return
        }
        return nil
    }
}
