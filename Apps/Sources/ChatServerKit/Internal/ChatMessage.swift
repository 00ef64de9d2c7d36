import RocketBase
import RocketCodec

/// Encodes the messages of the chat: docs/wire-format.md, "Length field (chat)".
enum ChatMessage {
    /// Returns `from: client1: `, the bytes before each text of that client.
    static func prefix(of name: String) -> [UInt8] { Array("from: \(name): ".utf8) }

    /// Appends length, prefix and text.
    static func append(_ prefix: [UInt8], _ text: RawSpan, to buffer: inout ByteBuffer) {
        buffer.append(bigEndian: UInt32(truncatingIfNeeded: prefix.count + text.byteCount))
        buffer.append(prefix)
        buffer.append(text)
    }

    /// Appends a message of the server itself to one client.
    static func append(notice: String, to buffer: inout ByteBuffer) {
        buffer.append(bigEndian: UInt32(truncatingIfNeeded: notice.utf8.count))
        buffer.append(utf8: notice)
    }

    /// For a slow receiver, in the place of the messages that were dropped.
    static func droppedNotice(_ count: Int) -> String { "\(count) messages dropped" }

    /// For the sender of a text that was not broadcast.
    static func refusedNotice(_ reason: String) -> String { "message refused: \(reason)" }

    /// Returns why a text is not valid UTF-8; nil if it is.
    static func encodingError(in text: RawSpan) -> String? {
        do {
            _ = try UTF8Span(validating: Span<UInt8>(_bytes: text))
            return nil
        } catch {
            return "invalid UTF-8 at byte \(error.byteOffsets.lowerBound)"
        }
    }
}
