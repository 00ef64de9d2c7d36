import RocketBase
import RocketReactor
import RocketReactorTestKit
@_spi(TestKit) import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

/// SIGPIPE ends a process by default. In a separate process with the default action, so that no
/// other code in it (a test runner, the log) has changed that.
@Suite(.oneAtATime) struct BrokenPipeTests {
    @Test("Survives writing to a peer that is gone")
    func writingToAPeerThatIsGone() async {
        await #expect(processExitsWith: .success) {
            Signals.restoreDefaultSIGPIPE()
            let driven = try HandDrivenLoop()
            let site = try RawListener()
            try site.listen()

            // One pair for each kind of write, over TCP and over a Unix socket.
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
                    // Reading is paused, so that only the write can fail.
                    connection.pauseReading()
                    connection.write { $0.append([UInt8](repeating: 1, count: 10_000_000)) }
                    driven.settle()
                    try #require(connection.pendingBytes > 0)
                    peer.reset()
                    // Before the loop is notified, and again in the next ticks.
                    write(connection)
                    driven.settle()
                    write(connection)
                    driven.settle()
                    try #require(handler.closeReason != nil)
                }
            }

            // Bare descriptors: the first send may still succeed, the second one fails.
            for (connection, _, peer) in try pairs() {
                connection.close(.now)
                driven.settle()
                for _ in 0..<3 { peer.send([1]) }
                try #require(peer.send([1]) == nil)
            }
        }
    }
}
