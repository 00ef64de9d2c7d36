import RocketCodec

/// The frame that cancels a call: it has the msg_id of the call and the method_name below, no
/// metadata and no message, and is never answered. See docs/decisions/0006.
enum CancelFrame {
    /// C++ rocket finds no service for a name with two dots, and does not answer.
    static let methodName = "rocket.cancel"
    static let methodNameBytes = [UInt8](methodName.utf8)

    static func isCancel(_ name: RawSpan) -> Bool {
        // SAFETY: the array is never changed.
        sameBytes(name, unsafe methodNameBytes.span.bytes)
    }
}

/// The lengths that C++ peers can hold; see docs/wire-format.md. Longer texts overrun their arrays.
enum TinyPBLimits {
    /// 511.
    static let maxMethodNameBytes = TinyPBCodec.peerSafeMethodNameBytes
    /// 49.
    static let maxMessageIDBytes = TinyPBCodec.peerSafeMessageIDBytes
}
