import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Synchronization
import Testing

/// On a clock that stands still.
@Suite(.oneAtATime) struct TCPServerDrainTests {
    let driven: HandDrivenLoop
    init() throws { driven = try HandDrivenLoop() }

    /// Ignores the drain.
    private final class Stubborn: TCPConnectionHandler {
        func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {}
        func draining(_ connection: TCPConnection) {}
    }

    /// A server with handlers of that kind, and three peers that never end their side.
    private func server(_ makeHandler: @escaping @Sendable () -> any TCPConnectionHandler) throws
        -> (TCPServer, [RawPeer], NetAddress)
    {
        let server = TCPServer(
            configuration: TCPServerConfiguration(listen: [.loopback(port: 0)]),
            mainLoop: driven.loop, subLoops: []
        ) { _ in makeHandler() }
        let address = try #require(try server.start().first)
        driven.settle()
        let peers = try (0..<3).map { _ in try RawPeer(connectingTo: address) }
        driven.settle()
        try #require(server.connectionCount == 3)
        return (server, peers, address)
    }

    private func drain(_ server: TCPServer, within limit: Duration) -> Flag {
        let flag = Flag()
        server.drain(within: limit) { flag.raise() }
        #expect(!flag.isRaised)
        driven.settle()
        return flag
    }

    private func expectAllGone(_ server: TCPServer, _ peers: [RawPeer]) {
        #expect(server.connectionCount == 0)
        #expect(server.bufferedBytes == 0)
        for peer in peers { #expect(peer.receive() == .end) }
        #expect(driven.reactor.registrationCount == 1)
    }

    @Test func idleConnectionsAreClosedWithoutATick() throws {
        let (server, peers, _) = try server { EchoHandler() }
        let drained = drain(server, within: .seconds(30))
        #expect(drained.isRaised)
        expectAllGone(server, peers)
        #expect(driven.reactor.timerCount <= 1)
    }

    @Test func aPeerMayReadWhatItWasSentLast() throws {
        let (server, peers, _) = try server { EchoHandler() }
        peers[0].send([7])
        driven.settle()
        let drained = drain(server, within: .seconds(30))
        #expect(!drained.isRaised && server.connectionCount == 1)
        driven.tick(after: .milliseconds(900))
        #expect(!drained.isRaised)
        driven.tick(after: .milliseconds(150))
        driven.settle()
        #expect(drained.isRaised)
        #expect(peers[0].receive() == .bytes([7]))
        expectAllGone(server, peers)
    }

    @Test func handlersThatIgnoreTheDrainAreClosedAfterTheBound() throws {
        let (server, peers, _) = try server { Stubborn() }
        let drained = drain(server, within: .seconds(30))
        driven.tick(after: .milliseconds(29_900))
        driven.settle()
        #expect(!drained.isRaised && server.connectionCount == 3)
        driven.tick(after: .milliseconds(100))
        driven.settle()
        #expect(drained.isRaised)
        expectAllGone(server, peers)
    }

    @Test func whoConnectsDuringADrainIsRefused() throws {
        let (server, peers, address) = try server { Stubborn() }
        let drained = drain(server, within: .seconds(30))
        // Connections of the old listener keep its port from everybody else.
        let late = try RawPeer(connectingTo: address)
        #expect(late.receive() == .failed(.connectionRefused))
        driven.tick(after: .seconds(30))
        driven.settle()
        #expect(drained.isRaised)
        expectAllGone(server, peers)
    }

    @Test func theLoopsEndEndsTheDrain() throws {
        let (server, peers, _) = try server { Stubborn() }
        let drained = drain(server, within: .seconds(30))
        driven.loop.stop()
        driven.loop.run()
        #expect(drained.isRaised)
        #expect(server.connectionCount == 0)
        for peer in peers { #expect(peer.receive() == .end) }
    }

    @Test func aServerWhoseLoopHasEndedIsDrainedAtOnce() throws {
        let (server, _, _) = try server { Stubborn() }
        driven.loop.stop()
        driven.loop.run()
        let flag = Flag()
        server.drain(within: .seconds(30)) { flag.raise() }
        #expect(flag.isRaised)
    }

    @Test func aDrainOverThreadsIsAwaited() async throws {
        let threads = try IOThreadGroup(count: 2, namePrefix: "sub")
        let main = try IOThread(name: "main")
        let server = TCPServer(
            configuration: TCPServerConfiguration(listen: [.loopback(port: 0)]),
            mainLoop: main.loop, subLoops: threads.loops
        ) { _ in EchoHandler() }
        let address = try #require(try server.start().first)
        let peers = try (0..<20).map { _ in try RawPeer(connectingTo: address) }
        while server.connectionCount < 20 { await Task.yield() }
        await server.drain(within: .seconds(3600))
        #expect(server.connectionCount == 0)
        for peer in peers { #expect(peer.receive(exactly: 1) == []) }
        main.stop()
        await main.ended()
        await threads.shutdown()
    }
}

/// Once raised, it stays so.
final class Flag: Sendable {
    private let state = Atomic(false)
    var isRaised: Bool { state.load(ordering: .sequentiallyConsistent) }
    func raise() { state.store(true, ordering: .sequentiallyConsistent) }
}
