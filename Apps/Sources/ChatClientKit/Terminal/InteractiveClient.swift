import RocketReactor
import RocketSystem

/// A chat client at a terminal: messages above, the line that is being typed below. Bound to its
/// loop; lives until it is over.
final class InteractiveClient {
    private let conductor: ChatClientController
    private let screen: TerminalScreen
    private let input: InputThread
    private var keys = KeyDecoder()
    private var terminal: RawTerminal?

    private init(_ conductor: ChatClientController, _ screen: TerminalScreen, _ input: InputThread)
    {
        self.conductor = conductor
        self.screen = screen
        self.input = input
    }

    /// Takes the terminal over until it is over; it is as it was before when `finish` is called.
    ///
    /// - Returns: to be called on the loop whenever the terminal's size has changed.
    /// - Throws: `SystemError` (ENOTTY, EIO: no terminal; EAGAIN: no more threads).
    static func start(
        _ settings: ChatClientController.Settings, on reactor: Reactor,
        finish: @escaping (String?) -> Void
    ) throws(SystemError) -> () -> Void {
        let screen = TerminalScreen(limitBytes: settings.maxMessageBytes)
        let input = try InputThread(on: reactor.loop)
        var ended: (String?) -> Void = { _ in }
        let conductor = ChatClientController(settings, screen: screen, on: reactor) { ended($0) }
        let client = InteractiveClient(conductor, screen, input)
        client.terminal = try RawTerminal()
        // Keeps the client as long as the conductor lives.
        ended = { failure in
            screen.close()
            client.terminal = nil
            finish(failure)
        }
        let bound = LoopBound(client, on: reactor)
        input.onInput { bound.get().received($0) }
        screen.open()
        conductor.start()
        input.ask()
        return { screen.redraw() }
    }

    private func received(_ bytes: [UInt8]) {
        if bytes.isEmpty { return conductor.leave() }
        for byte in bytes { if let key = keys.decode(byte) { typed(key) } }
        screen.refresh()
        input.ask()
    }

    private func typed(_ key: Key) {
        switch screen.handle(key) {
        case .unchanged, .changed: break
        case .leave: conductor.leave()
        case .line(let line):
            if line.isEmpty { return }
            if conductor.send(line: Array(line.utf8)) {
                screen.show(sent: line)
            } else if line != "exit" {
                screen.restore(line)
            }
        }
    }
}
