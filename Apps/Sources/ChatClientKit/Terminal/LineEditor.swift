/// A line that is being typed, its cursor, and the lines of before. A pure value: keys go in, and
/// what to do comes out. Its unit is the character as a person sees it, whatever that is made of.
struct LineEditor: Equatable {
    enum Outcome: Equatable {
        /// Nothing to show.
        case unchanged
        /// The line, or where its cursor stands, is another.
        case changed
        /// The line was finished; the editor is empty again.
        case line(String)
        /// The user wants to go.
        case leave
    }

    /// What stands left of the cursor, and right of it.
    private(set) var before = ""
    private(set) var after = ""
    /// The longest line in bytes; more is not taken.
    let limitBytes: Int

    private var history: [String] = []
    /// Which line of the history is shown; its count when none is.
    private var shown = 0
    /// What was typed before the history was looked at.
    private var draft = ""

    /// So many lines are remembered.
    static let historyLines = 200

    init(limitBytes: Int = 65_536) { self.limitBytes = limitBytes }

    /// The whole line.
    var text: String { before + after }

    mutating func handle(_ key: Key) -> Outcome {
        let old = (before, after)
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
        case .endOfInput:
            if before.isEmpty && after.isEmpty { return .leave }
            removeNext()
        case .redraw: return .changed
        }
        return old == (before, after) ? .unchanged : .changed
    }

    /// Puts a line back that could not be sent.
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
