import RocketProgram
import RocketSystem

/// The screen of an interactive client: messages scroll above, the input line stays at the bottom.
/// Bound to the loop of the client.
final class TerminalScreen: ChatView {
    private(set) var editor: LineEditor
    private var line = InputLine()
    private var isStale = false
    private var isOpen = false
    private let text = TerminalText.standardOutput
    private let write: (String) -> Void
    private let columns: () -> Int

    /// - Parameters:
    ///   - write: writes text to the terminal, without buffering.
    ///   - columns: returns the present width.
    init(
        limitBytes: Int,
        write: @escaping (String) -> Void = { StandardOutput.write(text: $0) },
        columns: @escaping () -> Int = { RawTerminal.columns }
    ) {
        editor = LineEditor(limitBytes: limitBytes)
        self.write = write
        self.columns = columns
    }

    /// The terminal marks pasted text (bracketed paste), from `open` to `close`.
    private static let (marksPastes, marksNoPastes) = ("\u{1B}[?2004h", "\u{1B}[?2004l")

    /// Draws the input line for the first time, or again after other programs have used the
    /// terminal.
    func open() {
        let columns = columns()
        let erased = isOpen ? line.erase(columns: columns) : ""
        isOpen = true
        isStale = false
        write(erased + Self.marksPastes + line.draw(editor, columns: columns))
    }

    /// Erases the input line, until `open`.
    func close() {
        if !isOpen { return }
        isOpen = false
        write(line.erase(columns: columns()) + Self.marksNoPastes)
    }

    func show(message: [UInt8]) {
        writeAbove(TerminalText.safe(String(decoding: message, as: UTF8.self)) + "\n")
    }

    func show(notice: String) { writeAbove(text.dim("* " + TerminalText.safe(notice)) + "\n") }

    /// Shows a line of the user above the input line.
    func show(sent: String) {
        writeAbove(text.dim(InputLine.prompt) + TerminalText.safe(sent) + "\n")
    }

    /// Handles one key. Its effect is drawn by `refresh`, or with the next message.
    func handle(_ key: Key) -> LineEditor.Outcome {
        let outcome = editor.handle(key)
        if outcome != .unchanged { isStale = true }
        return outcome
    }

    /// Shows a line again that could not be sent.
    func restore(_ line: String) {
        editor.restore(line)
        isStale = true
    }

    /// Draws the changes since the last drawing.
    func refresh() { if isStale { redraw() } }

    /// Draws the input line again, for the present width of the terminal.
    func redraw() { writeAbove("") }

    private func writeAbove(_ output: String) {
        guard isOpen else { return write(output) }
        let columns = columns()
        write(line.erase(columns: columns) + output + line.draw(editor, columns: columns))
        isStale = false
    }
}
