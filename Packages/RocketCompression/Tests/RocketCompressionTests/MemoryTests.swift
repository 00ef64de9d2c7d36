import CAllocationCounter
import RocketBase
import RocketCompression
import RocketCompressionFuzzing
import Testing

@Suite("Memory")
struct MemoryTests {
    private static let limit = 4 << 20
    /// The states of the libraries: 40 KiB of zlib, 160 KiB of zstd.
    private static let states = 256 << 10

    @Test("Messages in steady state allocate nothing", arguments: realAlgorithms)
    func steadyState(algorithm: CompressionAlgorithm) throws {
        #expect(try allocations(algorithm, [3_000, 1_000, 2_500, 4_000, 1_000]) == 0)
        #expect(try allocations(algorithm, [100_000, 60_000, 50_000]) == 0)
    }

    @Test("zstd gives memory back after many smaller messages, zlib needs no more for longer ones")
    func mixedLengths() throws {
        let lengths = [100_000, 10, 1_000, 30_000, 0, 5_000]
        #expect(try allocations(.gzip, lengths) == 0)
        #expect(try allocations(.deflate, lengths) == 0)
        #expect(try allocations(.zstd, lengths) <= 30)
    }

    /// The allocations of 600 messages, after the first ones.
    private func allocations(_ algorithm: CompressionAlgorithm, _ lengths: [Int]) throws -> Int {
        let compressor = Compressor()
        let messages = lengths.map(text)
        var small = ByteBuffer()
        var output = ByteBuffer()
        var sum = 0
        for index in 0..<630 {
            let message = messages[index % messages.count]
            small.removeAll()
            output.removeAll()
            let before = rocket_allocation_count()
            try compressor.compress(message.span.bytes, with: algorithm, into: &small)
            let between = rocket_allocation_count()
            let copy = small.copyBytes()
            let start = rocket_allocation_count()
            try compressor.decompress(
                copy.span.bytes, with: algorithm, into: &output, atMost: 1 << 20)
            if index >= 30 { sum += Int(rocket_allocation_count() - start + between - before) }
            #expect(output.readableBytes == message.count)
        }
        return sum
    }

    @Test("A GiB of zeros never takes more than the limit", arguments: realAlgorithms)
    func bomb(algorithm: CompressionAlgorithm) throws {
        let bomb = try gibibyte(algorithm)
        let compressor = Compressor()
        var output = ByteBuffer()
        rocket_allocation_start()
        #expect(throws: CompressionError.tooLarge(limitBytes: Self.limit)) {
            try compressor.decompress(
                bomb.span.bytes, with: algorithm, into: &output, atMost: Self.limit)
        }
        let peak = Int(rocket_allocation_peak())
        #expect(output.readableBytes == 0)
        #expect(output.capacityBytes <= Self.limit)
        // While the output grows, what it had before is copied.
        #expect(peak <= Self.limit + Self.limit / 2 + Self.states, "\(peak) bytes")
        if rocket_allocation_is_counted() != 0 { #expect(peak > 0) }
    }

    @Test("A frame that says that it is long takes no more than its blocks can become")
    func lyingLength() {
        var output = ByteBuffer()
        let frame = repetitions(blocks: 1, of: 100, length: 1 << 30)
        #expect(throws: CompressionError.corrupt("Data corruption detected")) {
            try Compressor().decompress(
                frame.span.bytes, with: .zstd, into: &output, atMost: 1 << 30)
        }
        #expect(output.capacityBytes <= 1 << 20)
    }

    @Test("The window that a frame asks for takes no memory")
    func window() throws {
        var frame = repetitions(blocks: 1, of: 100)
        frame[5] = 21 << 3
        let compressor = Compressor()
        var output = ByteBuffer()
        rocket_allocation_start()
        try compressor.decompress(frame.span.bytes, with: .zstd, into: &output, atMost: 100)
        #expect(rocket_allocation_peak() <= Self.states)
        #expect(output.readableBytes == 100)
        frame[5] = 22 << 3
        #expect(throws: CompressionError.unsupported("its window is too large")) {
            try compressor.decompress(
                frame.span.bytes, with: .zstd, into: &output, atMost: 100)
        }
    }

    private func gibibyte(_ algorithm: CompressionAlgorithm) throws -> [UInt8] {
        if algorithm == .zstd { return repetitions(blocks: 8_192, of: 128 << 10) }
        let zeros = [UInt8](repeating: 0, count: 16 << 20)
        let part = try FuzzTarget.compressed(zeros, algorithm)
        if algorithm == .gzip {
            return (0..<64).reduce(into: []) { bytes, _ in bytes += part }
        }
        return part
    }
}
