import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

/// On real threads: a drain is awaited.
@Suite(.oneAtATime) struct TCPServerDrainTests {
    /// Ignores the drain.
    private final class Stubborn: TCPConnectionHandler {
        func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {}
        func draining(_ connection: TCPConnection) {}
    }

    private func drained(
        within limit: Duration, _ makeHandler: @escaping @Sendable () -> any TCPConnectionHandler
    ) async throws {
        let threads = try IOThreadGroup(count: 2, namePrefix: "sub")
        let main = try IOThread(name: "main")
        let server = TCPServer(
            configuration: TCPServerConfiguration(listen: [.loopback(port: 0)]),
            mainLoop: main.loop, subLoops: threads.loops
        ) { _ in makeHandler() }
        let address = try #require(try server.start().first)
        let peers = try (0..<20).map { _ in try RawPeer(connectingTo: address) }
        while server.connectionCount < 20 { await Task.yield() }
        await server.drain(within: limit)
        #expect(server.connectionCount == 0)
        #expect(server.bufferedBytes == 0)
        for peer in peers { #expect(peer.receive() == .end) }
        #expect(throws: SystemError.self) {
            let late = try RawPeer(connectingTo: address)
            if case .failed(let errno) = late.receive() { throw SystemError("connect", errno) }
        }
        main.stop()
        main.join()
        await threads.shutdown()
    }

    @Test func handlersThatIgnoreTheDrainAreClosedAfterTheBound() async throws {
        try await drained(within: .milliseconds(20)) { Stubborn() }
    }

    @Test func handlersThatCloseAreWaitedFor() async throws {
        // Their peers keep their ends open: closeTimeout would be 5 s, the drain's bound ends it.
        try await drained(within: .milliseconds(50)) { EchoHandler() }
    }
}
