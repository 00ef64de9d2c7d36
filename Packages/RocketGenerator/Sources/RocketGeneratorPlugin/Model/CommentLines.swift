import SwiftProtobufPluginLibrary

/// Takes a comment out of a .proto file as lines of text.
enum CommentLines {
    /// The comment before what `descriptor` describes, or else the one after it.
    static func of(_ descriptor: some ProvidesSourceCodeLocation) -> [String] {
        cleaned(descriptor.protoSourceComments(commentPrefix: ""))
    }

    /// Takes away what stands only for the comment's form: the blank after the slashes, the
    /// second star of `/**`, blanks at the ends of lines, empty lines at both ends.
    static func cleaned(_ text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(
            Substring.init)
        if lines.first?.hasPrefix("*") == true { lines[0] = lines[0].dropFirst() }
        let trimmed = lines.map { line in
            let line = line.hasPrefix(" ") ? line.dropFirst() : line
            let end = line.lastIndex { !$0.isWhitespace }
            return end.map { String(line[...$0]) } ?? ""
        }
        let tail = trimmed.drop(while: \.isEmpty)
        guard let last = tail.lastIndex(where: { !$0.isEmpty }) else { return [] }
        return Array(tail[...last])
    }
}
