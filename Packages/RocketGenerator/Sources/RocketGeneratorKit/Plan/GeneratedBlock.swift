/// The lines of a file of yours that are renewed, between two marks; all others stay as they are.
enum GeneratedBlock {
    private static let mark = "// rocket_generator: renewed up to the end mark. ContentHash: "
    static let closing = "// rocket_generator: end"

    static func opening(sealing body: String) -> String { mark + ContentHash.hash(body) }

    /// What a file's block looks like.
    enum State: Equatable {
        /// The file has no two marks.
        case missing
        /// As it was written.
        case intact
        /// Somebody has written in it.
        case edited
    }

    /// How the block of `text` is.
    static func state(of text: String) -> State {
        guard let block = find(in: text) else { return .missing }
        return block.opening == opening(sealing: block.body) ? .intact : .edited
    }

    /// `text` with the block of `new` in the place of its own; nil where one of them has none.
    static func renewed(_ text: String, from new: String) -> String? {
        guard let old = find(in: text), let block = find(in: new) else { return nil }
        return text.replacingCharacters(in: old.range, with: String(new[block.range]))
    }

    private struct Found {
        /// From the first mark to the end of the last one's line, without the line feed.
        var range: Range<String.Index>
        var opening: String
        var body: String
    }

    private static func find(in text: String) -> Found? {
        guard let start = text.firstRange(of: mark)?.lowerBound,
            let end = text[start...].firstRange(of: closing),
            let lineEnd = text[start...].firstIndex(of: "\n"), lineEnd < end.lowerBound
        else { return nil }
        return Found(
            range: start..<end.upperBound, opening: String(text[start..<lineEnd]),
            body: String(text[text.index(after: lineEnd)..<end.lowerBound]))
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}
