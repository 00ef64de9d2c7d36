import RocketBase
package import RocketProgram
package import RocketReactor
import RocketSystem
package import RocketTCP

/// Displays what happens in a chat client. Bound to the loop of the client.
package protocol ChatView: AnyObject {
    /// Displays a message of the server.
    func show(message: [UInt8])
    /// Displays a notice of the client itself.
    func show(notice: String)
}

/// Connects a chat client's connection with its input and its view, by the rules of
/// `ChatClientState`. Bound to its loop.
package final class ChatClientController {
    /// The options of the command line.
    package struct Settings {
        var target: PersistentConnection.Target
        var connectTimeout: Duration
        var reconnects: Bool
        var maxMessageBytes: Int
        /// What protects the connection; nil: nothing.
        var security: (any ClientTransportSecurity)?
        /// Whether lines that were too long or refused by the server make the client fail.
        var failsForLines = false
        /// How long the server may take to end its stream after ours has ended; nil: without a
        /// limit, until it has read everything.
        var leaveTimeout: Duration? = .seconds(2)

        /// What has no default.
        package init(
            target: PersistentConnection.Target, connectTimeout: Duration, reconnects: Bool,
            maxMessageBytes: Int
        ) {
            self.target = target
            self.connectTimeout = connectTimeout
            self.reconnects = reconnects
            self.maxMessageBytes = maxMessageBytes
        }
    }

    private let settings: Settings
    private let reactor: Reactor
    private let view: any ChatView
    private var onEnd: ((ProgramFailure?) -> Void)?
    private var state: ChatClientState
    private var connection: PersistentConnection?
    /// Runs when lines can be sent again.
    package var onReady: () -> Void = {}

    /// - Parameter onEnd: runs once, at the end, with a failure or nil.
    package init(
        _ settings: Settings, view: any ChatView, on reactor: Reactor,
        onEnd: @escaping (ProgramFailure?) -> Void
    ) {
        self.settings = settings
        self.reactor = reactor
        self.view = view
        self.onEnd = onEnd
        state = ChatClientState(
            reconnects: settings.reconnects, maxMessageBytes: settings.maxMessageBytes,
            failsForLines: settings.failsForLines)
    }

    /// Whether a line would be sent now.
    package var acceptsLines: Bool {
        state.phase == .online && connection?.connection?.isWritable == true
    }

    /// Begins to connect.
    package func start() {
        var configuration = PersistentConnectionConfiguration()
        configuration.connectTimeout = settings.connectTimeout
        configuration.security = settings.security
        configuration.connection.inputLimitBytes = ChatConnectionHandler.inputLimitBytes
        // The output is bounded by `acceptsLines`. The server does not read from a client that does
        // not read: if this one stopped reading while its lines wait, both would wait for ever.
        configuration.connection.readsAboveHighWater = true
        // The connection and the controller retain each other until the end.
        let connection = PersistentConnection(
            to: settings.target, on: reactor, configuration: configuration,
            makeHandler: { _ in
                ChatConnectionHandler(
                    onText: { self.received($0) }, onWritable: { self.onReady() })
            },
            observe: { self.connectionChanged($0) })
        self.connection = connection
        connection.start()
    }

    /// Sends one line of the user; returns false if it was not sent.
    @discardableResult
    package func send(line: [UInt8]) -> Bool {
        let action = state.handle(.line(line))
        perform(action)
        if case .send = action { return true }
        return false
    }

    /// Leaves the chat: ends our stream, then waits for the end of the server's.
    package func leave() { perform(state.handle(.leave)) }

    private func received(_ text: [UInt8]) {
        view.show(message: text)
        perform(state.handle(.text(text)))
    }

    private func connectionChanged(_ event: PersistentConnection.Event) {
        switch event {
        case .up(let connection):
            perform(state.handle(.up(connection.peerAddress.description)))
            onReady()
        case .down(.closed(.peerFinished), _) where state.phase == .leaving:
            perform(state.handle(.ended))
        case .down(let loss, let wait):
            let seconds = Double(wait.wholeNanoseconds) / 1e9
            perform(
                state.handle(
                    .down(loss.description, retryAfter: seconds, status: Self.status(of: loss))))
        case .stopped:
            connection = nil
        }
    }

    private static func status(of loss: PersistentConnection.Loss) -> ExitStatus {
        if case .connect(let error) = loss, error.kind == .notPermitted { return .notPermitted }
        return .unavailable
    }

    private func perform(_ action: ChatClientState.Action) {
        switch action {
        case .nothing: break
        case .send(let text):
            if let open = connection?.connection { ChatConnectionHandler.send(text, on: open) }
        case .notify(let notice): view.show(notice: notice)
        case .finishSending:
            connection?.connection?.finishWriting()
            guard let limit = settings.leaveTimeout else { return }
            reactor.schedule(after: limit, label: "chat leave") { _ in
                self.perform(self.state.handle(.leaveTimeout))
            }
        case .end(let failure):
            onReady = {}
            connection?.stop(.now)
            let onEnd = onEnd.take()
            onEnd?(failure)
        }
    }
}
