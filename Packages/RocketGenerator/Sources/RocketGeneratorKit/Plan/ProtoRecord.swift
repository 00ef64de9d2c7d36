/// Line near the head of a generated file: its .proto file, and the hash of that file's text.
struct ProtoRecord: Equatable {
    /// Path relative to Protos/.
    var path: String
    /// `ContentHash` of the .proto file.
    var hash: String

    var line: String { "// Generated from Protos/\(path) with content hash \(hash)." }

    init(path: String, hash: String) {
        self.path = path
        self.hash = hash
    }

    /// Returns the text without the record in its first line, if it has one there.
    static func removeRecord(from text: String) -> String {
        guard let end = text.firstIndex(where: \.isNewline), ProtoRecord(reading: text) != nil
        else {
            return text
        }
        return String(text[text.index(after: end)...])
    }

    /// Reads the record from the first three lines of a file; nil if there is none.
    init?(reading text: String) {
        let line = /\/\/ Generated from Protos\/(.+) with content hash ([0-9a-f]{16})\./
        for candidate in text.split(whereSeparator: \.isNewline).prefix(3) {
            guard let match = candidate.wholeMatch(of: line) else { continue }
            self.init(path: String(match.1), hash: String(match.2))
            return
        }
        return nil
    }
}
