import RocketProgram

/// The last line of the terminal, where one types: says which bytes draw it and which take it
/// away, so that messages can be written above it. A pure value.
///
/// It is always one row: of a line that is wider than the terminal, the part around the cursor
/// is shown.
struct InputLine: Equatable {
    static let prompt = "> "

    /// Columns that were drawn, and where the cursor was left.
    private var drawnColumns = 0
    private var cursorColumn = 0

    /// Draws the line; what was drawn before has been taken away.
    mutating func draw(_ editor: LineEditor, columns: Int) -> String {
        let view = Self.visible(editor, columns: columns)
        let start = DisplayWidth.of(Self.prompt)
        drawnColumns = start + DisplayWidth.of(view.before) + DisplayWidth.of(view.after)
        cursorColumn = start + DisplayWidth.of(view.before)
        let back = drawnColumns - cursorColumn
        return Self.prompt + view.before + view.after + (back > 0 ? "\u{1B}[\(back)D" : "")
    }

    /// Takes away what was drawn. A terminal that became narrower since has put it on several
    /// rows: the cursor goes up to the first of them.
    mutating func erase(columns: Int) -> String {
        let rows = cursorColumn / max(1, columns)
        (drawnColumns, cursorColumn) = (0, 0)
        return (rows > 0 ? "\u{1B}[\(rows)A" : "") + "\r\u{1B}[J"
    }

    /// As much around the cursor as fits into a row with the prompt; the last column stays free,
    /// since what terminals do with a cursor behind it differs.
    static func visible(_ editor: LineEditor, columns: Int) -> (before: String, after: String) {
        let room = max(2, columns - DisplayWidth.of(prompt) - 1)
        var (before, after) = (safe(editor.before), safe(editor.after))
        var left = room
        // Some of what stands right of the cursor is seen, too.
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

    /// What was typed can hold nothing but text, a history none but what was typed.
    private static func safe(_ text: String) -> String { TerminalText.safe(text) }
}
