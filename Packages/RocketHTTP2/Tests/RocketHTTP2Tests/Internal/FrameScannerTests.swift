import RocketBase
import RocketHTTP2TestKit
import Testing

@testable import RocketHTTP2

@Suite struct FrameScannerTests {
    private static let frames = [
        RawFrame.settings([(4, 1)]), .settingsAcknowledged, .data(0x7FFF_FFFF, [1, 2, 3]),
        .headers(1, [1], ends: false), RawFrame(type: 255, flags: 255, stream: 0x8000_0001),
        .data(3, Array(repeating: 9, count: 300)), .ping(),
    ]

    private func scan(_ bytes: [UInt8], preface: Int, part: Int) -> [FrameScanner.Header] {
        var scanner = FrameScanner(skipping: preface)
        var found: [FrameScanner.Header] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            var buffer = ByteBuffer()
            buffer.append(Array(rest.prefix(part)))
            rest = rest.dropFirst(part)
            buffer.withBytes { bytes in
                var offset = 0
                while let header = scanner.next(bytes, from: &offset) { found.append(header) }
                #expect(offset == bytes.byteCount)
            }
        }
        return found
    }

    @Test("The headers of all frames are found, wherever the bytes are torn", arguments: 1...40)
    func headers(part: Int) {
        let expected = Self.frames.map { frame in
            FrameScanner.Header(
                length: frame.payload.count, type: frame.type, flags: frame.flags,
                stream: frame.stream & 0x7FFF_FFFF)
        }
        let bytes = Self.frames.flatMap(\.bytes)
        #expect(scan(bytes, preface: 0, part: part) == expected)
        #expect(
            scan(Array(repeating: 7, count: 24) + bytes, preface: 24, part: part) == expected)
    }
}
