import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
@_spi(TestKit) import RocketTCP
import RocketTCPTestKit
import Testing

@Suite(.oneAtATime) struct SteadyStateTests {
    /// In a separate process: other tests would open descriptors and allocate memory meanwhile.
    @Test("Leaks neither descriptors nor memory over many connections")
    func descriptorsAndHeapAreAsBeforeAfterManyConnections() async {
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
            // The allocator may return a little less than before; a leak would be megabytes.
            try #require(ProcessUsage.heapBytes - heap < 64 << 10)
            try #require(driven.reactor.registrationCount == 1)
        }
    }

    @Test("Holds no buffer while idle")
    func anIdleConnectionHoldsNoBuffer() throws {
        let driven = try HandDrivenLoop()
        let pair = try ConnectedPair(on: driven.reactor)
        pair.peer.send([UInt8](repeating: 1, count: 10_000))
        driven.settle()
        pair.connection.write { $0.append([UInt8](repeating: 1, count: 10_000)) }
        driven.settle()
        #expect(pair.connection.heldBytes == 0)
    }
}
