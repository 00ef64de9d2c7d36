import RocketSimulation
import RocketSystem

// SAFETY: confined to the world's thread, as the connections of its hosts are.

/// The records of a chat in a world: reports to it what breaks a rule. Bound to the world's thread.
final class ChatHistory: @unchecked Sendable {
    let world: World
    private var records: ChatRecords
    private var faults: [Fault] = []
    /// From then on each user has to receive something of each other one.
    private var mark: Duration?
    private var reached: Set<[Int]> = []

    init(_ world: World, _ rules: ChatRules) {
        self.world = world
        records = ChatRecords(rules)
    }

    /// The faults that will happen.
    func expect(_ faults: [Fault]) { self.faults = faults }

    // MARK: Events of clients

    /// A client is connected.
    ///
    /// - Parameter beganAt: when it began to connect, at the earliest.
    /// - Returns: the number of the connection.
    func up(_ user: ChatUser, since beganAt: Duration, readsAlways: Bool) -> Int {
        let (host, process) = (user.host, user.host.starts)
        let id = records.add(
            ChatRecords.Connection(
                user: user.number, isAlive: { host.isRunning && host.starts == process },
                beganAt: beganAt, upAt: world.elapsed,
                readsAlways: readsAlways && !user.hasSlowLink))
        world.count("connections")
        world.record("chat up", UInt64(user.number), UInt64(id)) {
            "user \(user.number) is connected: \(id)"
        }
        return id
    }

    func readsSlowly(_ id: Int) { records.change(id) { $0.readsAlways = false } }

    func left(_ id: Int) { records.change(id) { $0.leftAt = $0.leftAt ?? world.elapsed } }

    func ended(_ id: Int) {
        records.change(id) { $0.endedAt = $0.endedAt ?? world.elapsed }
        world.record("chat down", UInt64(id)) { "connection \(id) has ended" }
    }

    func text(_ id: Int, paddingBytes: Int, _ fate: ChatRecords.Fate) -> [UInt8] {
        records.text(id, paddingBytes: paddingBytes, fate)
    }

    func sent(_ id: Int, _ text: [UInt8], _ fate: ChatRecords.Fate) {
        let number = records.sent(id, text, fate, at: world.elapsed)
        world.count("messages")
        world.record("chat sent", UInt64(id), UInt64(number), UInt64(text.count)) {
            "message \(id).\(number): \(text.count) bytes, \(fate)"
        }
        let line = records.connections[id].lines[number]
        let due = line.servedAt + Self.deliveryTime
        guard fate == .broadcast, isCalm(from: line.sentAt, to: due) else { return }
        world.schedule(after: due - world.elapsed) { [self] in
            world.count("arrivals checked")
            report(records.checkArrival(of: number, from: id))
        }
    }

    func received(_ text: [UInt8], on id: Int) {
        let (line, problem) = records.received(text, on: id, at: world.elapsed)
        report(problem)
        guard let line else { return }
        world.count("deliveries")
        world.record("chat", UInt64(id), UInt64(line.sender), UInt64(line.number)) {
            "connection \(id) received \(line.sender).\(line.number)"
        }
        let sender = records.connections[line.sender]
        let sentAt = sender.lines[line.number].sentAt
        if let mark, sentAt >= mark { reached.insert([sender.user, records.connections[id].user]) }
        let receiver = records.connections[id]
        if let left = receiver.leftAt, receiver.readsAlways, sentAt > left + .seconds(1),
            isCalm(from: left, to: world.elapsed)
        {
            world.violated(
                .custom, "connection \(id) received \(line.sender).\(line.number), but has left")
        }
    }

    private func report(_ problem: ChatRecords.Problem?) {
        if let problem { world.violated(problem.rule, problem.text) }
    }

    // MARK: What has to happen

    /// Whether no fault has an effect between two times.
    private func isCalm(from start: Duration, to end: Duration) -> Bool {
        !faults.contains { $0.start <= end && $0.end + Self.settlingTime >= start }
    }

    /// Until all connections that a fault has broken have ended, and TCP has sent again what was
    /// lost.
    static let settlingTime = Duration.seconds(12)
    /// In which a message arrives while all is well.
    static let deliveryTime = Duration.seconds(5)

    /// In which the server reads a message over a fast link.
    private static let readingTime = Duration.milliseconds(10)

    /// Users whose connection is up.
    var usersUp: Int { Set(records.connections.filter(\.isUp).map(\.user)).count }

    /// Begins to count who receives messages of whom.
    func beginReaching() {
        mark = world.elapsed
        reached = []
    }

    /// Pairs of users of whom one has received a message of the other since then.
    var pairsReached: Int { reached.count }

    /// Checks that a drain that began at `start` has lost no message: what the server had read
    /// before, or one client has received, all have.
    func checkDrain(since start: Duration) {
        for (sender, from) in records.connections.enumerated() {
            for (number, line) in from.lines.enumerated() where line.sentAt >= start - .seconds(2) {
                let isRead =
                    from.readsAlways && from.isAlive() && (from.endedAt ?? start) >= start
                    && line.fate == .broadcast && line.servedAt + Self.readingTime <= start
                if !isRead, line.firstReceivedAt == nil { continue }
                for (id, receiver) in records.connections.enumerated() where id != sender {
                    let isMember =
                        receiver.upAt + ChatRecords.joinTime <= line.sentAt
                        && receiver.leftAt == nil && receiver.isAlive()
                        && (receiver.endedAt ?? start) >= start
                    if !isMember || !receiver.readsAlways { continue }
                    report(records.checkArrival(of: number, from: sender, at: id))
                    world.count("drained messages checked")
                }
            }
        }
    }
}
