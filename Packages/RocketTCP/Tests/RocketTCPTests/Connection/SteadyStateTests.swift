import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
@_spi(TestKit) import RocketTCP
import RocketTCPTestKit
import Testing

@Suite(.oneAtATime) struct SteadyStateTests {
    /// In a process of its own: others would open descriptors and take memory meanwhile.
    @Test func descriptorsAndHeapAreAsBeforeAfterManyConnections() async {
        await #expect(processExitsWith: .success) {
            let driven = try HandDrivenLoop()
            func cycle() throws {
                let pair = try ConnectedPair(on: driven.reactor)
                pair.peer.send([1])
                driven.tick()
                pair.connection.write { $0.append(byte: 1) }
                pair.peer.close()
                driven.tick()
                driven.tick()
                try #require(pair.handler.closeReason != nil)
            }
            for _ in 0..<500 { try cycle() }
            let descriptors = try ProcessUsage.openDescriptors()
            let heap = ProcessUsage.heapBytes
            for _ in 0..<5_000 { try cycle() }
            try #require(try ProcessUsage.openDescriptors() == descriptors)
            // What is freed may come back a little differently; a leak would be megabytes.
            try #require(ProcessUsage.heapBytes - heap < 64 << 10)
            try #require(driven.reactor.registrationCount == 1)
        }
    }

    @Test func anIdleConnectionHoldsNoBuffer() throws {
        let driven = try HandDrivenLoop()
        let pair = try ConnectedPair(on: driven.reactor)
        pair.peer.send([UInt8](repeating: 1, count: 10_000))
        driven.settle()
        pair.connection.write { $0.append([UInt8](repeating: 1, count: 10_000)) }
        driven.settle()
        #expect(pair.connection.heldBytes == 0)
    }
}
