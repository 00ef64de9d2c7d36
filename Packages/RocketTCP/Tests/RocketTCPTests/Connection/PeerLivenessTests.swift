import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCPTestKit
import Testing

@testable import RocketTCP

@Suite(.oneAtATime) struct PeerLivenessTests {
    private static let limit: UInt64 = 20_000_000_000

    private func moment(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000_000 + UInt64(seconds * 1e9))
    }

    /// Checks when each check says, from 0 to `end` seconds. Returns when the peer counts as silent.
    private func silentAt(
        until end: Double = 600, _ progress: (Double) -> TCPProgress
    ) -> Double? {
        var liveness = PeerLiveness(sentAt: moment(0))
        var next = liveness.firstCheck(limit: Self.limit)
        while next <= moment(end) {
            let now = Double(next.nanoseconds - moment(0).nanoseconds) / 1e9
            switch liveness.check(progress(now), at: next, limit: Self.limit) {
            case .settled: return nil
            case .waiting(let time):
                #expect(time > next)
                next = time
            case .silent: return now
            }
        }
        return nil
    }

    /// The transmissions that Linux repeats: after 0.2 s, 0.6 s, 1.4 s, …, at most 5 s apart.
    private static let repeats: [Double] = {
        var (time, wait) = (0.0, 0.2)
        return (0..<200).map { _ in
            time += wait
            wait = min(wait * 2, 5)
            return time
        }
    }()

    @Test("A peer whose machine never answers is silent exactly at the time limit")
    func dead() {
        let found = silentAt { now in
            var progress = TCPProgress()
            progress.unacknowledged = 1
            progress.retransmissions = Self.repeats.filter { $0 <= now }.count
            progress.totalRetransmissions = 7 + progress.retransmissions
            progress.sinceSent = .seconds(now - (Self.repeats.last { $0 <= now } ?? 0))
            progress.sinceAnswer = .seconds(now + 100)
            return progress
        }
        #expect(found == 20)
    }

    @Test("A peer that goes away later is silent one time limit after its last answer")
    func deadLater() {
        let found = silentAt { now in
            var progress = TCPProgress()
            progress.unacknowledged = 1
            progress.sinceSent = .seconds(0.001)
            progress.sinceAnswer = .seconds(now < 31 ? 0 : now - 31)
            if now >= 31.2 {
                progress.retransmissions = Self.repeats.filter { $0 <= now - 31 }.count
                progress.totalRetransmissions = progress.retransmissions
            }
            return progress
        }
        #expect(found == 51)
    }

    @Test("A later answer is none that differs by the noise of measuring only")
    func noise() throws {
        let found = silentAt { now in
            var progress = TCPProgress()
            progress.unacknowledged = 1
            progress.sinceSent = .seconds(0.001)
            // From 5 ms too early to 5 ms too late: each check finds the answer later than before.
            let noise = min(-0.005 + (now - 30) * 0.0002, 0.005)
            progress.sinceAnswer = .seconds(now < 31 ? 0.01 - noise : now - 31 - noise)
            if now >= 31.2 {
                progress.retransmissions = Self.repeats.filter { $0 <= now - 31 }.count
                progress.totalRetransmissions = progress.retransmissions
            }
            return progress
        }
        #expect(abs(try #require(found) - 51) < 0.01)
    }

    @Test("A peer that does not read and answers each probe is never silent")
    func fullWindow() {
        let found = silentAt { now in
            var progress = TCPProgress()
            progress.unsentBytes = 100_000
            // Probes are two minutes apart.
            progress.sinceAnswer = .seconds(now.truncatingRemainder(dividingBy: 120))
            return progress
        }
        #expect(found == nil)
    }

    @Test("A peer that takes its window back and answers each transmission is never silent")
    func shrunkWindow() {
        let found = silentAt { now in
            var progress = TCPProgress()
            progress.unacknowledged = 2
            progress.retransmissions = Int(now / 50) + 4
            progress.totalRetransmissions = progress.retransmissions
            progress.sinceSent = .seconds(now.truncatingRemainder(dividingBy: 50))
            progress.sinceAnswer = progress.sinceSent
            return progress
        }
        #expect(found == nil)
    }

    @Test("One lost probe is no silence, two are")
    func lostProbes() {
        func progress(_ probes: Int, _ now: Double) -> TCPProgress {
            var progress = TCPProgress()
            progress.unsentBytes = 100_000
            progress.probes = probes
            progress.sinceAnswer = .seconds(now)
            return progress
        }
        #expect(silentAt(until: 300) { progress(1, $0) } == nil)
        #expect(silentAt { progress($0 < 100 ? 1 : 2, $0) } == 100)
    }

    @Test("Nothing is checked any more once everything is acknowledged")
    func settled() {
        var liveness = PeerLiveness(sentAt: moment(0))
        #expect(liveness.check(TCPProgress(), at: moment(2), limit: Self.limit) == .settled)
    }

    // MARK: The connection

    /// A connection over TCP whose peer reads only when the test does.
    private func connected(_ body: (HandDrivenLoop, TCPConnection, RawPeer) throws -> Void) throws {
        let driven = try HandDrivenLoop()
        let listener = try RawListener()
        try listener.listen()
        var configuration = TCPConnectionConfiguration()
        configuration.writeTimeout = nil
        configuration.keepalive = nil
        var outcome: Result<TCPConnection, ConnectError>?
        TCPClient.connect(
            to: [listener.address], on: driven.reactor, timeout: .seconds(1),
            configuration: configuration, handler: RecordingConnectionHandler()
        ) { outcome = $0 }
        driven.settle()
        let connection = try #require(try outcome?.get())
        try body(driven, connection, try #require(listener.accept()))
        connection.close(.now)
        driven.settle()
    }

    @Test("Keeps a connection whose peer answers without reading, and closes one that is dead")
    func connection() throws {
        try connected { driven, connection, peer in
            let connections = LoopConnections.of(driven.reactor)
            var progress = TCPProgress()
            progress.unsentBytes = 100_000
            connections.injectedProgress = { _ in progress }
            connection.write { $0.append(byte: 1) }
            driven.tick()
            for _ in 0..<60 { driven.tick(after: .seconds(2)) }
            #expect(connection.state == .connected)
            progress.probes = 9
            progress.sinceAnswer = .seconds(1)
            for _ in 0..<20 { driven.tick(after: .seconds(2)) }
            #expect(connection.state == .connected)
            // Its last answer was a second before the last check.
            progress.sinceAnswer = .seconds(60)
            for _ in 0..<9 { driven.tick(after: .seconds(2)) }
            #expect(connection.state == .connected)
            driven.tick(after: .seconds(2))
            #expect(connection.state == .closed)
            withExtendedLifetime(peer) {}
        }
    }

    @Test("Asks the kernel about a peer that does not read, and no more once it has read all")
    func kernel() throws {
        try connected { driven, connection, peer in
            // No option of the kernel ends the connection.
            #expect(driven.reactor.timerCount <= 1)
            connection.write { $0.append([UInt8](repeating: 1, count: 20 << 20)) }
            driven.tick()
            #expect(connection.awaitsAnswers && connection.pendingBytes > 0)
            for _ in 0..<60 { driven.tick(after: .seconds(2)) }
            #expect(connection.state == .connected && connection.awaitsAnswers)
            var got = 0
            while got < 20 << 20 {
                got += peer.receiveAll().count
                driven.tick()
            }
            // The acknowledgement of the last bytes may take a moment.
            for _ in 0..<100_000 where connection.awaitsAnswers {
                driven.tick(after: .milliseconds(100))
            }
            #expect(connection.state == .connected && !connection.awaitsAnswers)
            driven.tick(after: .seconds(600))
            #expect(driven.reactor.timerCount == 0)
        }
    }
}
