import RocketCodec

/// What a C++ peer survives; see docs/wire-format.md.
enum TinyPBLimits {
    static let maxMethodNameBytes = TinyPBCodec.peerSafeMethodNameBytes
    static let maxMessageIDBytes = TinyPBCodec.peerSafeMessageIDBytes
}
