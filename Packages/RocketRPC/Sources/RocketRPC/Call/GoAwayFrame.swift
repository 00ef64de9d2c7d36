import RocketBase
import RocketCodec

/// The frame by which a draining server tells its peer to make further calls on another connection.
/// It has an empty msg_id, which that of no call is, no metadata and no message. See docs/wire-format.md.
enum GoAwayFrame {
    static let methodName = "rocket.goaway"
    static let methodNameBytes = [UInt8](methodName.utf8)

    static func isGoAway(_ name: RawSpan) -> Bool {
        // SAFETY: the array is never changed.
        sameBytes(name, unsafe methodNameBytes.span.bytes)
    }

    /// Appends the frame.
    static func append(to output: inout ByteBuffer, _ codec: TinyPBCodec) {
        // SAFETY: the array is never changed.
        let name = unsafe methodNameBytes.span.bytes
        let start = codec.begin(messageID: RawSpan(), methodName: name, in: &output)
        // It has 39 bytes; the shortest frame limit that is configured is 64.
        try? codec.finish(start, in: &output)
    }
}
