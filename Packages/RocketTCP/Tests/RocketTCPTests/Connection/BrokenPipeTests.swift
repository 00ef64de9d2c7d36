import RocketBase
import RocketReactor
import RocketReactorTestKit
@_spi(TestKit) import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

/// SIGPIPE kills a process that does not ask otherwise. In a process of its own with the default
/// action, so that nothing else in it (a test runner, the log) has a say.
@Suite(.oneAtATime) struct BrokenPipeTests {
    @Test func writingToAPeerThatIsGoneNeverKills() async {
        await #expect(processExitsWith: .success) {
            Signals.restoreDefaultSIGPIPE()
            let driven = try HandDrivenLoop()
            let site = try RawListener()
            try site.listen()

            // One pair per way to write, over TCP and over a Unix socket.
            func pairs() throws -> [(TCPConnection, RecordingConnectionHandler, RawPeer)] {
                let handler = RecordingConnectionHandler()
                TCPClient.connect(
                    to: [site.address], on: driven.reactor, timeout: .seconds(1), handler: handler
                ) { _ in }
                driven.settle()
                let unix = try ConnectedPair(on: driven.reactor)
                return [
                    (try #require(handler.connection), handler, try #require(site.accept())),
                    (unix.connection, unix.handler, unix.peer),
                ]
            }
            let ways: [(TCPConnection) -> Void] = [
                { $0.write { $0.append([UInt8](repeating: 1, count: 100_000)) } },
                { $0.write(shared: SharedBytes([UInt8](repeating: 1, count: 100_000))) },
                {
                    $0.write { $0.append(byte: 1) }
                    $0.write(shared: SharedBytes([2]))
                },
                {
                    $0.write { $0.append(byte: 1) }
                    $0.close(.afterFlush)
                },
                {
                    $0.write { $0.append(byte: 1) }
                    $0.finishWriting()
                },
            ]
            for write in ways {
                for (connection, handler, peer) in try pairs() {
                    // Reading is paused, so that nothing but the write finds out.
                    connection.pauseReading()
                    connection.write { $0.append([UInt8](repeating: 1, count: 10_000_000)) }
                    driven.settle()
                    try #require(connection.pendingBytes > 0)
                    peer.reset()
                    // Before the loop hears of it, and again in the next ticks.
                    write(connection)
                    driven.settle()
                    write(connection)
                    driven.settle()
                    try #require(handler.closeReason != nil)
                }
            }

            // Bare descriptors: the first send may still be taken, the second finds the end.
            for (connection, _, peer) in try pairs() {
                connection.close(.now)
                driven.settle()
                for _ in 0..<3 { peer.send([1]) }
                try #require(peer.send([1]) == nil)
            }
        }
    }
}
