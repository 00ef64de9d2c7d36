import RocketReactor
import RocketSystem
import RocketTCP

/// Joins a chat client's parts: what is typed or read goes to the link, what arrives to the
/// screen, by the rules of `ChatFlow`. Bound to its loop; lives until it is over.
final class ChatConductor {
    /// What the command line asks for.
    struct Settings {
        var addresses: [NetAddress]
        var connectTimeout: Duration
        var reconnects: Bool
        var maxMessageBytes: Int
        /// How long the server may take to end its side once we have ended ours.
        var leaveTimeout = Duration.seconds(5)
    }

    private let settings: Settings
    private let reactor: Reactor
    private let screen: any ChatScreen
    private let finish: (String?) -> Void
    private var flow: ChatFlow
    private var link: ChatLink?
    private var backOff = BackOff()
    /// Asks for more input; called when lines are wanted and none is at hand.
    var onWantsInput: () -> Void = {}
    private var lines = LineSplitter()
    private var isAsking = false
    private var isInputEnded = false

    /// - Parameter finish: it is over; with a failure in words, or well. Once.
    init(
        _ settings: Settings, screen: any ChatScreen, on reactor: Reactor,
        finish: @escaping (String?) -> Void
    ) {
        self.settings = settings
        self.reactor = reactor
        self.screen = screen
        self.finish = finish
        flow = ChatFlow(
            reconnects: settings.reconnects, maxMessageBytes: settings.maxMessageBytes)
    }

    func start() { connect() }

    /// What the input thread read; nothing at the end of the input.
    func received(input: [UInt8]) {
        isAsking = false
        if input.isEmpty {
            isInputEnded = true
            lines.end()
        } else {
            lines.append(input)
        }
        takeLines()
    }

    /// A line as it is; says whether it went out.
    func send(line: [UInt8]) -> Bool {
        let goes = flow.takesLines && line.count <= settings.maxMessageBytes
        perform(flow.handle(.line(line)))
        return goes
    }

    /// The user wants to go.
    func leave() { perform(flow.handle(.leave)) }

    /// Lines that were read go out as long as the connection takes them; the rest waits.
    private func takeLines() {
        while flow.takesLines, link?.hasRoom ?? false {
            guard let line = lines.next() else {
                if isInputEnded { leave() } else { askForInput() }
                return
            }
            perform(flow.handle(.line(line)))
        }
    }

    private func askForInput() {
        if isAsking { return }
        isAsking = true
        onWantsInput()
    }

    private func connect() {
        // It and the link keep each other until the end.
        let link = ChatLink { self.heard($0) }
        self.link = link
        link.connect(to: settings.addresses, within: settings.connectTimeout, on: reactor)
    }

    private func heard(_ event: ChatLink.Event) {
        switch event {
        case .connected(let address):
            backOff.succeeded()
            perform(flow.handle(.connected(to: address.description)))
            takeLines()
        case .connectFailed(let error): perform(flow.handle(.connectFailed(error.description)))
        case .message(let text): screen.show(message: text)
        case .hasRoom: takeLines()
        case .ended(let reason): perform(flow.handle(.ended(reason.description)))
        }
    }

    private func perform(_ action: ChatFlow.Action) {
        switch action {
        case .nothing: break
        case .connect: connect()
        case .send(let text): link?.send(text)
        case .tell(let words): screen.show(notice: words)
        case .retryLater(let why):
            let wait = backOff.next()
            screen.show(notice: "\(why); trying again")
            reactor.schedule(after: wait, label: "chat reconnect") { _ in
                self.perform(self.flow.handle(.retry))
            }
        case .finishSending:
            link?.finishSending()
            reactor.schedule(after: settings.leaveTimeout, label: "chat leave") { _ in
                self.perform(self.flow.handle(.leaveTimeout))
            }
        case .end(let failure):
            link?.close()
            link = nil
            onWantsInput = {}
            finish(failure)
        }
    }
}
