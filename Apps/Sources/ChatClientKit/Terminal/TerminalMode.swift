import RocketSystem

/// The mode of the terminal on standard input: raw while the client uses it. Any thread.
final class TerminalMode: Sendable {
    private struct State: ~Copyable {
        var raw: RawTerminal?
        var isOver = false
    }

    private let state = Locked(State())

    /// Sets raw mode, again if something else has changed the mode. Without effect after `end`.
    ///
    /// - Throws: `SystemError` (ENOTTY: no terminal; EIO: it was disconnected).
    func enter() throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in
            // First the former mode, or the next one would be restored to a raw one.
            state.raw = nil
            if !state.isOver { state.raw = try RawTerminal() }
        }
    }

    /// Restores the former mode.
    func leave() { state.withLock { $0.raw = nil } }

    /// Restores the former mode for good.
    func end() {
        state.withLock {
            $0.isOver = true
            $0.raw = nil
        }
    }
}
