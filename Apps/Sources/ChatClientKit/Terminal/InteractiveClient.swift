import RocketProgram
import RocketReactor
import RocketSystem

/// A chat client in a terminal: messages above, the input line below. Bound to its loop; lives
/// until the client ends.
final class InteractiveClient {
    private let controller: ChatClientController
    private let screen: TerminalScreen
    private let input: InputThread
    private var keys = KeyDecoder()
    private var isOver = false
    /// From leaving the terminal until it is entered again.
    private var isSuspended = false
    /// How often the terminal was left, now and when the last read was requested.
    private var suspensions = 0
    private var suspensionsAtRequest = 0
    /// A read has failed because of a suspension.
    private var isReadLost = false

    private init(
        _ controller: ChatClientController, _ screen: TerminalScreen, _ input: InputThread
    ) {
        self.controller = controller
        self.screen = screen
        self.input = input
    }

    /// Starts a client, with the terminal in raw mode until just before `onEnd`.
    ///
    /// - Parameter onEnd: runs once, at the end, with a failure or nil.
    /// - Throws: `SystemError` (ENOTTY, EIO: no terminal; EAGAIN: no more threads; EMFILE, ENFILE).
    static func start(
        _ settings: ChatClientController.Settings, on reactor: Reactor,
        onEnd: @escaping (ProgramFailure?) -> Void
    ) throws(SystemError) {
        let screen = TerminalScreen(limitBytes: settings.maxMessageBytes)
        let input = try InputThread(on: reactor.loop)
        var ended: (ProgramFailure?) -> Void = { _ in }
        let controller = ChatClientController(settings, view: screen, on: reactor) { ended($0) }
        let client = InteractiveClient(controller, screen, input)
        let mode = TerminalMode()
        try mode.enter()
        // Retains the client for the life of the controller.
        ended = { failure in
            client.isOver = true
            screen.close()
            mode.end()
            onEnd(failure)
        }
        let bound = LoopBound(client, on: reactor)
        input.onInput { bound.get().received($0) }
        do throws(SystemError) {
            try TerminalSignals.start(on: reactor.loop, mode) { bound.get().handle($0) }
        } catch {
            mode.end()
            throw error
        }
        screen.open()
        controller.start()
        client.requestRead()
    }

    // MARK: Input

    private func requestRead() {
        suspensionsAtRequest = suspensions
        isReadLost = false
        input.requestRead()
    }

    private func received(_ bytes: [UInt8]) {
        if bytes.isEmpty { return readFailed() }
        for byte in bytes { if let key = keys.decode(byte) { handle(key) } }
        if !isSuspended { screen.refresh() }
        requestRead()
    }

    /// Leaves at the end of the input. In the background reading fails, too: that read is repeated
    /// in the foreground.
    private func readFailed() {
        guard isSuspended || suspensionsAtRequest != suspensions || !Terminal.isForeground else {
            return controller.leave()
        }
        isReadLost = true
        if !isSuspended, Terminal.isForeground { requestRead() }
    }

    // MARK: Signals

    private func handle(_ event: TerminalSignals.Event) {
        if isOver { return }
        switch event {
        case .leave:
            isSuspended = true
            suspensions += 1
            screen.close()
        case .enter:
            isSuspended = false
            screen.open()
            if isReadLost { requestRead() }
        case .resized: if !isSuspended { screen.redraw() }
        }
    }

    // MARK: Keys

    private func handle(_ key: Key) {
        switch screen.handle(key) {
        case .unchanged, .changed: break
        case .leave: controller.leave()
        case .suspend: Signals.sendToProcessGroup(.terminalStop)
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
