import RocketBase
import RocketCodec
import RocketNATS

/// An operation with its texts in place of offsets.
enum Decoded: Equatable {
    case info(String)
    case message(String, sid: UInt64, reply: String, headers: String, payload: String)
    case ping, pong, ok
    case error(String)
}

/// Decodes a stream that arrives in chunks, and calls the codec only when as many bytes are there as it
/// has asked for.
struct StreamDecoder {
    var codec = NATSCodec()
    private var pending: [UInt8] = []
    private var needed = 1

    init(_ codec: NATSCodec = NATSCodec()) { self.codec = codec }

    var isAtBoundary: Bool { pending.isEmpty }

    mutating func decode(_ chunk: [UInt8]) throws(NATSProtocolError) -> [Decoded] {
        pending += chunk
        var found: [Decoded] = []
        while pending.count >= needed {
            switch try codec.step(pending.span.bytes) {
            case .needMore(let atLeast): needed = max(atLeast, pending.count + 1)
            case .frame(let frame, let byteCount):
                found.append(decoded(frame))
                pending.removeFirst(byteCount)
                needed = 1
            }
        }
        return found
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: pending[range], as: UTF8.self)
    }

    private func decoded(_ frame: NATSFrame) -> Decoded {
        switch frame {
        case .info(let range): .info(text(range))
        case .error(let range): .error(text(range))
        case .ping: .ping
        case .pong: .pong
        case .ok: .ok
        case .message(let message):
            .message(
                text(message.subject), sid: message.subscription, reply: text(message.reply),
                headers: text(message.headers), payload: text(message.payload))
        }
    }
}
