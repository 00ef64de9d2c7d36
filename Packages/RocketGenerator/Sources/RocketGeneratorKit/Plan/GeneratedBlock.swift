/// The lines between two marks in a user's file: every run writes them again and leaves all other
/// lines alone.
enum GeneratedBlock {
    private static let mark = "// rocket_generator: generated up to the end mark. Content hash: "
    static let closing = "// rocket_generator: end"

    /// Returns the first mark, with the hash of the lines after it.
    static func opening(for body: String) -> String { mark + ContentHash.of(body) }

    /// State of the block in a file.
    enum State: Equatable {
        /// At least one mark is missing.
        case missing
        /// The lines match their hash.
        case intact
        /// The lines were edited.
        case edited
    }

    /// Returns the state of the block in `text`.
    static func state(of text: String) -> State {
        guard let block = find(in: text) else { return .missing }
        return block.opening == opening(for: block.body) ? .intact : .edited
    }

    /// Returns `text` with its block replaced by that of `new`, with the line ends of the old block;
    /// nil if one of them has no block.
    static func renew(_ text: String, from new: String) -> String? {
        guard let old = find(in: text), let block = find(in: new) else { return nil }
        let ends = LineEnds.of(String(text[old.range]))
        return text.replacingCharacters(
            in: old.range, with: ends.applied(to: String(new[block.range])))
    }

    private struct Found {
        /// From the start of the first mark to the end of the last one.
        var range: Range<String.Index>
        var opening: String
        var body: String
    }

    private static func find(in text: String) -> Found? {
        guard let start = text.firstRange(of: mark)?.lowerBound,
            let end = text[start...].firstRange(of: closing),
            let lineEnd = text[start...].firstIndex(where: \.isNewline), lineEnd < end.lowerBound
        else { return nil }
        return Found(
            range: start..<end.upperBound, opening: String(text[start..<lineEnd]),
            body: LineEnds.normalized(text[text.index(after: lineEnd)..<end.lowerBound]))
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}
