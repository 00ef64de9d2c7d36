import RocketReactor
import RocketSystem
import RocketTCP

/// Joins a chat client's connection with what a person or a script says and sees, by the rules
/// of `ChatClientState`. Bound to its loop.
final class ChatClientController {
    /// What the command line asks for.
    struct Settings {
        var target: PersistentConnection.Target
        var connectTimeout: Duration
        var reconnects: Bool
        var maxMessageBytes: Int
        /// How long the server may take to end its side once we have ended ours; nil: as long as
        /// it needs to take in what was sent.
        var leaveTimeout: Duration? = .seconds(2)
    }

    private let settings: Settings
    private let reactor: Reactor
    private let screen: any ChatView
    private var finish: ((String?) -> Void)?
    private var flow: ChatClientState
    private var connection: PersistentConnection?
    /// Lines may go out again.
    var onReady: () -> Void = {}

    /// - Parameter finish: it is over; with a failure in words, or well. Once.
    init(
        _ settings: Settings, screen: any ChatView, on reactor: Reactor,
        finish: @escaping (String?) -> Void
    ) {
        self.settings = settings
        self.reactor = reactor
        self.screen = screen
        self.finish = finish
        flow = ChatClientState(
            reconnects: settings.reconnects, maxMessageBytes: settings.maxMessageBytes)
    }

    /// Whether a line would go out now.
    var takesLines: Bool { flow.phase == .online && connection?.connection?.isWritable == true }

    /// Begins to connect.
    func start() {
        var configuration = PersistentConnectionConfiguration()
        configuration.connectTimeout = settings.connectTimeout
        configuration.connection.inputLimitBytes = ChatLink.inputLimitBytes
        // It and this keep each other until the end.
        let connection = PersistentConnection(
            to: settings.target, on: reactor, configuration: configuration,
            makeHandler: { _ in
                ChatLink(
                    receive: { self.screen.show(message: $0) }, roomAgain: { self.onReady() })
            },
            observe: { self.heard($0) })
        self.connection = connection
        connection.start()
    }

    /// One line of the user; false when it did not go out.
    @discardableResult
    func send(line: [UInt8]) -> Bool {
        let action = flow.handle(.line(line))
        perform(action)
        if case .send = action { return true }
        return false
    }

    /// The user wants to go.
    func leave() { perform(flow.handle(.leave)) }

    private func heard(_ event: PersistentConnection.Event) {
        switch event {
        case .up(let connection):
            perform(flow.handle(.up(connection.peerAddress.description)))
            onReady()
        case .down(let loss, let wait):
            let seconds = Double(wait.wholeNanoseconds) / 1e9
            perform(flow.handle(.down(loss.description, retryAfter: seconds)))
        case .stopped:
            connection = nil
        }
    }

    private func perform(_ action: ChatClientState.Action) {
        switch action {
        case .nothing: break
        case .send(let text):
            if let open = connection?.connection { ChatLink.send(text, on: open) }
        case .tell(let words): screen.show(notice: words)
        case .finishSending:
            connection?.connection?.finishWriting()
            guard let limit = settings.leaveTimeout else { return }
            reactor.schedule(after: limit, label: "chat leave") { _ in
                self.perform(self.flow.handle(.leaveTimeout))
            }
        case .end(let failure):
            onReady = {}
            connection?.stop(.now)
            let finish = finish.take()
            finish?(failure)
        }
    }
}
