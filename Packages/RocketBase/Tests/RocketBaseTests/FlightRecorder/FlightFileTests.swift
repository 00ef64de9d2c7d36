import RocketBaseTestKit
import RocketSystem
import Testing

@testable @_spi(Recording) import RocketBase

/// Files that are cut, damaged or something else give an error or a part, never a trap.
@Suite struct FlightFileTests {
    /// A file with calls in flight, calls that have ended, and lines.
    private static func file() throws -> [UInt8] {
        let folder = TemporaryFolder()
        let path = folder.path + "/flight"
        let recorder = try FlightRecorder(
            path: path, byteCount: 1 << 20, program: "fuzzed", loops: 1, logBuffers: 1)
        let calls = try #require(recorder.calls(ofLoop: "loop"))
        for number in 0..<8 {
            let slot = withBytes(of: "a.Service.method") { method in
                withBytes(of: "id-\(number)") { id in
                    calls.began(
                        FlightCalls.Beginning(
                            method: method, messageID: id, methodIndex: 1, connection: 2,
                            peer: "127.0.0.1:1", wire: "gRPC", requestBytes: 3),
                        at: UInt64(number))
                }
            }
            if number % 2 == 0 { calls.ended(slot, code: 0, responseBytes: 4, at: 100) }
        }
        var configuration = LogConfiguration()
        configuration.outputs = []
        configuration.bufferCount = 1
        configuration.flightRecorder = recorder
        let logs = try LogSystem(
            drivenByHand: configuration, time: ManualTimeSource(), processID: 1)
        for number in 0..<4 {
            logs.app.info("line") {
                $0.add("number", number)
                $0.add("text", "a text")
            }
        }
        return try FileContents.read(path, limit: 1 << 20)
    }

    /// The parts of the file that are not zeros.
    private static func used(_ bytes: [UInt8]) -> [Int] {
        let blocks = stride(from: 0, to: bytes.count, by: 64).filter { start in
            bytes[start..<start + 64].contains { $0 != 0 }
        }
        return blocks.flatMap { Array($0..<$0 + 64) }
    }

    @Test("What is there of a file that was cut is read")
    func truncation() throws {
        let bytes = try Self.file()
        let whole = try FlightRecording(bytes)
        #expect(whole.callsInFlight.count == 4 && whole.endedCalls.count == 4)
        #expect(whole.lines.count == 4 && whole.missingBytes == 0)
        let lengths =
            Array(0...4300) + Self.used(bytes).filter { $0 % 3 == 0 }
            + stride(from: 4096, to: bytes.count, by: 16 * 1023).map { $0 }
        for length in lengths {
            do throws(FlightRecordingError) {
                let part = try FlightRecording(Array(bytes[..<length]))
                #expect(length >= FlightFormat.headerBytes)
                #expect(part.missingBytes == bytes.count - length)
                #expect(part.lines.count <= 4 && part.callsInFlight.count <= 8)
            } catch {
                #expect(length < FlightFormat.headerBytes)
                #expect(error == (length < 8 ? .foreign : .damagedHeader))
            }
        }
    }

    @Test("A flipped bit loses one record at most, or is an error of the header")
    func flips() throws {
        var bytes = try Self.file()
        for offset in Self.used(bytes) {
            // Each of the eight, over the offsets of a field.
            let bit = UInt8(1) << UInt8((offset * 5 + offset / 8) % 8)
            bytes[offset] ^= bit
            defer { bytes[offset] ^= bit }
            do throws(FlightRecordingError) {
                let read = try FlightRecording(bytes)
                #expect(offset >= FlightFormat.Header.state)
                #expect(read.endedCalls.count >= 3 && read.lines.count >= 3)
                #expect(read.endedCalls.count <= 4 && read.lines.count <= 4)
            } catch {
                #expect(offset < FlightFormat.Header.state)
            }
        }
    }

    @Test("Random bytes behind a valid header, and records with valid check values, don't trap")
    func forgeries() throws {
        let bytes = try Self.file()
        var random = SeededGenerator(seed: 21)
        let salt = FlightFile(bytes).number(FlightFormat.Header.salt, UInt32.self)
        for _ in 0..<40 {
            var forged = bytes
            for block in stride(from: FlightFormat.headerBytes, to: 40_000, by: 32) {
                let length = 32 * Int.random(in: 1...8, using: &random)
                for index in block..<block + length {
                    forged[index] = UInt8.random(in: 0...255, using: &random)
                    if UInt8.random(in: 0...3, using: &random) > 0 { forged[index] &= 15 }
                }
                forged[block + 4] = UInt8(length & 0xff)
                forged[block + 5] = UInt8(length >> 8)
                forged[block + 6] = UInt8.random(in: 0...3, using: &random)
                let check = forged[block + 4..<block + length].withUnsafeBytes {
                    CRC32C.checksum(RawSpan(_unsafeBytes: $0)) ^ salt
                }
                for index in 0..<4 { forged[block + index] = UInt8(check >> (8 * index) & 0xff) }
            }
            // The same in the ring of the lines.
            let lines = bytes.count - bytes.count / 4
            forged.replaceSubrange(
                lines..<lines + 36_000, with: forged[4096..<40_096])
            _ = try FlightRecording(forged)
        }
    }

    @Test("Headers that are valid and name impossible sizes are errors")
    func impossibleSizes() throws {
        typealias Header = FlightFormat.Header
        let bytes = try Self.file()
        let fields = [
            Header.fileBytes, Header.loopCount, Header.slotCount, Header.loopBytes, Header.logCount,
            Header.logBytes, Header.startedWall, Header.startedMonotonic,
        ]
        for field in fields {
            for value in [UInt8(0xff), 0x7f, 0x80, 0] {
                var changed = bytes
                for index in field..<field + 4 { changed[index] = value }
                if value != 0 { changed[field + 7] = value }
                let check = changed[0..<Header.check].withUnsafeBytes {
                    CRC32C.checksum(RawSpan(_unsafeBytes: $0))
                }
                for index in 0..<4 {
                    changed[Header.check + index] = UInt8(check >> (8 * index) & 0xff)
                }
                _ = try? FlightRecording(changed)
            }
        }
    }

    @Test("Other files and later versions are told apart")
    func foreign() throws {
        #expect(throws: FlightRecordingError.foreign) { _ = try FlightRecording([]) }
        #expect(throws: FlightRecordingError.foreign) {
            _ = try FlightRecording(Array("#!/bin/sh\nexit\n".utf8))
        }
        var bytes = try Self.file()
        bytes[FlightFormat.Header.version] = 2
        #expect(throws: FlightRecordingError.newerVersion(2)) { _ = try FlightRecording(bytes) }
        let error = FlightRecordingError.newerVersion(2)
        #expect(error.description == "has version 2 of the format; this program knows version 1")
    }
}

/// SplitMix64.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
