import RocketProgram

/// The input line at the bottom of the terminal: returns the bytes that draw it and those that
/// erase it, so that messages can be written above it. A pure value.
///
/// It is always one row: of a line that is wider than the terminal, it shows the part around the
/// cursor.
struct InputLine: Equatable {
    static let prompt = "> "

    private var drawnColumns = 0
    private var cursorColumn = 0

    /// Draws the line. The earlier one has been erased.
    mutating func draw(_ editor: LineEditor, columns: Int) -> String {
        let view = Self.visible(editor, columns: columns)
        let start = DisplayWidth.of(Self.prompt)
        drawnColumns = start + DisplayWidth.of(view.before) + DisplayWidth.of(view.after)
        cursorColumn = start + DisplayWidth.of(view.before)
        let back = drawnColumns - cursorColumn
        return Self.prompt + view.before + view.after + (back > 0 ? "\u{1B}[\(back)D" : "")
    }

    /// Erases the line. A terminal that has become narrower has wrapped it into several rows, so
    /// the cursor moves up to the first of them.
    mutating func erase(columns: Int) -> String {
        let rows = cursorColumn / max(1, columns)
        (drawnColumns, cursorColumn) = (0, 0)
        return (rows > 0 ? "\u{1B}[\(rows)A" : "") + "\r\u{1B}[J"
    }

    /// Returns as much text around the cursor as fits into a row with the prompt. The last column
    /// stays free, since terminals differ in how they treat a cursor behind it.
    static func visible(_ editor: LineEditor, columns: Int) -> (before: String, after: String) {
        let room = max(2, columns - DisplayWidth.of(prompt) - 1)
        var (before, after) = (safe(editor.before), safe(editor.after))
        var left = room
        // A quarter of the room is for text right of the cursor.
        let ahead = min(DisplayWidth.of(after), room / 4)
        before = String(suffix(of: before, columns: left - ahead))
        left -= DisplayWidth.of(before)
        after = String(prefix(of: after, columns: left))
        return (before, after)
    }

    private static func suffix(of text: String, columns: Int) -> Substring {
        var (start, left) = (text.endIndex, columns)
        while start > text.startIndex {
            let previous = text.index(before: start)
            left -= DisplayWidth.of(text[previous])
            if left < 0 { break }
            start = previous
        }
        return text[start...]
    }

    private static func prefix(of text: String, columns: Int) -> Substring {
        var left = columns
        return text.prefix { character in
            left -= DisplayWidth.of(character)
            return left >= 0
        }
    }

    /// Escapes control characters.
    private static func safe(_ text: String) -> String { TerminalText.safe(text) }
}
