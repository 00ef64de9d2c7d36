import RocketBase
import RocketCodec

/// What the chat says on the wire: docs/wire-format.md, "Length field (chat)".
enum ChatMessage {
    /// `from: client1: `, the bytes before each text of that client.
    static func prefix(of name: String) -> [UInt8] { Array("from: \(name): ".utf8) }

    /// Appends length, prefix and text.
    static func append(_ prefix: [UInt8], _ text: RawSpan, to buffer: inout ByteBuffer) {
        buffer.append(bigEndian: UInt32(truncatingIfNeeded: prefix.count + text.byteCount))
        buffer.append(prefix)
        buffer.append(text)
    }

    /// Appends what the server itself has to say to one client.
    static func append(notice: String, to buffer: inout ByteBuffer) {
        buffer.append(bigEndian: UInt32(truncatingIfNeeded: notice.utf8.count))
        buffer.append(utf8: notice)
    }

    /// To a receiver that read too slowly, where messages are missing.
    static func droppedNotice(_ count: Int) -> String { "\(count) messages dropped" }

    /// To a sender whose text went to nobody.
    static func refusedNotice(_ reason: String) -> String { "message refused: \(reason)" }

    /// Why a text is no UTF-8, nil when it is.
    static func problem(in text: RawSpan) -> String? {
        do {
            _ = try UTF8Span(validating: Span<UInt8>(_bytes: text))
            return nil
        } catch {
            return "invalid UTF-8 at byte \(error.byteOffsets.lowerBound)"
        }
    }
}
