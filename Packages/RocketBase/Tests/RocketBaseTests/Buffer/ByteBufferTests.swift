import RocketBase
import Testing

@Suite struct ByteBufferTests {
    @Test("An empty buffer holds no memory")
    func emptyBuffer() {
        let buffer = ByteBuffer()
        let empty = buffer.isEmpty
        let bytes = buffer.copyBytes()
        let capacity = buffer.capacityBytes
        #expect(empty && bytes == [] && capacity == 0)
    }

    @Test("Integers are big-endian and round-trip")
    func integers() {
        var buffer = ByteBuffer()
        buffer.append(bigEndian: UInt32(0x0102_0304))
        buffer.append(bigEndian: Int32(-2))
        buffer.append(byte: 9)
        let value1 = buffer.copyBytes()
        #expect(value1 == [1, 2, 3, 4, 0xff, 0xff, 0xff, 0xfe, 9])
        let value2 = buffer.integer(at: 0, as: UInt32.self)
        #expect(value2 == 0x0102_0304)
        let value3 = buffer.integer(at: 4, as: Int32.self)
        #expect(value3 == -2)
    }

    @Test("Overwrites a length that was reserved before")
    func reservedLength() {
        var buffer = ByteBuffer()
        let start = buffer.readableBytes
        buffer.append(bigEndian: UInt32(0))
        buffer.append(utf8: "grüße")
        buffer.set(bigEndian: UInt32(buffer.readableBytes - start - 4), at: start)
        let value4 = buffer.integer(at: 0, as: UInt32.self)
        #expect(value4 == 7)
    }

    @Test("Overwrites the last bytes")
    func lastBytes() {
        var buffer = ByteBuffer()
        buffer.append(bigEndian: UInt64(0))
        buffer.set(bigEndian: UInt16(0x0102), at: 6)
        buffer.set(bigEndian: UInt32(0x0304_0506), at: 0)
        #expect(buffer.copyBytes() == [3, 4, 5, 6, 0, 0, 1, 2])
    }

    @Test("Appending and consuming keep the order for many sizes")
    func order() {
        var buffer = ByteBuffer()
        var next: UInt8 = 0
        var expected: UInt8 = 0
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<10_000 {
            for _ in 0..<Int.random(in: 0..<200, using: &generator) {
                buffer.append(byte: next)
                next &+= 1
            }
            let take = Int.random(in: 0...buffer.readableBytes, using: &generator)
            let ok = buffer.withBytes { bytes in
                for offset in 0..<take
                where bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
                    != expected &+ UInt8(truncatingIfNeeded: offset)
                {
                    return false
                }
                return true
            }
            #expect(ok)
            expected &+= UInt8(truncatingIfNeeded: take)
            buffer.consume(take)
        }
    }

    @Test("Rejects a reservation beyond the limit and changes nothing")
    func limit() {
        var buffer = ByteBuffer(limitBytes: 100)
        let value5 = buffer.reserve(100)
        #expect(value5)
        buffer.append([UInt8](repeating: 1, count: 90))
        let fits = buffer.reserve(10)
        let tooMuch = buffer.reserve(11)
        let absurd = buffer.reserve(.max)
        #expect(fits)
        #expect(!tooMuch)
        #expect(!absurd)
        let value6 = buffer.readableBytes
        #expect(value6 == 90)
    }

    @Test("Releases memory after a burst")
    func shrinking() {
        var buffer = ByteBuffer()
        buffer.append([UInt8](repeating: 7, count: 1 << 20))
        buffer.consume((1 << 20) - 3)
        buffer.shrink()
        let value7 = buffer.capacityBytes
        #expect(value7 == 64)
        let value8 = buffer.copyBytes()
        #expect(value8 == [7, 7, 7])
        buffer.consume(3)
        buffer.shrink()
        let value9 = buffer.capacityBytes
        #expect(value9 == 0)
    }

    @Test("Growth doubles up to 1 MiB, then adds 1 MiB at a time")
    func growth() {
        var buffer = ByteBuffer()
        let reserved = buffer.reserve(65)
        let small = buffer.capacityBytes
        #expect(reserved && small == 128)
        let more = buffer.reserve((3 << 20) + 1)
        let large = buffer.capacityBytes
        #expect(more && large == 4 << 20)
    }

    @Test("Truncates to a prefix of the readable bytes")
    func truncation() {
        var buffer = ByteBuffer()
        buffer.append(utf8: "kept")
        buffer.append(utf8: "dropped")
        buffer.truncate(to: 4)
        let value10 = buffer.copyBytes()
        #expect(value10 == [UInt8]("kept".utf8))
    }

    @Test("Writing through a pointer advances by the bytes written")
    func pointerWrite() {
        var buffer = ByteBuffer()
        let written = buffer.write(minimum: 3) { room in
            room.copyBytes(from: [1, 2, 3])
            return 3
        }
        #expect(written == 3)
        let value11 = buffer.copyBytes()
        #expect(value11 == [1, 2, 3])
    }

    @Test("Accesses out of range trap")
    func outOfRange() async {
        await #expect(processExitsWith: .failure) {
            let buffer = ByteBuffer()
            _ = buffer.integer(at: 0, as: UInt8.self)
        }
        await #expect(processExitsWith: .failure) {
            var buffer = ByteBuffer()
            buffer.append(byte: 1)
            buffer.consume(2)
        }
        await #expect(processExitsWith: .failure) {
            var buffer = ByteBuffer(limitBytes: 2)
            buffer.append(bigEndian: UInt32(1))
        }
    }
}
