import RocketReactor
import RocketSystem

/// A chat client in a terminal: messages above, the input line below. Bound to its loop; lives
/// until the client ends.
final class InteractiveClient {
    private let controller: ChatClientController
    private let screen: TerminalScreen
    private let input: InputThread
    private var keys = KeyDecoder()
    private var terminal: RawTerminal?

    private init(
        _ controller: ChatClientController, _ screen: TerminalScreen, _ input: InputThread
    ) {
        self.controller = controller
        self.screen = screen
        self.input = input
    }

    /// Starts a client, with the terminal in raw mode until just before `onEnd`.
    ///
    /// - Parameter onEnd: runs once, at the end, with the text of a failure or nil.
    /// - Returns: a function that redraws, to be used on the loop whenever the size of the terminal
    ///   has changed.
    /// - Throws: `SystemError` (ENOTTY, EIO: no terminal; EAGAIN: no more threads).
    static func start(
        _ settings: ChatClientController.Settings, on reactor: Reactor,
        onEnd: @escaping (String?) -> Void
    ) throws(SystemError) -> () -> Void {
        let screen = TerminalScreen(limitBytes: settings.maxMessageBytes)
        let input = try InputThread(on: reactor.loop)
        var ended: (String?) -> Void = { _ in }
        let controller = ChatClientController(settings, view: screen, on: reactor) { ended($0) }
        let client = InteractiveClient(controller, screen, input)
        client.terminal = try RawTerminal()
        // Retains the client for the life of the controller.
        ended = { failure in
            screen.close()
            client.terminal = nil
            onEnd(failure)
        }
        let bound = LoopBound(client, on: reactor)
        input.onInput { bound.get().received($0) }
        screen.open()
        controller.start()
        input.requestRead()
        return { screen.redraw() }
    }

    private func received(_ bytes: [UInt8]) {
        if bytes.isEmpty { return controller.leave() }
        for byte in bytes { if let key = keys.decode(byte) { handle(key) } }
        screen.refresh()
        input.requestRead()
    }

    private func handle(_ key: Key) {
        switch screen.handle(key) {
        case .unchanged, .changed: break
        case .leave: controller.leave()
        case .line(let line):
            if line.isEmpty { return }
            if controller.send(line: Array(line.utf8)) {
                screen.show(sent: line)
            } else if line != "exit" {
                screen.restore(line)
            }
        }
    }
}
