import RocketReactor
import RocketSystem

/// A chat client without a terminal: sends the lines of standard input and prints what arrives.
/// Bound to its loop; lives until it is over.
final class ScriptedClient {
    private let conductor: ChatClientController
    private let input: InputThread
    private var lines = LineSplitter()
    private var isAsking = false
    private var isInputEnded = false

    private init(_ conductor: ChatClientController, _ input: InputThread) {
        self.conductor = conductor
        self.input = input
    }

    /// - Throws: `SystemError` (EAGAIN: no more threads).
    static func start(
        _ settings: ChatClientController.Settings, on reactor: Reactor,
        finish: @escaping (String?) -> Void
    ) throws(SystemError) {
        // What a script sent is not cut off by a server that takes it slowly.
        var settings = settings
        settings.leaveTimeout = nil
        let conductor = ChatClientController(
            settings, screen: LineScreen(), on: reactor, finish: finish)
        let client = ScriptedClient(conductor, try InputThread(on: reactor.loop))
        conductor.onReady = { client.takeLines() }
        let bound = LoopBound(client, on: reactor)
        client.input.onInput { bound.get().received($0) }
        conductor.start()
    }

    /// What was read; nothing at the end of the input.
    private func received(_ bytes: [UInt8]) {
        isAsking = false
        if bytes.isEmpty {
            isInputEnded = true
            lines.end()
        } else {
            lines.append(bytes)
        }
        takeLines()
    }

    /// Lines go out as long as the connection takes them; the rest waits, unread if need be.
    private func takeLines() {
        while conductor.takesLines {
            if let line = lines.next() {
                conductor.send(line: line)
            } else if isInputEnded {
                return conductor.leave()
            } else {
                if isAsking { return }
                isAsking = true
                return input.ask()
            }
        }
    }
}
