import RocketBase
import RocketNATS
import RocketReactor
import RocketSystem
import RocketTCP

/// A backplane on core NATS: all servers of a room publish to one subject, and subscribe to it. Bound to
/// its loop. What is decided is in `BackplaneState`.
final class NATSBackplane: ChatBackplane {
    private let room: BackplaneRoom
    private let reactor: Reactor
    private let subject: NATSSubject
    private let configuration: ChatBackplaneConfiguration
    private var client: NATSClient?
    private var state: BackplaneState
    /// What has arrived in this tick, and is delivered at its end.
    private var inbound = ByteBuffer()
    private var awaitsTickEnd = false
    private var announcesAtTickEnd: BackplaneHeader.Kind?
    private var heartbeat: ScheduledTimer?
    /// Runs until the members are told that other servers are lost.
    private var lossTimer: ScheduledTimer?
    /// The members were told that other servers are lost, and not yet that they are back.
    private var isLossNoticeSent = false
    private var isReadingPaused = false
    private var stopped: (() -> Void)?
    private var isStopping = false

    init(_ configuration: ChatBackplaneConfiguration, room: BackplaneRoom, on reactor: Reactor)
        throws
    {
        self.room = room
        self.reactor = reactor
        self.configuration = configuration
        try configuration.check()
        subject = try configuration.subject
        let milliseconds = max(0, reactor.loop.time.wall().nanoseconds / 1_000_000)
        state = BackplaneState(
            id: ChatServerID(began: UInt64(milliseconds), random: reactor.random.next()),
            name: configuration.serverName)
    }

    // MARK: ChatBackplane

    func start() {
        var nats = configuration.nats
        // A message of our own may come nevertheless, by another server of NATS: see BackplaneState.
        nats.echo = false
        nats.name = "chat_server \(configuration.serverName)"
        do throws(NATSConfigurationError) {
            let client = try NATSClient(nats, on: reactor) { [weak self] in self?.handle($0) }
            self.client = client
            try client.subscribe(subject) { [weak self] message, bytes in
                self?.received(bytes.extracting(message.payload))
            }
            client.start()
            expectConnection()
        } catch {
            room.logger.warn("the room has no backplane") { $0.add("reason", error) }
        }
    }

    func publish(_ messages: SharedBytes, count: Int) {
        guard let client, client.isConnected else { return unsent(state.number(count), count) }
        messages.buffer.withBytes { bytes in
            // With room for the header, which has no name before messages.
            let most = max(0, (client.serverInfo?.maxPayloadBytes ?? 0) - Self.headerBytes)
            var rest = bytes
            while !rest.isEmpty {
                let part = ChatMessage.prefix(of: rest, atMost: most)
                if part.count == 0 { break }
                publish(rest.extracting(..<part.byteCount), count: part.count, by: client)
                rest = rest.extracting(part.byteCount...)
            }
        }
    }

    private static let headerBytes = 64

    private func publish(_ messages: RawSpan, count: Int, by client: NATSClient) {
        let number = state.number(count)
        let header = BackplaneHeader(
            kind: .messages, server: state.id, number: number, count: count)
        let outcome = client.publish(subject, byteCount: header.byteCount + messages.byteCount) {
            header.encode(into: &$0)
            $0.append(messages)
        }
        if outcome == .taken { return room.change { $0.sentMessages += count } }
        unsent(number, count, "\(outcome)")
    }

    /// The others miss these messages, and will notice by their numbers.
    private func unsent(_ number: UInt64, _ count: Int, _ reason: String = "not connected") {
        room.change { $0.unsentMessages += count }
        room.logger.throttled(.warn, "messages unsent")?.warn(
            "messages do not reach the other servers"
        ) {
            $0.add("messages", count)
            $0.add("reason", reason)
        }
    }

    func stop(_ completion: @escaping () -> Void) {
        if isStopping { return completion() }
        isStopping = true
        heartbeat?.cancel()
        lossTimer?.cancel()
        stopped = completion
        announce(.farewell)
        guard let client else { return end() }
        client.stop()
        reactor.schedule(after: .seconds(1), label: "chat backplane end") { [weak self] _ in
            self?.end()
        }
    }

    private func end() { stopped.take()?() }

    // MARK: The connection

    private func handle(_ event: NATSClient.Event) {
        switch event {
        case .connected(let info): connected(info)
        case .down(let loss, let wasConnected, let retryAfter):
            if wasConnected {
                room.change { $0.isConnected = false }
                expectConnection()
            }
            room.logger.throttled(.warn, "NATS is lost")?.warn(
                wasConnected ? "NATS is lost" : "NATS can't be reached"
            ) {
                $0.add("reason", loss)
                $0.add("retry_after", retryAfter)
            }
        case .serverError(let text):
            room.logger.throttled(.warn, "NATS refuses")?.warn("NATS refuses") {
                $0.add("reason", text)
            }
            // This room's subject is all that is used: what may not be published there, or received, is
            // not shared.
            if text.contains("Permissions Violation") {
                room.change { $0.isConnected = false }
                expectConnection()
            }
        case .stopped:
            room.change { $0.isConnected = false }
            end()
        }
    }

    private func connected(_ info: NATSServerInfo) {
        state.connected(at: reactor.now)
        lossTimer?.cancel()
        lossTimer = nil
        room.setLost(false)
        room.change { $0.isConnected = true }
        room.logger.info("NATS is connected") {
            $0.add("server", info.serverName)
            $0.add("version", info.version)
            $0.add("subject", subject.description)
        }
        if isLossNoticeSent { notify(ChatMessage.serversBackNotice) }
        isLossNoticeSent = false
        announceAtTickEnd(.hello)
        if heartbeat != nil { return }
        heartbeat = reactor.schedule(every: configuration.heartbeat, label: "chat heartbeat") {
            [weak self] _ in self?.beat()
        }
    }

    private func beat() {
        announce(.announcement)
        let servers = state.servers(at: reactor.now)
        room.change { $0.servers = servers }
    }

    /// Tells the members if there is no connection soon.
    private func expectConnection() {
        if lossTimer != nil || isLossNoticeSent || isStopping { return }
        lossTimer = reactor.schedule(
            after: configuration.lossNoticeAfter, label: "chat backplane lost"
        ) { [weak self] _ in self?.sendLossNotice() }
    }

    private func sendLossNotice() {
        lossTimer = nil
        isLossNoticeSent = true
        room.setLost(true)
        notify(ChatMessage.serversLostNotice)
    }

    private func announceAtTickEnd(_ kind: BackplaneHeader.Kind) {
        // An announcement that asks for answers is one, too.
        if announcesAtTickEnd != .hello { announcesAtTickEnd = kind }
        requestTickEnd()
    }

    private func announce(_ kind: BackplaneHeader.Kind) {
        let header = BackplaneHeader(
            kind: kind, server: state.id, number: state.next, name: state.name)
        client?.publish(subject, byteCount: header.byteCount) { header.encode(into: &$0) }
    }

    // MARK: What arrives

    private func received(_ payload: RawSpan) {
        guard let (header, start) = BackplaneHeader.decode(payload) else {
            return malformed("no header of this version")
        }
        let messages = payload.extracting(start...)
        guard (ChatMessage.count(in: messages) ?? -1) == header.count else {
            return malformed("not the messages that its header announces")
        }
        let outcome = state.received(header, at: reactor.now)
        let name = state.name(of: header.server) ?? header.name
        if outcome.isNew, header.kind != .farewell {
            room.logger.throttled(.info, "chat server")?.info("another chat server was heard of") {
                $0.add("name", name)
            }
        }
        reportMissing(outcome.missing, of: name)
        if outcome.delivers {
            inbound.append(messages)
            room.change { $0.receivedMessages += header.count }
            inboundGrew()
        } else if header.kind == .messages, header.server != state.id {
            room.change { $0.droppedMessages += header.count }
        }
        if outcome.isRenamed {
            room.logger.warn("another chat server has the name of this one, which changes its own")
            {
                $0.add("name", state.name)
            }
            room.rename(to: state.name)
        }
        if outcome.asks {
            announceAtTickEnd(.hello)
        } else if outcome.answers {
            announceAtTickEnd(.announcement)
        }
    }

    private func malformed(_ reason: String) {
        room.change { $0.droppedMessages += 1 }
        room.logger.throttled(.warn, "bad backplane")?.warn(
            "what came from NATS is none of a chat server's"
        ) { $0.add("reason", reason) }
    }

    private func reportMissing(_ missing: BackplaneState.Missing, of name: String) {
        switch missing {
        case .none: return
        case .some(let count):
            room.change { $0.addMissing(count) }
            notify(ChatMessage.missingNotice(count, server: name))
        case .unknown: notify(ChatMessage.perhapsMissingNotice(server: name))
        }
        room.logger.throttled(.warn, "messages missing")?.warn(
            "messages of a chat server are missing"
        ) {
            $0.add("server", name)
        }
    }

    /// Tells all members, in the place where they are in the stream.
    private func notify(_ notice: String) {
        ChatMessage.append(notice: notice, to: &inbound)
        inboundGrew()
    }

    private func inboundGrew() {
        if inbound.readableBytes >= LoopSessions.batchBytes { return deliver() }
        requestTickEnd()
    }

    private func requestTickEnd() {
        if awaitsTickEnd { return }
        awaitsTickEnd = true
        reactor.observeTickEnd(self)
    }

    private func deliver() {
        if inbound.isEmpty { return }
        var full = ByteBuffer()
        swap(&full, &inbound)
        room.deliver(SharedBytes(full))
        if room.isReadingTooFast { pauseReading() }
    }

    /// How long nothing is read when the loops have too much to deliver.
    private static let pause = Duration.milliseconds(2)

    private func pauseReading() {
        if isReadingPaused { return }
        isReadingPaused = true
        client?.pauseReading()
        resumeReadingLater()
    }

    private func resumeReadingLater() {
        reactor.schedule(after: Self.pause, label: "chat backplane pause") { [weak self] _ in
            self?.resumeReading()
        }
    }

    private func resumeReading() {
        if room.isReadingTooFast { return resumeReadingLater() }
        isReadingPaused = false
        client?.resumeReading()
    }
}

extension NATSBackplane: TickEndHandler {
    /// Delivers what has arrived, and announces the server. Called by the reactor.
    func tickEnding(on reactor: Reactor) {
        awaitsTickEnd = false
        if let kind = announcesAtTickEnd.take() { announce(kind) }
        deliver()
    }
}
