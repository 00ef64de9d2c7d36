import RocketBase
import RocketReactorTestKit
import RocketTCPTestKit
import Testing

@testable import RocketTCP

/// The buffers that the connections of a loop share, and the size of its reads.
@Suite struct BufferPoolTests {
    private static let largeBytes = 1 << 20

    private func give(_ count: Int, to pool: inout BufferPool) {
        for _ in 0..<count {
            var buffer = ByteBuffer()
            _ = buffer.reserve(Self.largeBytes)
            pool.give(from: &buffer)
        }
    }

    @Test("Keeps a large buffer however often it is taken and given back")
    func takenAgain() {
        var pool = BufferPool()
        give(1, to: &pool)
        for _ in 0..<40 {
            var buffer = ByteBuffer()
            pool.take(into: &buffer)
            #expect(buffer.capacityBytes >= Self.largeBytes)
            pool.give(from: &buffer)
        }
    }

    @Test("Keeps large buffers again after all were freed")
    func freed() {
        var pool = BufferPool()
        for _ in 0..<3 {
            give(10, to: &pool)
            pool.removeAll()
        }
        give(1, to: &pool)
        var buffer = ByteBuffer()
        pool.take(into: &buffer)
        #expect(buffer.capacityBytes >= Self.largeBytes)
    }

    @Test("Frees the buffers that nothing used since the last time, and no others")
    func unused() {
        var pool = BufferPool()
        give(5, to: &pool)
        pool.releaseUnused()
        #expect(pool.bytes == 5 * Self.largeBytes)
        var one = ByteBuffer()
        var other = ByteBuffer()
        pool.take(into: &one)
        pool.take(into: &other)
        pool.give(from: &one)
        pool.give(from: &other)
        pool.releaseUnused()
        #expect(pool.bytes == 2 * Self.largeBytes)
        pool.take(into: &one)
        #expect(one.capacityBytes == Self.largeBytes && pool.bytes == Self.largeBytes)
        pool.releaseUnused()
        #expect(pool.bytes == 0)
        give(16, to: &pool)
        #expect(pool.bytes == 16 * Self.largeBytes)
    }

    @Test("Gives a small buffer for a few bytes, or a new one, and keeps the large ones")
    func small() {
        var pool = BufferPool()
        var buffer = ByteBuffer()
        give(2, to: &pool)
        pool.takeSmall(into: &buffer)
        #expect(buffer.capacityBytes <= BufferPool.keepBytes)
        #expect(pool.bytes == 2 * Self.largeBytes)
        buffer.shrink()
        _ = buffer.reserve(BufferPool.keepBytes)
        let smallBytes = buffer.capacityBytes
        pool.give(from: &buffer)
        give(2, to: &pool)
        pool.releaseUnused()
        pool.takeSmall(into: &buffer)
        #expect(buffer.capacityBytes == smallBytes && pool.bytes == 4 * Self.largeBytes)
        // The two below it have not been used.
        pool.releaseUnused()
        #expect(pool.bytes == 2 * Self.largeBytes)
        pool.releaseUnused()
        #expect(pool.bytes == 0)
    }

    @Test("The beginning of a message is not kept in a large buffer of others")
    func slowPeer() throws {
        let driven = try HandDrivenLoop()
        let pair = try ConnectedPair(on: driven.reactor)
        pair.handler.onReceived = { _, _ in }
        let loop = LoopConnections.of(driven.reactor)
        for _ in 0..<3 {
            var buffer = ByteBuffer()
            _ = buffer.reserve(Self.largeBytes)
            loop.keep(&buffer)
        }
        pair.peer.sendAll([UInt8](repeating: 1, count: 10))
        driven.tickUntilIdle()
        #expect(pair.connection.input.readableBytes == 10)
        #expect(pair.connection.input.capacityBytes <= BufferPool.keepBytes)
    }

    @Test("A loop holds no large buffers when ten seconds have passed since a burst")
    func burst() throws {
        let driven = try HandDrivenLoop()
        let pair = try ConnectedPair(on: driven.reactor)
        let message = [UInt8](repeating: 1, count: 4 << 20)
        pair.connection.write { $0.append(message) }
        while pair.connection.pendingBytes > 0 {
            driven.tick()
            _ = pair.peer.receiveAll()
        }
        let loop = LoopConnections.of(driven.reactor)
        #expect(loop.pool.bytes >= message.count)
        driven.tick(after: LoopConnections.poolInterval)
        driven.tick(after: LoopConnections.poolInterval)
        #expect(loop.pool.bytes == 0)
    }

    @Test("Only small reads in a row make the next reads smaller")
    func readSize() {
        var size = AdaptiveReadSize(least: 1024, most: 8192)
        size.record(count: 1024, room: 1024)
        #expect(size.bytes == 2048)
        for count in [511, 512, 511] {
            for _ in 0..<(count == 512 ? 1 : 63) { size.record(count: count, room: 2048) }
            #expect(size.bytes == 2048)
        }
        size.record(count: 511, room: 2048)
        #expect(size.bytes == 1024)
    }
}
