import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

/// A loop that ends before its connections.
@Suite(.oneAtATime) struct LoopEndTests {
    let driven: HandDrivenLoop
    init() throws { driven = try HandDrivenLoop() }

    /// Does what `IOThread.stop` does, on this thread.
    private func endLoop() {
        driven.loop.stop()
        driven.loop.run()
    }

    @Test("Notifies each connection of the end once")
    func connectionsAreNotifiedOnce() throws {
        let open = try ConnectedPair(on: driven.reactor)
        let full = try ConnectedPair(on: driven.reactor, kernelBufferBytes: 2048)
        full.connection.write { $0.append([UInt8](repeating: 1, count: 100_000)) }
        let draining = try ConnectedPair(on: driven.reactor, kernelBufferBytes: 2048)
        draining.connection.write { $0.append([UInt8](repeating: 1, count: 100_000)) }
        draining.connection.close(.afterFlush, reason: .rejected("before"))
        let gone = try ConnectedPair(on: driven.reactor)
        gone.connection.close(.now)
        driven.settle()
        let paused = try ConnectedPair(on: driven.reactor)
        paused.connection.pauseReading()
        endLoop()
        #expect(open.handler.events == [.connected, .closed(.stopped)])
        #expect(full.handler.events == [.connected, .closed(.stopped)])
        #expect(draining.handler.closeReason == .rejected("before"))
        #expect(gone.handler.events == [.connected, .closed(.requested)])
        #expect(paused.handler.events == [.connected, .closed(.stopped)])
        _ = full.peer.receiveAll()
        for pair in [open, full, paused] { #expect(pair.peer.receive() == .end) }
    }

    @Test("Notifies connections that are opened during the end, too")
    func connectionsOpenedDuringTheEnd() throws {
        let first = try ConnectedPair(on: driven.reactor)
        let opened = RecordingConnectionHandler()
        first.handler.onClosed = { connection, _ in
            let reactor = connection.reactor
            let pair = try? FileDescriptor.socketPair()
            pair?.take { near, _ in TCPConnection.adopt(near, on: reactor, handler: opened) }
        }
        endLoop()
        #expect(opened.events == [.connected, .closed(.stopped)])
    }

    @Test("Cancels connect operations")
    func connectOperationsAreCancelled() throws {
        let site = try RawListener()
        try site.listen(backlog: 0)
        let peers = try (0..<3).map { _ in try RawPeer(connectingTo: site.address) }
        var errors: [ConnectError] = []
        TCPClient.connect(
            to: [site.address], on: driven.reactor, timeout: .seconds(1),
            handler: RecordingConnectionHandler()
        ) { if case .failure(let error) = $0 { errors.append(error) } }
        driven.settle()
        #expect(errors.isEmpty)
        endLoop()
        #expect(errors.map(\.kind) == [.cancelled])
        withExtendedLifetime(peers) {}
    }

    @Test("Closes connections in the order in which they were made")
    func connectionsAreClosedInOrder() throws {
        var closed: [Int] = []
        let pairs = try (0..<20).map { number in
            let pair = try ConnectedPair(on: driven.reactor)
            pair.handler.onClosed = { _, _ in closed.append(number) }
            return pair
        }
        endLoop()
        #expect(closed == Array(0..<20))
        withExtendedLifetime(pairs) {}
    }

    @Test("Cancels connect operations in the order in which they began")
    func connectOperationsAreCancelledInOrder() throws {
        let site = try RawListener()
        try site.listen(backlog: 0)
        let peers = try (0..<3).map { _ in try RawPeer(connectingTo: site.address) }
        var cancelled: [Int] = []
        for number in 0..<20 {
            TCPClient.connect(
                to: [site.address], on: driven.reactor, timeout: .seconds(1),
                handler: RecordingConnectionHandler()
            ) { if case .failure = $0 { cancelled.append(number) } }
        }
        driven.settle()
        endLoop()
        #expect(cancelled == Array(0..<20))
        withExtendedLifetime(peers) {}
    }

    @Test("Closes a server's listeners and balances its counters")
    func serverCountersAreBalanced() throws {
        let path = NetAddress(.unix(path: "/tmp/rocket-tcp-\(CurrentProcess.processID)-loop-end"))
        let handler = RecordingConnectionHandler()
        let bound = LoopBound(handler, on: driven.reactor)
        let server = TCPServer(
            configuration: TCPServerConfiguration(listen: [path]), mainLoop: driven.loop,
            subLoops: []
        ) { _ in bound.get() }
        _ = try server.start()
        driven.settle()
        let peer = try RawPeer(connectingTo: path)
        driven.settle()
        #expect(server.connectionCount == 1)
        endLoop()
        #expect(handler.events == [.connected, .closed(.stopped)])
        #expect(server.connectionCount == 0)
        #expect(peer.receive() == .end)
        #expect(throws: SystemError.self) { try RawPeer(connectingTo: path) }
    }
}
