import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCPTestKit
import Testing

@_spi(TestKit) @testable import RocketTCP

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

    private func server(
        _ budget: ByteBudget, logger: RocketLogger = .disabled
    ) throws -> (TCPServer, () throws -> RawPeer) {
        var configuration = TCPServerConfiguration(listen: [.loopback(port: 0)])
        configuration.budget = budget
        let server = TCPServer(
            configuration: configuration, mainLoop: main.loop, subLoops: subs.map(\.loop),
            logger: logger
        ) { _ in Unit() }
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

    @Test("Closes the older of many small holders, and serves whole requests meanwhile")
    func manySmallHolders() throws {
        let budget = ByteBudget(limitBytes: 4 << 20)
        let (server, connect) = try server(budget)
        let good = try connect()
        var holders: [RawPeer] = []
        for _ in 0..<60 {
            let holder = try connect()
            send(100_000, of: 0, to: holder)
            holders.append(holder)
            main.clock.advance(by: .seconds(0.5))
            settle()
            #expect(budget.heldBytes <= budget.limitBytes)
            #expect(answers(good))
        }
        let isOpen = holders.map { $0.receive() == .nothing }
        // Which ones in between are closed depends on the sizes of their buffers, too.
        #expect(isOpen[..<8].allSatisfy { !$0 } && isOpen[59])
        server.stop()
        settle()
    }

    @Test("Counts the memory of buffers, not only the bytes in them")
    func capacity() throws {
        let budget = ByteBudget(limitBytes: 1 << 30)
        let (server, connect) = try server(budget)
        let peers = try (0..<4).map { _ in try connect() }
        for peer in peers { send(1_100_000, of: 0, to: peer) }
        let held = subs.flatMap { LoopConnections.of($0.reactor).connections }.map(\.heldBytes)
        #expect(budget.heldBytes == held.reduce(0, +))
        #expect(budget.heldBytes >= 4 * (2 << 20))
        server.stop()
        settle()
        #expect(budget.heldBytes == 0)
    }

    @Test("Counts what layers above record, and closes connections for it")
    func recordedByOthers() throws {
        let budget = ByteBudget(limitBytes: 4 << 20)
        let (server, connect) = try server(budget)
        let holder = try connect()
        send(1_000_000, of: 0, to: holder)
        #expect(budget.record(5 << 19))
        settle()
        #expect(server.connectionCount == 0)
        #expect(!budget.record(5 << 20))
        budget.record(-(15 << 19))
        #expect(budget.heldBytes == 0)
        server.stop()
        settle()
    }

    @Test("Chooses the heaviest holders up to the excess")
    func choice() {
        let group = ObjectIdentifier(main)
        let holders = [(1, 10, 5.0), (2, 50, 80.0), (3, 20, 90.0), (4, 5, 1.0)].map {
            ByteHolder(group: group, number: $0.0, bytes: $0.1, weight: $0.2)
        }
        #expect(ByteHolder.heaviest(holders, excess: 0).isEmpty)
        #expect(ByteHolder.heaviest(holders, excess: 20).map(\.number) == [3])
        #expect(ByteHolder.heaviest(holders, excess: 21).map(\.number) == [3, 2])
        #expect(ByteHolder.heaviest(holders, excess: 1_000).map(\.number) == [3, 2, 1, 4])
    }
}
