import RocketBase
import RocketProgram
import RocketReactor
import RocketSystem

/// A chat client without a terminal: sends the lines of standard input and prints messages. Bound
/// to its loop; lives until the client ends.
final class ScriptedClient {
    private let controller: ChatClientController
    private let input: InputThread
    private var lines: LineSplitter
    private var isReading = false
    private var isInputEnded = false

    private init(
        _ controller: ChatClientController, _ input: InputThread, _ lines: LineSplitter
    ) {
        self.controller = controller
        self.input = input
        self.lines = lines
    }

    /// Starts a client.
    ///
    /// - Parameter onEnd: runs once, at the end, with a failure or nil.
    /// - Throws: `SystemError` (EAGAIN: no more threads).
    static func start(
        _ settings: ChatClientController.Settings, on reactor: Reactor,
        onEnd: @escaping (ProgramFailure?) -> Void
    ) throws(SystemError) {
        // Without a limit, or a slow server would lose the last lines of a script.
        var settings = settings
        settings.leaveTimeout = nil
        settings.failsForLines = true
        let controller = ChatClientController(
            settings, view: LineView(), on: reactor, onEnd: onEnd)
        let client = ScriptedClient(
            controller, try InputThread(on: reactor.loop),
            LineSplitter(limitBytes: settings.maxMessageBytes))
        controller.onReady = { client.sendLines() }
        let bound = LoopBound(client, on: reactor)
        client.input.onInput { bound.get().received($0) }
        controller.start()
    }

    /// Appends bytes of standard input; an empty array is its end.
    private func received(_ bytes: [UInt8]) {
        isReading = false
        if bytes.isEmpty {
            isInputEnded = true
            lines.end()
        } else {
            lines.append(bytes)
        }
        sendLines()
    }

    /// Sends lines as long as the connection accepts them, and reads only when none is left.
    private func sendLines() {
        while controller.acceptsLines {
            if let line = lines.next() {
                controller.send(line: line)
            } else if isInputEnded {
                return controller.leave()
            } else {
                if isReading { return }
                isReading = true
                return input.requestRead()
            }
        }
    }
}

/// Prints each message as one line on standard output, and notices on standard error. Escapes
/// control characters, so that a message can't add lines of its own.
private final class LineView: ChatView {
    func show(message: [UInt8]) {
        StandardOutput.write(line: TerminalText.safe(String(decoding: message, as: UTF8.self)))
    }

    func show(notice: String) {
        StandardError.write(line: "chat_client: \(TerminalText.safe(notice))", level: .info)
    }
}
