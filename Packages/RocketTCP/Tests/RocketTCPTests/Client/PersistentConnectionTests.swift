import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
@testable import RocketTCP
import RocketTCPTestKit
import Testing

@Suite(.oneAtATime) struct PersistentConnectionTests {
    let driven: HandDrivenLoop
    /// Listens when a test says so; until then its port is taken, and refuses.
    let site: RawListener

    init() throws {
        driven = try HandDrivenLoop()
        site = try RawListener()
    }

    /// What was told, and the handlers that were made.
    private final class Record {
        var told: [String] = []
        var waits: [Duration] = []
        var handlers: [RecordingConnectionHandler] = []

        func note(_ event: PersistentConnection.Event) {
            switch event {
            case .up: told.append("up")
            case .down(let loss, let wait):
                waits.append(wait)
                switch loss {
                case .lookup: told.append("lookup")
                case .connect(let error): told.append(error.kind.rawValue)
                case .closed(let reason): told.append(reason.description)
                }
            case .stopped: told.append("stopped")
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
            }, observe: record.note)
        return (made, record)
    }

    @Test func itTriesAgainUntilSomebodyListens() throws {
        let (client, record) = make()
        client.start()
        client.start()
        #expect(record.told == [])
        driven.settle()
        #expect(record.told == ["refused"])
        for attempt in 1..<4 {
            driven.tick(after: record.waits[attempt - 1] - .nanoseconds(1))
            driven.settle()
            #expect(record.told.count == attempt)
            driven.tick(after: .nanoseconds(1))
            driven.settle()
            #expect(record.told.count == attempt + 1)
        }
        // Each wait lies in the upper half of its double.
        for (wait, most) in zip(record.waits, [100, 200, 400, 800]) {
            #expect(wait <= .milliseconds(most) && wait >= .milliseconds(most) / 2)
        }
        #expect(client.failures == 4)
        try site.listen()
        driven.tick(after: .milliseconds(800))
        driven.settle()
        #expect(record.told.last == "up")
        #expect(client.connection != nil)
        #expect(record.handlers.last?.events == [.connected])
    }

    @Test func aLostConnectionIsMadeAnewWithAHandlerOfItsOwn() throws {
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
        #expect(record.told == ["up", "the peer closed"])
        #expect(client.connection == nil)
        #expect(client.failures == 1)
        #expect(record.handlers[0].events.last == .closed(.peerFinished))
        driven.tick(after: .milliseconds(100))
        driven.settle()
        #expect(record.told == ["up", "the peer closed", "up"])
        try #require(site.accept()).send([2])
        driven.settle()
        #expect(record.handlers.map(\.bytes) == [[1], [2]])
    }

    @Test func aPeerThatClosesAtOnceIsLeftAloneForLonger() throws {
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

    @Test func stoppingClosesTheConnectionAfterWhatWaits() throws {
        try site.listen()
        let (client, record) = make()
        client.start()
        driven.settle()
        let peer = try #require(site.accept())
        client.connection?.write { $0.append([1, 2] as [UInt8]) }
        client.stop()
        client.stop()
        #expect(record.told == ["up"])
        driven.settle()
        #expect(peer.receiveAll() == [1, 2])
        peer.close()
        driven.settle()
        #expect(record.told == ["up", "stopped"])
        #expect(record.handlers[0].closeReason == .requested)
        client.start()
        driven.tick(after: .seconds(60))
        #expect(record.told == ["up", "stopped"])
        #expect(driven.reactor.registrationCount == 1)
    }

    @Test func stoppingNowHurriesAGracefulStop() throws {
        try site.listen()
        let (client, record) = make()
        client.start()
        driven.settle()
        client.connection?.write { $0.append(byte: 1) }
        client.stop()
        driven.settle()
        #expect(record.told == ["up"])
        client.stop(.now)
        driven.settle()
        #expect(record.told == ["up", "stopped"])
    }

    @Test func stoppingEndsTheWait() {
        let (client, record) = make()
        client.start()
        driven.settle()
        client.stop()
        driven.settle()
        #expect(record.told == ["refused", "stopped"])
        #expect(driven.reactor.timerCount == 0)
    }

    @Test func stoppingEndsTheAttempt() throws {
        // A full backlog: nobody answers.
        try site.listen(backlog: 0)
        let peers = try (0..<3).map { _ in try RawPeer(connectingTo: site.address) }
        let (client, record) = make()
        client.start()
        driven.settle()
        client.stop()
        driven.settle()
        #expect(record.told == ["stopped"])
        #expect(driven.reactor.registrationCount == 1 && driven.reactor.timerCount == 0)
        withExtendedLifetime(peers) {}
    }

    @Test func theLoopsEndStopsItInEveryState() throws {
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
                makeHandler: { _ in RecordingConnectionHandler() }, observe: record.note)
            client.start()
            driven.settle()
            driven.loop.stop()
            driven.loop.run()
            #expect(record.told.last == "stopped", "\(state)")
            withExtendedLifetime(peers) {}
        }
    }

    @Test func stoppingBeforeTheStartIsTold() {
        let (client, record) = make()
        client.stop()
        client.start()
        driven.settle()
        #expect(record.told == ["stopped"])
    }

    @Test func itMayBeStoppedInsideWhatItTells() throws {
        let record = Record()
        var client: PersistentConnection?
        client = PersistentConnection(
            to: .addresses([site.address]), on: driven.reactor,
            makeHandler: { _ in RecordingConnectionHandler() },
            observe: {
                record.note($0)
                client?.stop()
            })
        client?.start()
        driven.settle()
        #expect(record.told == ["refused", "stopped"])
        client = nil
    }

    @Test func onceStoppedNothingHoldsIt() {
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

    @Test func aResolverThatWasShutDownIsALookupFailure() throws {
        let resolver = try NameResolver()
        resolver.shutdown()
        let (client, record) = make(
            to: .host(HostPort(host: "localhost", port: 1), resolver))
        client.start()
        driven.tick(after: .nanoseconds(1))
        driven.settle()
        #expect(record.told == ["lookup"])
        client.stop()
        driven.settle()
        #expect(record.told == ["lookup", "stopped"])
    }

    @Test func aNameIsLookedUpAndConnectedTo() throws {
        try site.listen()
        let port = try #require(site.address.port)
        let resolver = try NameResolver()
        let (client, record) = make(to: .host(HostPort(host: "127.0.0.1", port: port), resolver))
        client.start()
        // The answer comes from the resolver's thread.
        while record.told.isEmpty { driven.loop.tick(waitingAtMost: .seconds(60)) }
        #expect(record.told == ["up"])
        client.stop(.now)
        driven.settle()
        resolver.shutdown()
    }

    @Test func aLookupThatTakesTooLongIsATimeoutAndItsAnswerIsIgnored() throws {
        let resolver = try NameResolver()
        let gate = FutexWord(0)
        resolver.thread.loop.execute { _ in
            while gate.value == 0 { gate.wait(while: 0, atMost: nil) }
        }
        let (client, record) = make(to: .host(HostPort(host: "127.0.0.1", port: 1), resolver))
        client.start()
        driven.tick(after: .seconds(5))
        #expect(record.told == ["timed out"])
        gate.exchange(1)
        gate.wakeAll()
        // Its thread has ended, so the late answer stands in the loop's queue.
        resolver.shutdown()
        driven.settle()
        #expect(record.told == ["timed out"])
        client.stop()
        driven.settle()
        #expect(record.told == ["timed out", "stopped"])
    }
}
