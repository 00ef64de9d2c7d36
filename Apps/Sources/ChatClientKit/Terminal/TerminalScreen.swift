import RocketProgram
import RocketSystem

/// A person's terminal: messages scroll by above, the line that is being typed stays below.
/// Bound to the client's loop.
final class TerminalScreen: ChatView {
    private(set) var editor: LineEditor
    private var line = InputLine()
    private var isStale = false
    private var isOpen = false
    private let text = TerminalText.standardOutput
    private let write: (String) -> Void
    private let columns: () -> Int

    /// - Parameters:
    ///   - write: puts text on the terminal, at once.
    ///   - columns: how wide it is now.
    init(
        limitBytes: Int,
        write: @escaping (String) -> Void = { StandardOutput.write(text: $0) },
        columns: @escaping () -> Int = { RawTerminal.columns }
    ) {
        editor = LineEditor(limitBytes: limitBytes)
        self.write = write
        self.columns = columns
    }

    /// Shows the line for the first time.
    func open() {
        isOpen = true
        write(line.draw(editor, columns: columns()))
    }

    /// Takes the line away for good.
    func close() {
        isOpen = false
        write(line.erase(columns: columns()))
    }

    func show(message: [UInt8]) {
        above(TerminalText.safe(String(decoding: message, as: UTF8.self)) + "\n")
    }

    func show(notice: String) { above(text.dim("* " + TerminalText.safe(notice)) + "\n") }

    /// What was sent stays to be seen.
    func show(sent: String) {
        above(text.dim(InputLine.prompt) + TerminalText.safe(sent) + "\n")
    }

    /// One key. What it changes is seen after `refresh`, or with the next message.
    func handle(_ key: Key) -> LineEditor.Outcome {
        let outcome = editor.handle(key)
        if outcome != .unchanged { isStale = true }
        return outcome
    }

    /// A line that could not be sent can be sent later.
    func restore(_ line: String) {
        editor.restore(line)
        isStale = true
    }

    /// Shows what keys have changed.
    func refresh() { if isStale { redraw() } }

    /// Anew, for the width that the terminal has now.
    func redraw() { above("") }

    private func above(_ words: String) {
        let columns = columns()
        let text = line.erase(columns: columns) + words
        write(isOpen ? text + line.draw(editor, columns: columns) : text)
        isStale = false
    }
}
