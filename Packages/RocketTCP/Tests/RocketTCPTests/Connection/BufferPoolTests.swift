import RocketBase
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

    @Test("Only small reads in a row make the next reads smaller")
    func readSize() {
        var size = AdaptiveReadSize(least: 1000, most: 8000)
        size.record(count: 1000, room: 1000)
        #expect(size.bytes == 2000)
        for count in [499, 500, 499] {
            for _ in 0..<(count == 500 ? 1 : 63) { size.record(count: count, room: 2000) }
            #expect(size.bytes == 2000)
        }
        size.record(count: 499, room: 2000)
        #expect(size.bytes == 1000)
    }
}
