import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Synchronization
import Testing

/// With a manual clock.
@Suite(.oneAtATime) struct TCPServerDrainTests {
    let driven: HandDrivenLoop
    init() throws { driven = try HandDrivenLoop() }

    /// Ignores the drain.
    private final class Stubborn: TCPConnectionHandler {
        func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {}
        func draining(_ connection: TCPConnection) {}
    }

    /// Ignores the drain, and says goodbye at its end, to some with more than they read.
    private final class Talkative: TCPConnectionHandler {
        func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {}
        func draining(_ connection: TCPConnection) {}

        func drainTimedOut(_ connection: TCPConnection) {
            let byteCount = connection.number == 1 ? 3 : 20_000_000
            connection.write { $0.append([UInt8](repeating: 7, count: byteCount)) }
            connection.close(.afterFlush, reason: .drained)
        }
    }

    /// Starts a server with such handlers, and connects three peers that never end their side.
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

    @Test("Closes idle connections at once")
    func idleConnections() throws {
        let (server, peers, _) = try server { EchoHandler() }
        let drained = drain(server, within: .seconds(30))
        #expect(drained.isRaised)
        expectAllGone(server, peers)
        #expect(driven.reactor.timerCount <= 1)
    }

    @Test("Gives a peer time to read what it was sent last")
    func aPeerMayReadWhatItWasSentLast() throws {
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

    @Test("Closes connections whose handlers ignore the drain at its time limit")
    func handlersThatIgnoreTheDrain() throws {
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

    @Test("At the time limit handlers may say so to their peers, and have a second for that")
    func lastWords() throws {
        let (server, peers, _) = try server { Talkative() }
        let drained = drain(server, within: .seconds(10))
        driven.tick(after: .seconds(10))
        driven.settle()
        #expect(!drained.isRaised)
        #expect(peers[0].receive() == .bytes([7, 7, 7]) && peers[0].receive() == .end)
        driven.tick(after: .milliseconds(900))
        driven.settle()
        #expect(!drained.isRaised)
        driven.tick(after: .milliseconds(100))
        driven.settle()
        #expect(drained.isRaised && server.connectionCount == 0 && server.bufferedBytes == 0)
    }

    @Test("A drain without time closes connections as they are")
    func noTime() throws {
        let (server, peers, _) = try server { Talkative() }
        let drained = drain(server, within: .zero)
        driven.tick(after: .nanoseconds(1))
        driven.settle()
        #expect(drained.isRaised)
        expectAllGone(server, peers)
    }

    @Test("Refuses connections during a drain")
    func connectionsDuringADrain() throws {
        let (server, peers, address) = try server { Stubborn() }
        let drained = drain(server, within: .seconds(30))
        // The connections of the closed listener keep its port occupied.
        let late = try RawPeer(connectingTo: address)
        #expect(late.receive() == .failed(.connectionRefused))
        driven.tick(after: .seconds(30))
        driven.settle()
        #expect(drained.isRaised)
        expectAllGone(server, peers)
    }

    @Test("Ends the drain when its loop ends")
    func theLoopsEndEndsTheDrain() throws {
        let (server, peers, _) = try server { Stubborn() }
        let drained = drain(server, within: .seconds(30))
        driven.loop.stop()
        driven.loop.run()
        #expect(drained.isRaised)
        #expect(server.connectionCount == 0)
        for peer in peers { #expect(peer.receive() == .end) }
    }

    @Test("Drains at once when its loop has ended")
    func aServerWhoseLoopHasEndedIsDrainedAtOnce() throws {
        let (server, _, _) = try server { Stubborn() }
        driven.loop.stop()
        driven.loop.run()
        let flag = Flag()
        server.drain(within: .seconds(30)) { flag.raise() }
        #expect(flag.isRaised)
    }

    /// With a loop of its own, driven by the same thread, so that a socket can be on its way there.
    private func serverOverTwoLoops() throws -> (TCPServer, sub: HandDrivenLoop, RawPeer) {
        let sub = try HandDrivenLoop()
        let server = TCPServer(
            configuration: TCPServerConfiguration(listen: [.loopback(port: 0)]),
            mainLoop: driven.loop, subLoops: [sub.loop]
        ) { _ in EchoHandler() }
        let address = try #require(try server.start().first)
        return (server, sub, try RawPeer(connectingTo: address))
    }

    @Test("Closes a socket on its way to its loop when the server stops, and frees its place")
    func stopWithASocketOnItsWay() throws {
        let (server, sub, peer) = try serverOverTwoLoops()
        driven.settle()
        #expect(server.connectionCount == 1)
        server.stop()
        driven.settle()
        sub.settle()
        #expect(server.connectionCount == 0)
        #expect(peer.receive() == .end)
        let flag = Flag()
        server.drain(within: .seconds(30)) { flag.raise() }
        driven.settle()
        sub.settle()
        #expect(flag.isRaised)
    }

    @Test("A connection whose socket was on its way when the drain began is told once")
    func drainWithASocketOnItsWay() throws {
        let sub = try HandDrivenLoop()
        let handler = RecordingConnectionHandler()
        handler.onDraining = { _ in }
        let bound = LoopBound(handler, on: sub.reactor)
        let server = TCPServer(
            configuration: TCPServerConfiguration(listen: [.loopback(port: 0)]),
            mainLoop: driven.loop, subLoops: [sub.loop]
        ) { _ in bound.get() }
        let peer = try RawPeer(connectingTo: try #require(try server.start().first))
        driven.settle()
        server.drain(within: .seconds(30)) {}
        driven.settle()
        sub.settle()
        #expect(handler.events == [.connected, .draining])
        server.stop()
        driven.settle()
        sub.settle()
        #expect(peer.receive() == .end)
    }

    @Test("Closes a socket on its way to a loop that has ended, and frees its place")
    func endedLoopWithASocketOnItsWay() throws {
        let (server, sub, peer) = try serverOverTwoLoops()
        sub.loop.stop()
        sub.loop.run()
        driven.settle()
        #expect(server.connectionCount == 0)
        #expect(peer.receive() == .end)
        server.stop()
        driven.settle()
    }

    @Test("Awaits a drain over several threads")
    func aDrainOverThreadsIsAwaited() async throws {
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

/// A flag that can be raised once. Any thread.
final class Flag: Sendable {
    private let state = Atomic(false)
    var isRaised: Bool { state.load(ordering: .sequentiallyConsistent) }
    func raise() { state.store(true, ordering: .sequentiallyConsistent) }
}
