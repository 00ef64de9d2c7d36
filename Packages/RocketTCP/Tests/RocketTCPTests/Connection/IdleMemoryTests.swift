import RocketBase
import RocketReactorTestKit
import RocketSystem
@testable import RocketTCP
import Testing

@Suite(.oneAtATime) struct IdleMemoryTests {
    /// Of 128 connections, after a first 128, so that the tables have grown and grow once more. In a
    /// separate process, where nothing else allocates. A rise has to be a decision.
    @Test("An idle connection takes 528 bytes of the heap, with all that a loop keeps for it")
    func bytesOfAnIdleConnection() async {
        await #expect(processExitsWith: .success) {
            let driven = try HandDrivenLoop()
            let handler = SilentHandler()
            let group = ConnectionGroup(TCPConnectionConfiguration())
            var ends: [Int32] = []
            for _ in 0..<256 {
                try FileDescriptor.socketPair().take { ends += [$0.release(), $1.release()] }
            }
            func connect(_ pairs: Range<Int>) throws {
                for pair in pairs {
                    try TCPConnection(
                        Socket(FileDescriptor(owning: ends[2 * pair])),
                        peer: .loopback(port: 1), group: group, handler: handler,
                        on: driven.reactor
                    ).start()
                }
                driven.tick()
            }
            try connect(0..<128)
            let before = ProcessUsage.heapBytes
            try connect(128..<256)
            let each = (ProcessUsage.heapBytes - before) / 128
            try #require(each <= 528)
        }
    }
}

private final class SilentHandler: TCPConnectionHandler {
    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {}
}
