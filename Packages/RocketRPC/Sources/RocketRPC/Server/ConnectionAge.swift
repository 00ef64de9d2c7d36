import RocketReactor
import RocketSystem

/// How old connections may get (gRFC A9). A value.
struct ConnectionAge: Sendable {
    let limit: Duration
    /// The time that the peer of an old connection has to leave it.
    let grace: Duration
    /// A century, so that no sum of times is too large.
    private static let longest = Duration.seconds(100 * 366 * 86_400)

    /// Nil: there is no limit.
    init?(_ configuration: RPCServerConfiguration) {
        guard let limit = configuration.maxConnectionAge else { return nil }
        self.limit = min(max(limit, .milliseconds(1)), Self.longest)
        grace = min(max(configuration.maxConnectionAgeGrace, .zero), Self.longest)
    }

    /// The limit of one connection: 10 % more or less, so that connections that began together do not
    /// end together.
    func drawn(using random: inout some RandomNumberGenerator) -> Duration {
        limit * Double.random(in: 0.9...1.1, using: &random)
    }
}

/// Ends the connections of one loop when they are old. Bound to the loop.
final class ConnectionAges {
    private let age: ConnectionAge
    private unowned let reactor: Reactor
    private var random: LoopRandom
    private var queue = TimerQueue<ServerConnection>()
    private lazy var timer = DeadlineTimer(on: reactor, label: "connection age") { [unowned self] in
        expire()
    }

    init(_ age: ConnectionAge, on reactor: Reactor) {
        self.age = age
        self.reactor = reactor
        random = reactor.random
    }

    /// Returns what `remove` takes.
    func add(_ connection: ServerConnection) -> TimerID {
        insert(connection, at: connection.openedAt + age.drawn(using: &random))
    }

    func remove(_ id: TimerID) { queue.remove(id) }

    func cancel() { timer.cancel() }

    private func insert(_ connection: ServerConnection, at time: MonotonicTime) -> TimerID {
        let id = queue.insert(at: time, connection)
        timer.expect(queue.earliest)
        return id
    }

    private func expire() {
        while let (_, connection) = queue.popExpired(now: reactor.now) {
            if connection.endForAge() {
                connection.ageTimer = insert(connection, at: reactor.now + age.grace)
            }
        }
        timer.expect(queue.earliest)
    }
}
