import RocketProgram
import RocketSystem

/// The terminal of `rocket top`: raw, with the alternate screen, while the program has it. Any thread.
final class TopTerminal: Sendable {
    private struct State: ~Copyable {
        var raw: RawTerminal?
        /// What was drawn last.
        var lines: [String] = []
        var isOver = false
        var departures = 0
    }

    private let state = Locked(State())

    /// Whether the program can draw on standard output, and read keys.
    static var isUsable: Bool {
        Terminal.isStandardOutput && StandardInput.isTerminal
            && isUsable(type: ProcessEnvironment.current["TERM"])
    }

    /// Whether a terminal of this type (TERM) moves the cursor.
    static func isUsable(type: String?) -> Bool {
        guard let type else { return false }
        return !type.isEmpty && type != "dumb"
    }

    /// Sets raw mode and the alternate screen without a cursor, again if something else has changed them,
    /// and draws what was drawn last. Without effect after `leave(forGood: true)`.
    ///
    /// - Throws: `SystemError`: the terminal is gone.
    func enter() throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in
            // First the former mode, or the next one would be restored to a raw one.
            state.raw = nil
            if state.isOver { return }
            state.raw = try RawTerminal()
            StandardOutput.write(text: "\u{1B}[?1049h\u{1B}[?25l" + Self.drawing(state.lines))
        }
    }

    /// Restores the former screen and mode.
    func leave(forGood: Bool = false) {
        state.withLock { state in
            if state.raw != nil { StandardOutput.write(text: "\u{1B}[?25h\u{1B}[?1049l") }
            if state.raw != nil { state.departures += 1 }
            state.raw = nil
            if forGood { state.isOver = true }
        }
    }

    /// How often the terminal was left. In the background reading keys fails, as at their end.
    var departures: Int { state.withLock { $0.departures } }

    /// Draws in place of what was drawn before; keeps the lines for `enter` while the terminal is left.
    func draw(_ lines: [String]) {
        state.withLock { state in
            state.lines = lines
            if state.raw != nil { StandardOutput.write(text: Self.drawing(lines)) }
        }
    }

    private static func drawing(_ lines: [String]) -> String {
        "\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\n") + "\u{1B}[J"
    }
}

/// The signals of `rocket top`. The terminal is as it was before whenever another program has it.
///
/// | signal | effect |
/// |---|---|
/// | SIGINT, SIGTERM, SIGHUP, SIGQUIT | leaves the terminal and ends the process by the signal |
/// | SIGTSTP | leaves the terminal and stops, until SIGCONT |
/// | SIGCONT | enters the terminal; stops again in the background, where it can't be used |
enum TopSignals {
    /// Handles signals from now on, on a thread of its own. Once per process.
    static func start(_ terminal: TopTerminal) throws(SystemError) {
        try Signals.listen(
            for: [.interrupt, .terminate, .hangUp, .quit, .terminalStop, .resume]
        ) { signal in
            switch signal {
            case .terminalStop: stop(terminal)
            case .resume where Terminal.isForeground: enter(terminal)
            case .resume: stop(terminal)
            default:
                terminal.leave(forGood: true)
                Signals.endProcess(by: signal)
            }
        }
    }

    /// Returns when the process was continued, or at once if no shell could do that.
    private static func stop(_ terminal: TopTerminal) {
        terminal.leave()
        // Not SIGTSTP: its default action would remain in place of the handler.
        Signals.performDefault(.backgroundRead)
        if Terminal.isForeground { enter(terminal) }
    }

    private static func enter(_ terminal: TopTerminal) {
        do throws(SystemError) { try terminal.enter() } catch {
            Signals.endProcess(by: .hangUp)
        }
    }
}
