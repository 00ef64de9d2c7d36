import RocketBase
import Testing

@testable import ChatServerKit

struct BackplaneHeaderTests {
    private static let id = ChatServerID(began: 0x0102_0304_0506_0708, random: .max - 1)

    private func bytes(_ header: BackplaneHeader) -> [UInt8] {
        var buffer = ByteBuffer()
        header.encode(into: &buffer)
        return buffer.copyBytes()
    }

    private func decode(_ bytes: [UInt8]) -> BackplaneHeader? {
        BackplaneHeader.decode(bytes.span.bytes)?.header
    }

    @Test("Headers have the bytes of docs/wire-format.md, and are read again")
    func roundTrip() {
        let messages = BackplaneHeader(
            kind: .messages, server: Self.id, number: 258, count: 3)
        #expect(
            bytes(messages) == [1, 1, 1, 2, 3, 4, 5, 6, 7, 8] + [UInt8](repeating: 255, count: 7)
                + [254, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 3, 0])
        #expect(messages.byteCount == bytes(messages).count)
        for kind in [BackplaneHeader.Kind.announcement, .hello, .farewell] {
            let header = BackplaneHeader(kind: kind, server: Self.id, number: .max, name: "höst-1")
            #expect(decode(bytes(header)) == header)
            #expect(header.byteCount == bytes(header).count)
        }
        let decoded = BackplaneHeader.decode((bytes(messages) + [1, 2, 3]).span.bytes)
        #expect(decoded?.header == messages && decoded?.messages == messages.byteCount)
    }

    @Test("What is no header is none")
    func malformed() {
        let valid = bytes(BackplaneHeader(kind: .hello, server: Self.id, number: 1, name: "ab"))
        #expect(decode(valid) != nil)
        for count in valid.indices { #expect(decode(Array(valid[..<count])) == nil) }
        func changed(_ index: Int, _ byte: UInt8) -> BackplaneHeader? {
            var bytes = valid
            bytes[index] = byte
            return decode(bytes)
        }
        #expect(changed(0, 2) == nil)
        #expect(changed(1, 0) == nil && changed(1, 5) == nil)
        // Messages without a count, and a count without messages.
        #expect(changed(1, 1) == nil && changed(29, 1) == nil)
        #expect(changed(30, 3) == nil)
        #expect(changed(31, 32) == nil && changed(31, 0xFF) == nil)
        let overflow = BackplaneHeader(kind: .messages, server: Self.id, number: .max, count: 1)
        #expect(decode(bytes(overflow)) == nil)
    }

    @Test("Messages are counted if they are whole and valid UTF-8")
    func counting() {
        let bytes = ChatPeer.bytes("a") + ChatPeer.bytes("") + ChatPeer.bytes("äö")
        #expect(ChatMessage.count(in: bytes.span.bytes) == 3)
        #expect(ChatMessage.count(in: [UInt8]().span.bytes) == 0)
        for count in [1, 4, 6, bytes.count - 1] {
            let part = Array(bytes[..<count])
            #expect(ChatMessage.count(in: part.span.bytes) == nil)
        }
        let invalid = ChatPeer.bytes([0xFF])
        #expect(ChatMessage.count(in: invalid.span.bytes) == nil)
        let endless = [UInt8](repeating: 0xFF, count: 8)
        #expect(ChatMessage.count(in: endless.span.bytes) == nil)
    }

    @Test("Batches are split between messages, at least one in each part")
    func splitting() {
        let bytes = (0..<4).flatMap { _ in ChatPeer.bytes("12345678") }
        for (limit, expected) in [(0, 1), (12, 1), (23, 1), (24, 2), (47, 3), (48, 4), (1000, 4)] {
            let part = ChatMessage.prefix(of: bytes.span.bytes, atMost: limit)
            #expect(part.count == expected && part.byteCount == 12 * expected)
        }
    }
}
