import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
@testable import RocketTCP
import RocketTCPTestKit
import Testing

@Suite(.oneAtATime) struct PersistentConnectionTests {
    let driven: HandDrivenLoop
    /// A listener that refuses until the test calls `listen`. Its port is occupied meanwhile.
    let site: RawListener

    init() throws {
        driven = try HandDrivenLoop()
        site = try RawListener()
    }

    /// The events, and the handlers that were made.
    private final class Record {
        var events: [String] = []
        var waits: [Duration] = []
        var handlers: [RecordingConnectionHandler] = []

        func add(_ event: PersistentConnection.Event) {
            switch event {
            case .up: events.append("up")
            case .down(let loss, let wait):
                waits.append(wait)
                switch loss {
                case .lookup: events.append("lookup")
                case .connect(let error): events.append(error.kind.rawValue)
                case .closed(let reason): events.append(reason.description)
                }
            case .stopped: events.append("stopped")
            }
        }
    }

    private func make(
        to target: PersistentConnection.Target? = nil,
        _ change: (inout PersistentConnectionConfiguration) -> Void = { _ in }
    ) -> (PersistentConnection, Record) {
        let record = Record()
        var configuration = PersistentConnectionConfiguration()
        change(&configuration)
        let made = PersistentConnection(
            to: target ?? .addresses([site.address]), on: driven.reactor,
            configuration: configuration,
            makeHandler: { _ in
                record.handlers.append(RecordingConnectionHandler())
                return record.handlers[record.handlers.count - 1]
            }, observe: record.add)
        return (made, record)
    }

    @Test("Waits by the random numbers of its loop")
    func waitsByTheLoopsNumbers() throws {
        struct Least: RandomNumberGenerator { func next() -> UInt64 { 0 } }
        let driven = try HandDrivenLoop(random: Least())
        var waits: [Duration] = []
        let client = PersistentConnection(
            to: .addresses([site.address]), on: driven.reactor,
            makeHandler: { _ in RecordingConnectionHandler() }
        ) { if case .down(_, let wait) = $0 { waits.append(wait) } }
        client.start()
        for _ in 0..<4 {
            driven.settle()
            driven.tick(after: waits.last ?? .zero)
        }
        driven.settle()
        let longest = BackOff().first
        #expect(waits.prefix(3) == [longest / 2, longest, longest * 2])
        client.stop(.now)
        driven.settle()
    }

    @Test("Tries again until a server listens")
    func retriesUntilAServerListens() throws {
        let (client, record) = make()
        client.start()
        client.start()
        #expect(record.events == [])
        driven.settle()
        #expect(record.events == ["refused"])
        for attempt in 1..<4 {
            driven.tick(after: record.waits[attempt - 1] - .nanoseconds(1))
            driven.settle()
            #expect(record.events.count == attempt)
            driven.tick(after: .nanoseconds(1))
            driven.settle()
            #expect(record.events.count == attempt + 1)
        }
        // Each wait is at least half of the exponential time.
        for (wait, most) in zip(record.waits, [100, 200, 400, 800]) {
            #expect(wait <= .milliseconds(most) && wait >= .milliseconds(most) / 2)
        }
        #expect(client.failures == 4)
        try site.listen()
        driven.tick(after: .milliseconds(800))
        driven.settle()
        #expect(record.events.last == "up")
        #expect(client.connection != nil)
        #expect(record.handlers.last?.events == [.connected])
    }

    @Test("Chooses the peer of each attempt anew")
    func choosesEachPeer() throws {
        let other = try RawListener()
        try other.listen()
        var targets = [site.address, other.address][...]
        let record = Record()
        let client = PersistentConnection(
            toEach: { .addresses([targets.popFirst()].compactMap { $0 }) }, on: driven.reactor,
            makeHandler: { _ in RecordingConnectionHandler() }, observe: record.add)
        client.start()
        driven.settle()
        #expect(record.events == ["refused"])
        driven.tick(after: record.waits[0])
        driven.settle()
        #expect(record.events == ["refused", "up"])
        #expect(client.connection?.peerAddress == other.address)
        client.stop(.now)
        driven.settle()
    }

    @Test("Replaces a lost connection by one with a new handler")
    func lostConnectionIsReplaced() throws {
        try site.listen()
        let (client, record) = make()
        client.start()
        driven.settle()
        let peer = try #require(site.accept())
        peer.send([1])
        driven.settle()
        driven.tick(after: .seconds(10))
        peer.close()
        driven.settle()
        #expect(record.events == ["up", "the peer closed"])
        #expect(client.connection == nil)
        #expect(client.failures == 1)
        #expect(record.handlers[0].events.last == .closed(.peerFinished))
        driven.tick(after: .milliseconds(100))
        driven.settle()
        #expect(record.events == ["up", "the peer closed", "up"])
        try #require(site.accept()).send([2])
        driven.settle()
        #expect(record.handlers.map(\.bytes) == [[1], [2]])
    }

    @Test("Waits longer each time for a peer that accepts and closes at once")
    func peerThatClosesAtOnce() throws {
        try site.listen()
        let (client, record) = make()
        client.start()
        for _ in 0..<5 {
            driven.settle()
            site.accept()?.close()
            driven.settle()
            driven.tick(after: record.waits.last ?? .zero)
        }
        #expect(record.waits.count == 5)
        #expect(record.waits.last ?? .zero >= .milliseconds(800))
    }

    @Test("Closes the connection after its output when it is stopped")
    func stoppingFlushes() throws {
        try site.listen()
        let (client, record) = make()
        client.start()
        driven.settle()
        let peer = try #require(site.accept())
        client.connection?.write { $0.append([1, 2] as [UInt8]) }
        client.stop()
        client.stop()
        #expect(record.events == ["up"])
        driven.settle()
        #expect(peer.receiveAll() == [1, 2])
        peer.close()
        driven.settle()
        #expect(record.events == ["up", "stopped"])
        #expect(record.handlers[0].closeReason == .requested)
        client.start()
        driven.tick(after: .seconds(60))
        #expect(record.events == ["up", "stopped"])
        #expect(driven.reactor.registrationCount == 1)
    }

    @Test("Closes at once when stopped with now during a graceful stop")
    func stoppingNowDuringAGracefulStop() throws {
        try site.listen()
        let (client, record) = make()
        client.start()
        driven.settle()
        client.connection?.write { $0.append(byte: 1) }
        client.stop()
        driven.settle()
        #expect(record.events == ["up"])
        client.stop(.now)
        driven.settle()
        #expect(record.events == ["up", "stopped"])
    }

    @Test("Ends the wait when it is stopped")
    func stoppingEndsTheWait() {
        let (client, record) = make()
        client.start()
        driven.settle()
        client.stop()
        driven.settle()
        #expect(record.events == ["refused", "stopped"])
        #expect(driven.reactor.timerCount == 0)
    }

    @Test("Cancels the attempt when it is stopped")
    func stoppingEndsTheAttempt() throws {
        // A full backlog: there is no answer.
        try site.listen(backlog: 0)
        let peers = try (0..<3).map { _ in try RawPeer(connectingTo: site.address) }
        let (client, record) = make()
        client.start()
        driven.settle()
        client.stop()
        driven.settle()
        #expect(record.events == ["stopped"])
        #expect(driven.reactor.registrationCount == 1 && driven.reactor.timerCount == 0)
        withExtendedLifetime(peers) {}
    }

    @Test("Stops in every state when its loop ends")
    func theLoopsEndStopsItInEveryState() throws {
        for state in ["waiting", "connecting", "up"] {
            let driven = try HandDrivenLoop()
            let site = try RawListener()
            if state != "waiting" { try site.listen(backlog: state == "up" ? 1 : 0) }
            let peers =
                state == "connecting"
                ? try (0..<3).map { _ in try RawPeer(connectingTo: site.address) } : []
            let record = Record()
            let client = PersistentConnection(
                to: .addresses([site.address]), on: driven.reactor,
                makeHandler: { _ in RecordingConnectionHandler() }, observe: record.add)
            client.start()
            driven.settle()
            driven.loop.stop()
            driven.loop.run()
            #expect(record.events.last == "stopped", "\(state)")
            withExtendedLifetime(peers) {}
        }
    }

    @Test("Reports a stop before the start")
    func stoppingBeforeTheStartIsReported() {
        let (client, record) = make()
        client.stop()
        client.start()
        driven.settle()
        #expect(record.events == ["stopped"])
    }

    @Test("Can be stopped inside an event")
    func stoppingInsideAnEvent() throws {
        let record = Record()
        var client: PersistentConnection?
        client = PersistentConnection(
            to: .addresses([site.address]), on: driven.reactor,
            makeHandler: { _ in RecordingConnectionHandler() },
            observe: {
                record.add($0)
                client?.stop()
            })
        client?.start()
        driven.settle()
        #expect(record.events == ["refused", "stopped"])
        client = nil
    }

    @Test("Is released once it has stopped")
    func stoppedIsReleased() {
        weak var weakClient: PersistentConnection?
        do {
            let (client, _) = make()
            weakClient = client
            client.start()
            driven.settle()
            client.stop()
        }
        driven.settle()
        #expect(weakClient == nil)
    }

    /// A lookup whose result a test gives.
    private final class Lookup: HostLookup {
        private let state = Locked<(@Sendable (Result<[NetAddress], NameLookupError>) -> Void)?>(
            nil)
        private let ends = Locked(0)
        var isRunning: Bool { state.withLock { $0 != nil } }
        var endCount: Int { ends.withLock { $0 } }

        func addresses(
            of host: HostPort, on reactor: Reactor,
            completion: @escaping (Result<[NetAddress], NameLookupError>) -> Void
        ) -> () -> Void {
            let bound = LoopBound(completion, on: reactor)
            state.withLock { $0 = { bound.get()($0) } }
            return { [self] in ends.withLock { $0 += 1 } }
        }

        func end(_ result: Result<[NetAddress], NameLookupError>) {
            state.withLock { $0.take() }?(result)
        }
    }

    private let host = HostPort(host: "chat.example", port: 1)

    @Test("Reports a name without an address, and looks it up again for the next attempt")
    func lookupFailure() throws {
        let lookup = Lookup()
        let (client, record) = make(to: .host(host, lookup))
        client.start()
        lookup.end(.failure(NameLookupError(host: "a", text: "none", isUnknownName: true)))
        #expect(record.events == ["lookup"])
        driven.tick(after: .seconds(1))
        #expect(lookup.isRunning && lookup.endCount == 0)
        client.stop()
        driven.settle()
        #expect(record.events == ["lookup", "stopped"])
        #expect(lookup.endCount == 1)
    }

    @Test("Looks a name up and connects to it")
    func lookedUp() throws {
        try site.listen()
        let lookup = Lookup()
        let (client, record) = make(to: .host(host, lookup))
        client.start()
        lookup.end(.success([site.address]))
        driven.settle()
        #expect(record.events == ["up"])
        client.stop(.now)
        driven.settle()
        #expect(lookup.endCount == 0)
    }

    @Test("Reports a slow lookup as a time-out, ends it, and ignores its late answer")
    func slowLookup() throws {
        let lookup = Lookup()
        let (client, record) = make(to: .host(host, lookup))
        client.start()
        driven.tick(after: .seconds(5))
        #expect(record.events == ["timed out"])
        #expect(lookup.endCount == 1)
        lookup.end(.success([site.address]))
        driven.settle()
        #expect(record.events == ["timed out"])
        client.stop()
        driven.settle()
        #expect(record.events == ["timed out", "stopped"])
    }
}
