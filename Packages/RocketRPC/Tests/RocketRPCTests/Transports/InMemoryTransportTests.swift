import RocketBase
import RocketReactorTestKit
import RocketTCP
import Testing

@_spi(Transport) @testable import RocketRPC

/// The two ends of a pipe in memory, tick by tick.
@Suite struct InMemoryTransportTests {
    private final class End: TransportHandler {
        var transport: (any Transport)?
        private(set) var bytes: [UInt8] = []
        private(set) var reasons: [CloseReason] = []

        func connected(_ transport: any Transport) { self.transport = transport }
        func received(_ transport: any Transport, _ input: inout ByteBuffer) {
            bytes += input.copyBytes()
            input.removeAll()
        }
        func writabilityChanged(_ transport: any Transport, isWritable: Bool) {}
        func draining(_ transport: any Transport) {}
        func inputEnded(_ transport: any Transport) {
            transport.close(.afterFlush, reason: .peerFinished)
        }
        func closed(_ transport: any Transport, reason: CloseReason) { reasons.append(reason) }
    }

    private func joined(
        _ body: (HandDrivenLoop, _ near: End, _ far: End) throws -> Void
    ) throws {
        let (loop, near, far) = (try HandDrivenLoop(), End(), End())
        InMemoryTransport.join(near, far, on: loop.reactor)
        try body(loop, near, far)
        near.transport?.close(.now, reason: .requested)
        loop.tickUntilIdle()
    }

    @Test("Counts the bytes that the peer has received, at the end of their tick")
    func sentBytes() throws {
        try joined { loop, near, far in
            let transport = try #require(near.transport)
            for count: UInt64 in 1...2 {
                transport.send { $0.append([1, 2, 3] as [UInt8]) }
                #expect(transport.sentBytes == 3 * (count - 1))
                loop.tickUntilIdle()
                #expect(transport.sentBytes == 3 * count)
            }
            #expect(far.bytes == [1, 2, 3, 1, 2, 3])
        }
    }

    @Test("Bytes that wait while the peer resets the pipe do not count as sent")
    func reset() throws {
        try joined { loop, near, far in
            near.transport?.send { $0.append([1, 2, 3] as [UInt8]) }
            far.transport?.close(.reset, reason: .requested)
            loop.tickUntilIdle()
            #expect(near.transport?.sentBytes == 0 && far.bytes.isEmpty)
            #expect(near.reasons == [.peerReset] && far.reasons == [.requested])
        }
    }
}
