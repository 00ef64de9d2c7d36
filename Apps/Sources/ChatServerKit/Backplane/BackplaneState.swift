import RocketSystem

/// What a server knows of itself and of the others of its room: names, the numbers of messages, and
/// what follows from the header of what arrives. A pure value; the caller passes the time.
struct BackplaneState {
    /// Messages of a server that did not arrive.
    enum Missing: Equatable {
        case none
        case some(UInt64)
        /// Perhaps some: the server had sent messages before it was heard of.
        case unknown
    }

    /// What is to be done.
    struct Outcome: Equatable {
        /// The messages behind the header are to be delivered.
        var delivers = false
        /// Messages of that server are missing before them.
        var missing = Missing.none
        /// This server has another name from now on.
        var isRenamed = false
        /// This server is to be announced to the others.
        var answers = false
        /// The others are to be asked to announce themselves: the name of one is not known.
        var asks = false
        /// A server of that name was heard of for the first time.
        var isNew = false
    }

    private struct Peer {
        let id: ChatServerID
        var name: String
        /// The number of its next message.
        var next: UInt64
        var heardAt: MonotonicTime
        /// It has said so. What it had sent by an earlier connection may still come, and was declared
        /// missing.
        var hasEnded = false
    }

    let id: ChatServerID
    private let configuredName: String
    /// The name of this server.
    private(set) var name: String
    /// The number of the next message of this server.
    private(set) var next: UInt64 = 0
    /// In the order in which they were heard of first.
    private var peers: [Peer] = []
    /// Until then the others are being found: what they have sent before is no loss. Nil before the
    /// first connection.
    private var settledAt: MonotonicTime?

    /// Beyond so many servers the one that was silent for longest is forgotten.
    static let maxPeers = 1000
    /// How long servers are being found, from the first connection.
    static let settlingTime = Duration.seconds(5)
    /// A server that was silent for so long does not count as there.
    static let silence = Duration.seconds(7)
    /// A server that has ended is remembered for so long: longer than its messages can be on their way.
    static let endedMemory = Duration.seconds(600)

    init(id: ChatServerID, name: String) {
        self.id = id
        configuredName = name
        self.name = name
    }

    /// Returns the number of the first of so many messages of this server. Each counts, also those that
    /// are not sent: that is how the others notice.
    mutating func number(_ count: Int) -> UInt64 {
        defer { next += UInt64(count) }
        return next
    }

    /// Other servers can be reached.
    mutating func connected(at now: MonotonicTime) {
        if settledAt == nil { settledAt = now + Self.settlingTime }
    }

    /// How many other servers were heard of lately.
    func servers(at now: MonotonicTime) -> Int {
        peers.count { !$0.hasEnded && now - $0.heardAt < Self.silence }
    }

    /// The name of a server; nil: it is not known.
    func name(of server: ChatServerID) -> String? {
        peers.first { $0.id == server }?.name
    }

    mutating func received(_ header: BackplaneHeader, at now: MonotonicTime) -> Outcome {
        var outcome = Outcome()
        if header.server == id { return outcome }
        let isMessages = header.kind == .messages
        guard let index = peers.firstIndex(where: { $0.id == header.server }) else {
            outcome.isNew = true
            outcome.delivers = isMessages
            outcome.missing = missing(before: header, at: now)
            outcome.asks = isMessages
            add(header, at: now)
            resolveName(header, &outcome)
            return outcome
        }
        peers[index].heardAt = now
        if !isMessages { peers[index].name = header.name }
        let expected = peers[index].next
        if header.number >= expected {
            outcome.missing = header.number > expected ? .some(header.number - expected) : .none
            outcome.delivers = isMessages
            peers[index].next = header.number + UInt64(header.count)
            peers[index].hasEnded = header.kind == .farewell
        }
        resolveName(header, &outcome)
        return outcome
    }

    /// What was missed of a server that was not known: nothing that it has sent while this server was
    /// still looking for others; everything, if it began later than this one.
    private func missing(before header: BackplaneHeader, at now: MonotonicTime) -> Missing {
        guard header.number > 0, let settledAt, now >= settledAt else { return .none }
        return header.server < id ? .unknown : .some(header.number)
    }

    private mutating func add(_ header: BackplaneHeader, at now: MonotonicTime) {
        peers.removeAll { $0.hasEnded && now - $0.heardAt > Self.endedMemory }
        if peers.count >= Self.maxPeers {
            let oldest = peers.indices.min { peers[$0].heardAt < peers[$1].heardAt }
            if let oldest { peers.remove(at: oldest) }
        }
        peers.append(
            Peer(
                id: header.server, name: header.name.isEmpty ? "?" : header.name,
                next: header.number + UInt64(header.count), heardAt: now,
                hasEnded: header.kind == .farewell))
    }

    /// Of two servers with one name the later one takes another.
    private mutating func resolveName(_ header: BackplaneHeader, _ outcome: inout Outcome) {
        if header.kind == .hello { outcome.answers = true }
        guard header.kind != .farewell, header.name == name else { return }
        outcome.answers = true
        if id < header.server { return }
        let short = "\(configuredName)-\(id.shortText)"
        name = name == short ? "\(configuredName)-\(id.longText)" : short
        outcome.isRenamed = true
    }
}
