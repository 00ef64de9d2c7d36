import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

/// Takes one place in the descriptor table.
private final class Filler {
    private let descriptor: FileDescriptor
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}

/// In a process of its own: the descriptor table belongs to the whole process.
@Suite(.oneAtATime) struct FullDescriptorTableTests {
    @Test func theServerServesOnAndAcceptsAgainWhenDescriptorsComeFree() async {
        await #expect(processExitsWith: .success) {
            let driven = try HandDrivenLoop()
            let server = TCPServer(
                configuration: TCPServerConfiguration(listen: [.loopback(port: 0)]),
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

            // All descriptors are taken: these five peers wait in the kernel.
            let waiting = try (0..<5).map { _ in try RawPeer(connectingTo: address) }
            try ProcessUsage.setDescriptorLimit(100)
            var fillers: [Filler] = []
            while let filler = try? FileDescriptor.placeholder() {
                fillers.append(Filler(filler))
            }
            for _ in 0..<50 { driven.tick(after: .milliseconds(1)) }
            try #require(server.connectionCount == 1)
            try #require(answers(served))
            // One was turned away at once, and accepting rests: no spinning.
            try #require(waiting.filter { $0.receive() == .end }.count == 1)
            try #require(driven.tick().isIdle)
            driven.tick(after: .milliseconds(100))
            driven.settle()
            try #require(waiting.filter { $0.receive() == .end }.count == 2)

            fillers = []
            driven.tick(after: .milliseconds(100))
            driven.settle()
            try #require(server.connectionCount == 4)
            try #require(waiting.filter { answers($0) }.count == 3)
            try #require(answers(served))
        }
    }
}
