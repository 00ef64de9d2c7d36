import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

/// Occupies one entry of the descriptor table.
private final class Filler {
    private let descriptor: FileDescriptor
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}

/// In a separate process, since the descriptor table belongs to the whole process.
@Suite(.oneAtATime) struct FullDescriptorTableTests {
    @Test("Serves its connections while descriptors run out, and accepts again afterwards")
    func fullTable() async {
        await #expect(processExitsWith: .success) {
            let driven = try HandDrivenLoop()
            let server = TCPServer(
                configuration: TCPServerConfiguration(listen: [
                    NetAddress(.abstract(name: "rocket-full-\(CurrentProcess.processID)"))
                ]),
                mainLoop: driven.loop, subLoops: []
            ) { _ in EchoHandler() }
            let address = try #require(try server.start().first)
            driven.settle()
            let served = try RawPeer(connectingTo: address)
            driven.settle()
            func answers(_ peer: RawPeer) -> Bool {
                peer.send([1])
                driven.settle()
                return peer.receive() == .bytes([1])
            }
            try #require(answers(served))

            let waiting = try (0..<5).map { _ in try RawPeer(connectingTo: address) }

            // No number is left, whatever other code in this process opens and closes meanwhile.
            try ProcessUsage.setDescriptorLimit(3)
            for _ in 0..<50 { driven.tick(after: .milliseconds(10)) }
            try #require(server.connectionCount == 1)
            try #require(answers(served))
            try #require(driven.tick().isIdle, "accepting pauses without spinning")
            try #require(waiting.allSatisfy { $0.receive() == .nothing })

            try ProcessUsage.setDescriptorLimit(1000)
            driven.tick(after: .milliseconds(100))
            driven.settle()
            try #require(server.connectionCount == 6)
            try #require(waiting.allSatisfy { answers($0) })

            // The table is full and contains the acceptor's reserve, by which one peer is
            // disconnected at once. Other code may close something, so each round fills it again.
            let more = try (0..<20).map { _ in try RawPeer(connectingTo: address) }
            try ProcessUsage.setDescriptorLimit(100)
            var fillers: [Filler] = []
            var isDisconnected = false
            for _ in 0..<20 where !isDisconnected {
                while let filler = try? FileDescriptor.placeholder() {
                    fillers.append(Filler(filler))
                }
                driven.tick(after: .milliseconds(100))
                driven.settle()
                isDisconnected = more.contains { $0.receive() == .end }
            }
            try #require(isDisconnected)
            try #require(answers(served))

            fillers = []
            driven.tick(after: .milliseconds(100))
            driven.settle()
            try #require(more.contains { answers($0) })
            try #require(answers(served))
        }
    }
}
