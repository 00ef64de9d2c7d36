import RocketBase
import Testing

@testable import RocketGRPC

@Suite("Messages in a stream")
struct MessageReaderTests {
    /// Reads `bytes` cut into pieces of `size`.
    private func read(
        _ bytes: [UInt8], by size: Int, limit: Int = 1 << 20, atMost: Int = .max
    ) throws -> (messages: [[UInt8]], isBetween: Bool) {
        var reader = MessageReader(maxMessageBytes: limit)
        var messages: [[UInt8]] = []
        var message: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let piece = Array(bytes[start..<min(bytes.count, start + size)])
            start += size
            var offset = 0
            while let step = try reader.next(piece.span.bytes, from: offset, atMost: atMost) {
                offset = step.next
                guard case .bytes(let range, let isLast) = step.piece else { continue }
                #expect(range.count <= atMost)
                message += piece[range]
                if isLast {
                    messages.append(message)
                    message = []
                }
            }
            #expect(offset <= piece.count)
        }
        return (messages, reader.isBetweenMessages)
    }

    private func stream(_ messages: [[UInt8]]) -> [UInt8] {
        var buffer = ByteBuffer()
        for message in messages {
            MessagePrefix(isCompressed: false, length: message.count).append(to: &buffer)
            buffer.append(message)
        }
        return buffer.copyBytes()
    }

    @Test("Messages are found wherever the bytes are torn")
    func torn() throws {
        let messages: [[UInt8]] = [[1, 2, 3], [], Array(repeating: 7, count: 300), [], [9]]
        let bytes = stream(messages)
        for size in 1...bytes.count {
            for atMost in [1, 7, Int.max] {
                let result = try read(bytes, by: size, atMost: atMost)
                #expect(result.messages == messages)
                #expect(result.isBetween)
            }
        }
    }

    @Test("A stream that ends within a message is not between messages")
    func unfinished() throws {
        let bytes = stream([[1, 2, 3]])
        for count in 1..<bytes.count {
            #expect(try !read(Array(bytes[..<count]), by: 100).isBetween)
        }
        #expect(MessageReader(maxMessageBytes: 1).isBetweenMessages)
    }

    @Test("A message over the limit fails before its first byte, one of the limit does not")
    func limit() throws {
        #expect(try read(stream([[1, 2, 3]]), by: 100, limit: 3).messages.count == 1)
        #expect(
            throws: WireFailure(.resourceExhausted, "the message has 4 bytes; 3 are allowed")
        ) { try read([0, 0, 0, 0, 4], by: 1, limit: 3) }
        #expect(throws: WireFailure.self) { try read([0, 255, 255, 255, 255], by: 5) }
    }

    @Test("A flag other than 0 and 1 is an error")
    func flag() throws {
        #expect(throws: WireFailure(.internal, "a message has the invalid flag 2")) {
            try read([2, 0, 0, 0, 0], by: 5)
        }
        var reader = MessageReader(maxMessageBytes: 9)
        let bytes: [UInt8] = [1, 0, 0, 0, 2]
        let step = try reader.next(bytes.span.bytes, from: 0)
        #expect(step?.piece == .prefix(MessagePrefix(isCompressed: true, length: 2)))
    }
}
