import RocketCodec

/// The frame that cancels a call. It contains the msg_id of the call and the method_name below, no
/// metadata and no message, and has no reply. See docs/decisions/0006.
enum CancelFrame {
    /// C++ peers find no service of this name, and send no reply.
    static let methodName = "rocket.cancel"
    static let methodNameBytes = [UInt8](methodName.utf8)

    static func isCancel(_ name: RawSpan) -> Bool {
        // SAFETY: the array is never changed.
        sameBytes(name, unsafe methodNameBytes.span.bytes)
    }
}

/// The maximum lengths that C++ peers support; longer texts overrun their arrays. See
/// docs/wire-format.md.
enum TinyPBLimits {
    /// 511.
    static let maxMethodNameBytes = TinyPBCodec.peerSafeMethodNameBytes
    /// 49.
    static let maxMessageIDBytes = TinyPBCodec.peerSafeMessageIDBytes
}
