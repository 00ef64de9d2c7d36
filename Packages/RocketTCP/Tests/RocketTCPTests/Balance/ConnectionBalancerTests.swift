import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
@_spi(Transport) @testable import RocketTCP
import RocketTCPTestKit
import Testing

/// A server on three loops with one manual clock, which only the handlers and the test advance: a loop
/// has worked for as long as its handlers took.
@Suite(.oneAtATime) struct ConnectionBalancerTests {
    private let scene: MoveScene
    private let main: HandDrivenLoop

    init() throws {
        scene = try MoveScene()
        main = try HandDrivenLoop(clock: scene.clock)
        scene.record.cost.withLock { $0 = .milliseconds(5) }
    }

    private func start() -> ConnectionBalancer {
        let balancer = ConnectionBalancer(
            scene.loops.map(\.loop), scene.context, on: main.reactor)
        balancer.start()
        return balancer
    }

    /// Lets time pass in steps of 100 ms, in each of which each peer sends so many frames.
    private func run(_ peers: [(peer: RawPeer, frames: Int)], seconds: Int) {
        for _ in 0..<(10 * seconds) {
            let end = scene.clock.monotonic() + .milliseconds(100)
            for (peer, frames) in peers {
                peer.send([UInt8](repeating: 7, count: 4 * frames))
            }
            for _ in 0..<3 { for loop in scene.loops { loop.tick() } }
            for (peer, _) in peers { _ = peer.receiveAll() }
            scene.clock.advance(by: max(.zero, end - scene.clock.monotonic()))
            main.tick()
        }
    }

    @Test("Connections move from a busy loop to an idle one, until both are as busy")
    func balance() throws {
        let peers = try (1...4).map { try scene.connect(to: 0, number: $0) }
        let balancer = start()
        // Each makes a load of 20 %.
        run(peers.map { ($0, 4) }, seconds: 8)
        #expect(scene.connections(0).count == 2 && scene.connections(1).count == 2)
        #expect(scene.context.movedConnections == 2)
        run(peers.map { ($0, 4) }, seconds: 60)
        #expect(scene.context.movedConnections == 2)
        balancer.stop()
    }

    @Test("The connections that make the load move, and idle ones don't")
    func busyOnes() throws {
        let peers = try (1...10).map { try scene.connect(to: 0, number: $0) }
        let balancer = start()
        run([(peers[3], 8), (peers[7], 8)], seconds: 8)
        #expect(scene.context.movedConnections == 1 && scene.connections(1).count == 1)
        #expect([4, 8].contains(scene.connections(1).first?.number))
        balancer.stop()
    }

    @Test("A loop that one connection keeps busy keeps it, and loses the others")
    func oneConnection() throws {
        let peers = try (1...3).map { try scene.connect(to: 0, number: $0) }
        let balancer = start()
        run([(peers[0], 14), (peers[1], 1), (peers[2], 1)], seconds: 30)
        #expect(scene.connections(0).map(\.number) == [1])
        #expect(scene.connections(1).count == 2 && scene.context.movedConnections == 2)
        balancer.stop()
    }

    @Test("Loops that are busy for less than half of the time keep their connections")
    func littleLoad() throws {
        let peers = try (1...4).map { try scene.connect(to: 0, number: $0) }
        let balancer = start()
        run(peers.map { ($0, 2) }, seconds: 20)
        #expect(scene.context.movedConnections == 0)
        balancer.stop()
    }

    @Test("A loop in a long tick, whose load is not known, gets no connections")
    func longTick() throws {
        let peers = try (1...4).map { try scene.connect(to: 0, number: $0) }
        let balancer = start()
        run(peers.map { ($0, 4) }, seconds: 1)
        let (busy, long) = (scene.loops[0], scene.loops[1])
        long.reactor.schedule(after: .zero, label: "long") { [self] _ in
            for _ in 0..<60 {
                for peer in peers { peer.send([UInt8](repeating: 7, count: 16)) }
                for _ in 0..<3 { busy.tick() }
                for peer in peers { _ = peer.receiveAll() }
                scene.clock.advance(by: .milliseconds(20))
                main.tick()
            }
        }
        long.tick()
        #expect(scene.context.movedConnections == 0 && scene.connections(0).count == 4)
        run(peers.map { ($0, 4) }, seconds: 8)
        #expect(scene.context.movedConnections == 2)
        balancer.stop()
    }

    @Test("Connections that others open and close on the loop meanwhile change no choice")
    func others() throws {
        let peers = try (1...4).map { try scene.connect(to: 0, number: $0) }
        let balancer = start()
        var other: (TCPConnection, RawPeer)?
        for second in 0..<8 {
            other?.0.close(.now)
            let pair = try FileDescriptor.socketPair()
            pair.take { near, far in
                other = (
                    TCPConnection.adopt(
                        near, on: scene.loops[0].reactor, handler: FrameEcho(scene.record)),
                    RawPeer(far)
                )
            }
            // As many bytes as a client's connection may have had in all.
            other?.0.receivedTotal = second.isMultiple(of: 2) ? 10_000_000 : 0
            run(peers.map { ($0, 4) }, seconds: 1)
        }
        #expect(scene.connections(0).count == 2 && scene.connections(1).count == 2)
        #expect(scene.context.movedConnections == 2)
        other?.0.close(.now)
        balancer.stop()
    }

    @Test("A drain ends the moves, and with the last connections the looks end")
    func drain() throws {
        let peers = try (1...4).map { try scene.connect(to: 0, number: $0) }
        let balancer = start()
        run(peers.map { ($0, 4) }, seconds: 2)
        scene.context.advance(to: .draining)
        run(peers.map { ($0, 4) }, seconds: 8)
        #expect(scene.context.movedConnections == 0)
        for peer in peers { peer.close() }
        run([], seconds: 2)
        #expect(scene.isEmpty && main.reactor.timerCount == 0)
        withExtendedLifetime(balancer) {}
    }

    @Test("A connection that is busy in each tick moves between two of its calls")
    func neverQuiet() throws {
        let peers = try (1...2).map { try scene.connect(to: 0, number: $0) }
        let balancer = start()
        run([(peers[0], 9), (peers[1], 9)], seconds: 8)
        #expect(scene.connections(1).count == 1)
        balancer.stop()
    }

    @Test("A connection whose new loop has ended is closed, and counted as one")
    func targetEnded() throws {
        let peer = try scene.connect(to: 0)
        scene.settle()
        scene.loops[1].loop.stop()
        scene.loops[1].loop.release()
        scene.loops[1].loop.run()
        let transfer = ConnectionTransfer(
            scene.context, to: scene.loops[1].loop, on: scene.loops[0].reactor)
        transfer.move(scene.connections(0))
        scene.loops[0].settle()
        #expect(peer.receive() == .end && scene.context.limiter.connections == 0)
        #expect(scene.context.movedConnections == 0)
    }
}
