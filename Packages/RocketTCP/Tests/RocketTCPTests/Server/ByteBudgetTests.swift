import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCPTestKit
import Testing

@_spi(TestKit) @_spi(Transport) @testable import RocketTCP

/// Two sub loops, which the test drives.
@Suite(.oneAtATime) struct ByteBudgetTests {
    let main: HandDrivenLoop
    let subs: [HandDrivenLoop]
    init() throws {
        let clock = ManualTimeSource()
        main = try HandDrivenLoop(clock: clock)
        subs = try (0..<2).map { _ in try HandDrivenLoop(clock: clock) }
    }

    /// Answers each 200,000 bytes by one byte; leaves the input until then, and for ever where the
    /// first byte is 0.
    private final class Unit: TCPConnectionHandler {
        static let bytes = 200_000
        func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
            while input.readableBytes >= Self.bytes, input.integer(at: 0, as: UInt8.self) != 0 {
                input.consume(Self.bytes)
                connection.write { $0.append(byte: 1) }
            }
        }
    }

    private func settle() {
        for _ in 0..<3 { for loop in [main] + subs { loop.settle() } }
    }

    private var connections: [TCPConnection] {
        subs.flatMap { LoopConnections.of($0.reactor).connections }
    }

    private func server(
        _ budget: ByteBudget, logger: RocketLogger = .disabled,
        _ makeHandler: @escaping @Sendable (Reactor) -> any TCPConnectionHandler = { _ in Unit() }
    ) throws -> (TCPServer, () throws -> RawPeer) {
        var configuration = TCPServerConfiguration(listen: [.loopback(port: 0)])
        configuration.budget = budget
        // So that what a peer does not read stays in the process.
        configuration.connection.kernelSendBufferBytes = 1 << 16
        let server = TCPServer(
            configuration: configuration, mainLoop: main.loop, subLoops: subs.map(\.loop),
            logger: logger, makeHandler: makeHandler)
        let address = try #require(try server.start().first)
        return (
            server,
            { [self] in
                let peer = try RawPeer(connectingTo: address)
                settle()
                return peer
            }
        )
    }

    private func send(_ count: Int, of byte: UInt8, to peer: RawPeer) {
        var left = count
        for _ in 0..<10_000 where left > 0 {
            guard let sent = peer.send([UInt8](repeating: byte, count: min(left, 1 << 16))) else {
                return
            }
            left -= sent
            settle()
        }
    }

    private func answers(_ peer: RawPeer) -> Bool {
        send(Unit.bytes / 2, of: 1, to: peer)
        send(Unit.bytes / 2, of: 1, to: peer)
        // Over the loopback, too, bytes may take a moment.
        for _ in 0..<100_000 {
            let result = peer.receive()
            if result != .nothing { return result == .bytes([1]) }
            settle()
        }
        return false
    }

    /// The holder is on one loop or the other, and those that grow on both.
    @Test("Closes what holds most for longest, not what grows", arguments: [0, 1])
    func holderIsClosed(skipped: Int) throws {
        let lines = try LogLines()
        let budget = ByteBudget(limitBytes: 16 << 20)
        let (server, connect) = try server(budget, logger: lines.logger)
        let others = try (0..<skipped).map { _ in try connect() }
        let holder = try connect()
        send(9_000_000, of: 0, to: holder)
        main.clock.advance(by: .seconds(10))
        settle()
        let growing = try (0..<2).map { _ in try connect() }
        let good = try (0..<2).map { _ in try connect() }
        for peer in growing { send(3_500_000, of: 0, to: peer) }
        #expect(good.allSatisfy(answers))
        #expect(holder.receive() == .end || holder.receive() == .failed(Errno(rawValue: 104)))
        for peer in growing { #expect(peer.receive() == .nothing) }
        #expect(good.allSatisfy(answers) && others.allSatisfy(answers))
        #expect(budget.heldBytes <= budget.limitBytes)
        #expect(budget.heldBytes == server.bufferedBytes)
        server.stop()
        settle()
        #expect(budget.heldBytes == 0)
        #expect(
            lines.end() == [
                "the memory for connections is used up; those that hold most are closed"
            ])
    }

    /// Answers each read by 3 MiB that are not copied.
    private final class Lender: TCPConnectionHandler {
        let segment = SharedBytes([UInt8](repeating: 1, count: 3 << 20))
        func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
            input.removeAll()
            connection.write { $0.append([1, 2] as [UInt8]) }
            connection.insert(segment, before: 1)
        }
    }

    @Test("Counts what is sent from where it is as output of each connection that it waits for")
    func segments() throws {
        let budget = ByteBudget(limitBytes: 8 << 20)
        let (server, connect) = try server(budget) { _ in Lender() }
        let peers = try (0..<4).map { _ in try connect() }
        for peer in peers.prefix(2) { send(1, of: 1, to: peer) }
        #expect(budget.heldBytes > 5 << 20 && budget.heldBytes == server.bufferedBytes)
        for peer in peers.suffix(2) { send(1, of: 1, to: peer) }
        #expect(budget.excessCount > 0 && budget.heldBytes <= budget.limitBytes)
        server.stop()
        settle()
        #expect(budget.heldBytes == 0)
    }

    @Test("Closes the older of many small holders, and serves whole requests meanwhile")
    func manySmallHolders() throws {
        let budget = ByteBudget(limitBytes: 4 << 20)
        let (server, connect) = try server(budget)
        let good = try connect()
        var peers: [RawPeer] = []
        var holders: [TCPConnection] = []
        for _ in 0..<60 {
            let others = Set(connections.map(ObjectIdentifier.init))
            let peer = try connect()
            peers.append(peer)
            // One byte waits; the others are those of the handler. How large a buffer for many bytes
            // is depends on what each read gets.
            send(1, of: 0, to: peer)
            let holder = try #require(
                connections.first { !others.contains(ObjectIdentifier($0)) })
            while holder.receivedTotal == 0 { settle() }
            holder.handlerBytes = 100_000
            holders.append(holder)
            main.clock.advance(by: .seconds(0.5))
            settle()
            #expect(budget.heldBytes <= budget.limitBytes)
            #expect(answers(good))
        }
        let isClosed = holders.map(\.machine.isClosed)
        // In between each loop chooses among its own, by the excess when it does.
        #expect(isClosed[..<8].allSatisfy { $0 } && !isClosed[52...].contains(true))
        server.stop()
        settle()
    }

    @Test("Counts the memory of buffers, not only the bytes in them")
    func capacity() throws {
        let budget = ByteBudget(limitBytes: 1 << 30)
        let (server, connect) = try server(budget)
        let peers = try (0..<4).map { _ in try connect() }
        for peer in peers { send(1_100_000, of: 0, to: peer) }
        let held = connections.map(\.heldBytes)
        #expect(budget.heldBytes == held.reduce(0, +))
        #expect(budget.heldBytes >= 4 * (2 << 20))
        server.stop()
        settle()
        #expect(budget.heldBytes == 0)
    }

    @Test("Counts what a handler holds for a connection, and closes that which holds most")
    func handlerBytes() throws {
        let budget = ByteBudget(limitBytes: 4 << 20)
        let (server, connect) = try server(budget)
        let peers = try (0..<3).map { _ in try connect() }
        let connections = connections
        for connection in connections { connection.handlerBytes = 1 << 20 }
        #expect(budget.heldBytes == 3 << 20 && server.bufferedBytes == 3 << 20)
        connections[0].handlerBytes = 100
        connections[1].handlerBytes = (2 << 20) + 5
        #expect(budget.heldBytes == (3 << 20) + 105)
        connections[2].handlerBytes = 2 << 20
        settle()
        #expect(connections.map(\.machine.isClosed) == [false, true, false])
        #expect(budget.heldBytes == (2 << 20) + 100)
        connections[1].handlerBytes = 1 << 30
        #expect(budget.heldBytes == (2 << 20) + 100)
        // Above the ceiling it is closed at once.
        connections[2].handlerBytes = 5 << 20
        #expect(connections[2].machine.isClosed && budget.heldBytes == 100)
        connections[0].handlerBytes = 0
        #expect(budget.heldBytes == 0 && peers.count == 3)
        server.stop()
        settle()
    }

    @Test("Closes no connection for bytes of layers above beyond half of the limit: refuses them")
    func recordedByOthers() throws {
        let budget = ByteBudget(limitBytes: 4 << 20)
        let (server, connect) = try server(budget)
        let holder = try connect()
        send(1_000_000, of: 0, to: holder)
        let held = budget.heldBytes
        #expect(!budget.record(1 + 2 << 20) && !budget.record(5 << 20))
        #expect(budget.heldBytes == held)
        #expect(budget.record(2 << 20) && !budget.record(1))
        #expect(budget.heldBytes == held + 2 << 20)
        settle()
        #expect(server.connectionCount == 1)
        // The connections hold more than their half now.
        send(2_000_000, of: 0, to: holder)
        #expect(server.connectionCount == 0 && budget.heldBytes == 2 << 20)
        budget.record(-(2 << 20))
        #expect(budget.heldBytes == 0 && budget.record(1))
        server.stop()
        settle()
    }

    @Test("A loop closes none of its connections where all of them would not suffice")
    func othersHoldTheBytes() throws {
        let budget = ByteBudget(limitBytes: 4 << 20)
        let (server, connect) = try server(budget)
        let holders = try (0..<4).map { _ in try connect() }
        for holder in holders { send(100_000, of: 0, to: holder) }
        // Connections that are none of these loops, and that nothing closes.
        #expect(!budget.recordConnections(8 << 20))
        for sub in subs { LoopConnections.of(sub.reactor).relieve(budget) }
        #expect(server.connectionCount == 4)
        budget.recordConnections(-(8 << 20))
        settle()
        #expect(server.connectionCount == 4)
        server.stop()
        settle()
    }

    @Test("What is recorded while connections are chosen is relieved afterwards")
    func recordedMeanwhile() throws {
        let budget = ByteBudget(limitBytes: 16 << 20)
        let (server, connect) = try server(budget)
        let holders = try (0..<2).map { _ in try connect() }
        send(9_000_000, of: 0, to: holders[0])
        send(3_000_000, of: 0, to: holders[1])
        budget.recordConnections(5 << 20)
        // Both loops have contributed to the choice of the first, and have closed nothing yet.
        for sub in subs { sub.tick() }
        budget.recordConnections(9 << 20)
        settle()
        #expect(server.connectionCount == 0)
        budget.recordConnections(-(14 << 20))
        #expect(budget.heldBytes == 0)
        server.stop()
        settle()
    }

    @Test("Keeps a chosen connection that holds less than half of its bytes by now")
    func givenBackMeanwhile() throws {
        let budget = ByteBudget(limitBytes: 4 << 20)
        let (server, connect) = try server(budget)
        let holder = try connect()
        send(500_000, of: 0, to: holder)
        for times in [3, 2] {
            for sub in subs {
                let connections = LoopConnections.of(sub.reactor)
                connections.close(
                    connections.holders(of: budget).map {
                        ByteHolder(
                            id: $0.id, bytes: times * $0.bytes, weight: $0.weight,
                            stalled: $0.stalled)
                    })
            }
            settle()
            #expect(server.connectionCount == (times == 3 ? 1 : 0))
        }
        server.stop()
        settle()
    }

    @Test("Among connections without progress for more than a second the bytes decide")
    func bytesDecide() throws {
        let budget = ByteBudget(limitBytes: 16 << 20)
        let (server, connect) = try server(budget)
        let slow = try connect()
        send(3_000_000, of: 0, to: slow)
        main.clock.advance(by: .seconds(30))
        settle()
        let large = try connect()
        send(9_000_000, of: 0, to: large)
        main.clock.advance(by: .seconds(2))
        settle()
        let growing = try connect()
        send(5_000_000, of: 0, to: growing)
        #expect(large.receive() != .nothing)
        #expect(slow.receive() == .nothing)
        #expect(growing.receive() == .nothing)
        server.stop()
        settle()
    }

    @Test("Frees the unused memory of large buffers before it closes any connection")
    func mostlyEmptyBuffers() throws {
        let budget = ByteBudget(limitBytes: 16 << 20)
        let (server, connect) = try server(budget)
        // Large buffers come into the pools; reading uses some of them, too.
        var peers = try (0..<10).map { _ in try connect() }
        for peer in peers { send(600_000, of: 0, to: peer) }
        peers = []
        settle()
        #expect(server.connectionCount == 0)
        let small = try (0..<4).map { _ in try connect() }
        // Too much for a small buffer, and less than a quarter of a large one.
        for peer in small { send(20_000, of: 0, to: peer) }
        #expect(budget.heldBytes >= 4 << 20)
        main.clock.advance(by: .seconds(10))
        settle()
        let growing = try connect()
        send(14_000_000, of: 0, to: growing)
        #expect(small.allSatisfy { $0.receive() == .nothing } && growing.receive() == .nothing)
        #expect(budget.heldBytes <= 15 << 20 && budget.heldBytes == server.bufferedBytes)
        server.stop()
        settle()
        #expect(budget.heldBytes == 0)
    }

    @Test("Chooses the heaviest holders up to the excess")
    func choice() {
        let group = ObjectIdentifier(main)
        let holders = [(1, 10, 5.0), (2, 50, 80.0), (3, 20, 90.0), (4, 5, 1.0)].map {
            ByteHolder(
                id: ByteHolder.ID(group: group, number: $0.0), bytes: $0.1, weight: $0.2,
                stalled: .zero)
        }
        #expect(ByteHolder.heaviest(holders, excess: 0).isEmpty)
        #expect(ByteHolder.heaviest(holders, excess: 20).map(\.id.number) == [3])
        #expect(ByteHolder.heaviest(holders, excess: 21).map(\.id.number) == [3, 2])
        #expect(ByteHolder.heaviest(holders, excess: 1_000).map(\.id.number) == [3, 2, 1, 4])
    }
}
