import RocketBase
import RocketCompression
import RocketCompressionFuzzing
import Testing

@Suite("Bad input")
struct BadInputTests {
    @Test("Input that is cut anywhere is truncated", arguments: realAlgorithms)
    func cut(algorithm: CompressionAlgorithm) throws {
        let small = try FuzzTarget.compressed(text(400), algorithm)
        for count in 0..<small.count {
            let cut = Array(small.prefix(count))
            #expect(outcome(cut, algorithm) == .failure(.truncated), "\(count) bytes")
        }
    }

    @Test("A bit that is wrong never changes a message unseen")
    func wrongBit() throws {
        // The checksum of deflate, Adler-32, does not see each.
        for algorithm in [CompressionAlgorithm.gzip, .zstd] { try wrongBit(algorithm) }
    }

    private func wrongBit(_ algorithm: CompressionAlgorithm) throws {
        let bytes = text(200)
        let small = try FuzzTarget.compressed(bytes, algorithm)
        for bit in 0..<small.count * 8 {
            var wrong = small
            wrong[bit / 8] ^= 1 << UInt8(bit % 8)
            switch outcome(wrong, algorithm) {
            case .success(let content): #expect(content == bytes, "bit \(bit)")
            case .failure: break
            }
        }
    }

    @Test("Checksums and lengths that differ are said to")
    func checksums() throws {
        for (algorithm, fromEnd) in [
            (CompressionAlgorithm.gzip, 8), (.gzip, 4), (.deflate, 1), (.zstd, 1),
        ] {
            var small = try FuzzTarget.compressed(text(400), algorithm)
            small[small.count - fromEnd] ^= 1
            #expect(outcome(small, algorithm) == .failure(.checksumMismatch), "\(algorithm)")
        }
    }

    @Test("Bytes behind the end are refused and counted", arguments: realAlgorithms)
    func trailing(algorithm: CompressionAlgorithm) throws {
        let small = try FuzzTarget.compressed(text(400), algorithm)
        for rest in [[0], [0, 0, 0, 0], Array("garbage".utf8)] as [[UInt8]] {
            #expect(
                outcome(small + rest, algorithm)
                    == .failure(.trailingBytes(count: rest.count)))
        }
    }

    @Test("Input of another algorithm is corrupt", arguments: realAlgorithms)
    func other(algorithm: CompressionAlgorithm) throws {
        for other in realAlgorithms where other != algorithm {
            let small = try FuzzTarget.compressed(text(400), other)
            guard case .failure(.corrupt) = outcome(small, algorithm) else {
                Issue.record("\(other) as \(algorithm): \(outcome(small, algorithm))")
                continue
            }
        }
        guard case .failure(.corrupt) = outcome(text(400), algorithm) else {
            Issue.record("text as \(algorithm): \(outcome(text(400), algorithm))")
            return
        }
    }

    @Test("Dictionaries are not supported")
    func dictionaries() {
        let zlib: [UInt8] = [0x78, 0xbb, 0x2f, 0x6c, 0x05, 0xc2, 0x03, 0x00]
        #expect(outcome(zlib, .deflate) == .failure(.unsupported("it needs a dictionary")))
        var frame = repetitions(blocks: 1, of: 50)
        frame[4] = 1
        frame.insert(7, at: 6)
        #expect(outcome(frame, .zstd) == .failure(.unsupported("it needs a dictionary")))
    }

    @Test("Frames of zstd before 0.8 are not read")
    func legacy() throws {
        var frame = try FuzzTarget.compressed(text(100), .zstd)
        frame[0] = 0x27
        #expect(outcome(frame, .zstd) == .failure(.corrupt("Unknown frame descriptor")))
    }

    @Test("A frame that says a wrong length is refused")
    func lyingFrames() {
        #expect(
            outcome(repetitions(blocks: 2, of: 50, length: 100), .zstd)
                == .success([UInt8](repeating: 0x61, count: 100)))
        for length in [0, 1, 99, 101, 60_000] as [UInt32] {
            guard
                case .failure(.corrupt) = outcome(
                    repetitions(blocks: 2, of: 50, length: length), .zstd)
            else {
                Issue.record("\(length): accepted")
                continue
            }
        }
        #expect(
            outcome(repetitions(blocks: 2, of: 50, length: .max), .zstd)
                == .failure(.tooLarge(limitBytes: 1 << 20)))
    }

    @Test("After a failure the same state reads the next message", arguments: realAlgorithms)
    func nextMessage(algorithm: CompressionAlgorithm) throws {
        let compressor = Compressor()
        let small = try FuzzTarget.compressed(text(4_000), algorithm)
        var flipped = small
        flipped[small.count / 2] ^= 0x55
        for bad in [Array(small.dropLast(9)), flipped, small + [9], [], [0x1f], text(99)] {
            #expect(throws: CompressionError.self) {
                try FuzzTarget.decompressed(bad, algorithm, by: compressor)
            }
            #expect(throws: CompressionError.tooLarge(limitBytes: 100)) {
                try FuzzTarget.decompressed(small, algorithm, atMost: 100, by: compressor)
            }
            #expect(
                try FuzzTarget.decompressed(small, algorithm, by: compressor) == text(4_000))
        }
    }
}
