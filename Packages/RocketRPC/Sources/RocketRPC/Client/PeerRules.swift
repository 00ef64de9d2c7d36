import RocketBase
import RocketCodec

/// What a channel respects towards its peer: the settings of its configuration, and for C++ peers
/// what docs/wire-format.md says of them. A value.
struct PeerRules: Sendable {
    /// The limits of a C++ rocket server, which loses each read of 128 bytes or more, repeats all
    /// earlier replies of a connection before each new one, and answers a repeated msg_id with the
    /// old reply.
    enum Rocket {
        static let maxRequestBytes = 127
        /// The n-th reply comes with n - 1 earlier ones; but the server never closes a descriptor,
        /// so connections must not be replaced too often.
        static let maxCallsPerConnection = 300
    }

    let peer: PeerKind
    /// Whether a connection carries one call at a time and each msg_id once, and is replaced after
    /// a call without a reply and after `maxCallsPerConnection`.
    let isExclusive: Bool
    let maxCallsPerConnection: Int
    let maxRequestBytes: Int?
    let sendsMetadata: Bool
    let sendsDeadline: Bool
    let sendsCancel: Bool
    /// Without checksums for C++ peers, which send none, or 0.
    let codec: TinyPBCodec

    init(_ configuration: RPCChannelConfiguration) {
        peer = configuration.peer
        isExclusive = peer == .rocket
        maxCallsPerConnection = isExclusive ? Rocket.maxCallsPerConnection : .max
        let limit = configuration.maxRequestBytes
        maxRequestBytes =
            isExclusive ? min(limit ?? .max, Rocket.maxRequestBytes) : limit
        sendsMetadata = peer == .rocketSwift
        sendsDeadline = sendsMetadata && configuration.sendsDeadline
        sendsCancel = sendsMetadata && configuration.sendsCancel
        codec =
            sendsMetadata
            ? configuration.codec
            : TinyPBCodec(
                maxFrameBytes: configuration.codec.maxFrameBytes,
                maxErrorInfoBytes: configuration.codec.maxErrorInfoBytes)
    }

    /// Checks a request for limits beyond those of the codec.
    ///
    /// - Parameter byteCount: the size of its frame.
    func check(_ byteCount: Int, methodName: [UInt8]) throws(RPCError) {
        if isExclusive, methodName.count(where: { $0 == UInt8(ascii: ".") }) > 1 {
            throw RPCError(
                .failedEncode,
                "a C++ rocket server does not find the method "
                    + "\(String(decoding: methodName, as: UTF8.self)): "
                    + "it accepts only one dot in the name, so no package")
        }
        if let maxRequestBytes, byteCount > maxRequestBytes {
            let why =
                isExclusive && maxRequestBytes == Rocket.maxRequestBytes
                ? ", because a C++ rocket server loses what is longer" : ""
            throw RPCError(
                .failedEncode,
                "the request is too large: \(byteCount) bytes; the limit is \(maxRequestBytes)\(why)"
            )
        }
    }

    /// Checks the metadata of a call to a C++ peer, which ignores all of it. A trace context is only
    /// left out: the call is the same without it.
    func checkUnsent(_ metadata: RPCMetadata) throws(RPCError) {
        for entry in metadata.entries where !["traceparent", "tracestate"].contains(entry.key) {
            throw RPCError(
                .failedEncode,
                "a C++ \(peer.rawValue) server can't receive the call's metadata "
                    + "(\(entry.key.prefix(60)))")
        }
    }
}
