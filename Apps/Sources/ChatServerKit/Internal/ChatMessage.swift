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

    /// While messages stay on this server.
    static let serversLostNotice =
        "other servers can't be reached: messages stay on this server until they can"

    /// When they no longer do.
    static let serversBackNotice = "other servers are reached again"

    /// In the place of messages of another server that did not arrive.
    static func missingNotice(_ count: UInt64, server: String) -> String {
        "\(count) messages missing (of server \(server))"
    }

    /// For a server of which it is not known what it had sent before.
    static func perhapsMissingNotice(server: String) -> String {
        "messages may be missing (of server \(server))"
    }

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
