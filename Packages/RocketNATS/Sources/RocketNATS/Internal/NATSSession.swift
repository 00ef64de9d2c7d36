import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

/// One connection of a client: the exchange at its start, what the server sends, and whether it still
/// answers. Bound to the loop; owned by its connection.
final class NATSSession: TCPConnectionHandler {
    private enum Phase {
        /// The server's `INFO` has not come.
        case connected
        /// `CONNECT`, `PING` and the subscriptions were sent; the `PONG` has not come.
        case greeted
        case ready
        case closed
    }

    private enum Ping {
        case liveness
        case roundTrip((Bool) -> Void)
    }

    private let client: NATSClient
    private let codec: NATSCodec
    private var phase = Phase.connected
    private(set) var connection: TCPConnection?
    private(set) var info = NATSServerInfo()
    private(set) var wasReady = false
    /// The `PING`s that were not answered, in their order.
    private var pings = RingBuffer<Ping>()
    /// The latest `PING`s for liveness behind which nothing has arrived.
    private var unansweredPings = 0
    private var hasReceived = false
    private var timer: ScheduledTimer?

    init(_ client: NATSClient) {
        self.client = client
        codec = NATSCodec(maxMessageBytes: client.configuration.maxMessageBytes)
    }

    /// Whether the server has answered the first `PING`, and the connection accepts output.
    var isReady: Bool { phase == .ready && connection?.state == .connected }

    /// Takes nothing more from the server; the connection is closed by its owner.
    func stop() { phase = .closed }

    // MARK: TCPConnectionHandler

    func connected(_ connection: TCPConnection) {
        self.connection = connection
        let limit = client.configuration.connectTimeout
        timer = connection.reactor.schedule(after: limit, label: "NATS greeting") {
            [weak self] _ in
            self?.reject("no \(self?.phase == .connected ? "INFO" : "PONG") within \(limit)")
        }
    }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        hasReceived = true
        var taken = 0
        do {
            try input.withBytes { (bytes) throws(NATSProtocolError) in
                while phase != .closed,
                    case .frame(let frame, let byteCount) = try codec.step(
                        bytes.extracting(taken...))
                {
                    try take(frame, bytes.extracting(taken..<(taken + byteCount)))
                    taken += byteCount
                }
            }
            input.consume(taken)
        } catch {
            reject("\(error) (at byte \(taken) of what was read)")
        }
    }

    func inputEnded(_ connection: TCPConnection) {
        connection.close(.now, reason: .peerFinished)
    }

    func closed(_ connection: TCPConnection, reason: CloseReason) {
        phase = .closed
        self.connection = nil
        timer?.cancel()
        timer = nil
        while let ping = pings.popFirst() { answer(ping, false) }
    }

    private func reject(_ reason: String) {
        connection?.close(.now, reason: .rejected(reason))
        phase = .closed
    }

    // MARK: What the server sends

    private func take(_ frame: NATSFrame, _ bytes: RawSpan) throws(NATSProtocolError) {
        switch frame {
        case .message(let message):
            if phase == .connected { throw early("MSG") }
            client.deliver(message, in: bytes)
        case .ping: connection?.write { NATSCommand.pong(to: &$0) }
        case .pong: try pong()
        case .ok: break
        case .info(let json):
            info = try bytes.bytes(json) { (bytes) throws(NATSProtocolError) in
                try NATSServerInfo(json: Array(copying: bytes))
            }
            // Before the handshake of TLS anybody may have written it.
            let isTrusted = phase != .connected || client.configuration.security == nil
            if phase == .connected { greet() }
            if isTrusted { client.infoChanged(self, info) }
        case .error(let text):
            client.serverError(
                bytes.bytes(text) { String(decoding: Array(copying: $0), as: UTF8.self) })
        }
    }

    private func early(_ operation: String) -> NATSProtocolError {
        NATSProtocolError(.order, at: 0, "found \(operation) before it was asked for")
    }

    private func greet() {
        let configuration = client.configuration
        // With a security the handshake has ended before.
        if info.requiresTLS, configuration.security == nil {
            return reject("the NATS server requires TLS, and none is configured")
        }
        do throws(NATSConfigurationError) {
            let json = try connectJSON(configuration)
            connection?.write { NATSCommand.connect(json, to: &$0) }
        } catch { return reject(error.description) }
        phase = .greeted
        // Its PONG comes before the first message of a subscription.
        connection?.write { NATSCommand.ping(to: &$0) }
        for subscription in client.allSubscriptions { subscribe(subscription) }
    }

    private func connectJSON(
        _ configuration: NATSConfiguration
    ) throws(NATSConfigurationError) -> String {
        let members = try configuration.credentials.members(nonce: info.nonce)
        let hasTLS = configuration.security != nil
        return #"{"verbose":false,"pedantic":false,"lang":"swift","version":"1","protocol":1"#
            + #","headers":true,"no_responders":false,"echo":\#(configuration.echo)"#
            + #","tls_required":\#(hasTLS),"name":\#(JSONObject.quoted(configuration.name))"#
            + "\(members)}"
    }

    private func pong() throws(NATSProtocolError) {
        switch phase {
        case .connected: throw early("PONG")
        case .greeted:
            phase = .ready
            wasReady = true
            expectAnswers()
            client.ready(self, info)
        case .ready, .closed:
            // One that nobody has asked for does no harm.
            if let ping = pings.popFirst() { answer(ping, true) }
        }
    }

    // MARK: What is sent

    func subscribe(_ entry: NATSSubscriptions.Entry) {
        if phase == .connected || phase == .closed { return }
        connection?.write {
            NATSCommand.subscribe(
                entry.subject.utf8, queueGroup: entry.queueGroup, subscription: entry.id, to: &$0)
        }
    }

    func unsubscribe(_ id: UInt64) {
        if phase == .connected || phase == .closed { return }
        connection?.write { NATSCommand.unsubscribe(id, to: &$0) }
    }

    /// The most `PING`s that wait for an answer.
    private static let maxPings = 1024

    func ping(_ completion: @escaping (Bool) -> Void) {
        if pings.count >= Self.maxPings { return completion(false) }
        send(.roundTrip(completion))
    }

    private func send(_ ping: Ping) {
        pings.append(ping)
        connection?.write { NATSCommand.ping(to: &$0) }
    }

    private func answer(_ ping: Ping, _ isAnswered: Bool) {
        switch ping {
        case .liveness: break
        case .roundTrip(let completion): completion(isAnswered)
        }
    }

    private func expectAnswers() {
        timer?.cancel()
        let interval = client.configuration.pingInterval
        timer = client.reactor.schedule(every: interval, label: "NATS ping") { [weak self] _ in
            self?.checkAnswers()
        }
    }

    private func checkAnswers() {
        // Behind a long queue of messages the PONG is late, and while reading is paused nothing comes:
        // the server answers nevertheless.
        if hasReceived || client.isReadingPaused { unansweredPings = 0 }
        hasReceived = false
        if unansweredPings >= max(1, client.configuration.maxUnansweredPings) {
            return reject("the NATS server has not answered \(unansweredPings) pings")
        }
        unansweredPings += 1
        if pings.count < Self.maxPings { send(.liveness) }
    }
}
