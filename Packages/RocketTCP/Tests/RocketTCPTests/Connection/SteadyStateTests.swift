import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
@_spi(TestKit) import RocketTCP
import RocketTCPTestKit
import Testing

@Suite(.serialized) struct SteadyStateTests {
    let driven: HandDrivenLoop
    init() throws { driven = try HandDrivenLoop() }

    @Test func descriptorsAndListsAreAsBeforeAfterManyConnections() throws {
        func cycle() throws {
            let pair = try ConnectedPair(on: driven.reactor)
            pair.peer.send([1])
            driven.tick()
            pair.connection.write { $0.append(byte: 1) }
            pair.peer.close()
            driven.tick()
            driven.tick()
            #expect(pair.handler.closeReason != nil)
        }
        for _ in 0..<100 { try cycle() }
        let descriptors = try ProcessUsage.openDescriptors()
        for _ in 0..<2_000 { try cycle() }
        // Other suites run beside this one; a leak would be 2,000.
        #expect(abs(try ProcessUsage.openDescriptors() - descriptors) < 1_000)
        #expect(driven.reactor.registrationCount == 1)
    }

    @Test func anIdleConnectionHoldsNoBuffer() throws {
        let pair = try ConnectedPair(on: driven.reactor)
        pair.peer.send([UInt8](repeating: 1, count: 10_000))
        driven.settle()
        pair.connection.write { $0.append([UInt8](repeating: 1, count: 10_000)) }
        driven.settle()
        #expect(pair.connection.heldBytes == 0)
    }
}
