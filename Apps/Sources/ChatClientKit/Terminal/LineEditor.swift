/// An editor of one line with a cursor and a history. A pure value: key in, outcome out. Its unit
/// is the character (grapheme cluster). Pasted text may contain line feeds: it is one line.
struct LineEditor: Equatable {
    enum Outcome: Equatable {
        /// Neither line nor cursor has changed.
        case unchanged
        /// The line or the position of the cursor has changed.
        case changed
        /// The user has entered this line; the editor is empty again.
        case line(String)
        /// The user leaves.
        case leave
        /// The user suspends the program.
        case suspend
    }

    /// The text left of the cursor.
    private(set) var before = ""
    /// The text right of the cursor.
    private(set) var after = ""
    /// The longest line in bytes; further text is ignored.
    let limitBytes: Int

    private var history: [String] = []
    /// The index of the shown line in the history; its count if the draft is shown.
    private var shown = 0
    /// The line that was being edited before a line of the history was shown.
    private var draft = ""

    /// Lines in the history at most.
    static let historyLines = 200

    init(limitBytes: Int = 65_536) { self.limitBytes = limitBytes }

    /// The whole line.
    var text: String { before + after }

    mutating func handle(_ key: Key) -> Outcome {
        // Enough to see every change, without a comparison of long texts for each key.
        let old = (before.utf8.count, after.utf8.count, shown)
        switch key {
        case .text(let scalar): insert(scalar)
        case .enter: return finish()
        case .backspace: _ = before.popLast()
        case .delete: removeNext()
        case .left: moveLeft()
        case .right: moveRight()
        case .wordLeft: moveWordLeft()
        case .wordRight: moveWordRight()
        case .home: (before, after) = ("", before + after)
        case .end: (before, after) = (before + after, "")
        case .up: show(shown - 1)
        case .down: show(shown + 1)
        case .eraseToStart: before = ""
        case .eraseToEnd: after = ""
        case .eraseWord: eraseWord()
        case .interrupt: return .leave
        case .suspend: return .suspend
        case .endOfInput:
            if before.isEmpty && after.isEmpty { return .leave }
            removeNext()
        case .redraw: return .changed
        }
        return old == (before.utf8.count, after.utf8.count, shown) ? .unchanged : .changed
    }

    /// Shows a line again that could not be sent.
    mutating func restore(_ line: String) { (before, after) = (line, "") }

    // MARK: Editing

    private mutating func insert(_ scalar: Unicode.Scalar) {
        let size = UTF8.encode(scalar)?.count ?? 0
        if before.utf8.count + after.utf8.count + size > limitBytes { return }
        before.unicodeScalars.append(scalar)
    }

    private mutating func removeNext() { if !after.isEmpty { after.removeFirst() } }

    private mutating func moveLeft() {
        if let last = before.popLast() { after.insert(last, at: after.startIndex) }
    }

    private mutating func moveRight() { if !after.isEmpty { before.append(after.removeFirst()) } }

    private mutating func moveWordLeft() {
        while before.last?.isWhitespace == true { moveLeft() }
        while before.last?.isWhitespace == false { moveLeft() }
    }

    private mutating func moveWordRight() {
        while after.first?.isWhitespace == true { moveRight() }
        while after.first?.isWhitespace == false { moveRight() }
    }

    private mutating func eraseWord() {
        while before.last?.isWhitespace == true { before.removeLast() }
        while before.last?.isWhitespace == false { before.removeLast() }
    }

    // MARK: History

    private mutating func finish() -> Outcome {
        let line = text
        (before, after, draft) = ("", "", "")
        if !line.isEmpty, history.last != line {
            history.append(line)
            if history.count > Self.historyLines { history.removeFirst() }
        }
        shown = history.count
        return .line(line)
    }

    private mutating func show(_ index: Int) {
        guard index >= 0, index <= history.count, index != shown else { return }
        if shown == history.count { draft = text }
        shown = index
        (before, after) = (index == history.count ? draft : history[index], "")
    }
}
