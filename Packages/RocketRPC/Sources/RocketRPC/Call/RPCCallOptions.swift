/// Settings of one call that differ from those of its channel.
public struct RPCCallOptions: Sendable {
    /// Whether the call waits, up to its deadline, while the server can't be reached. nil, the
    /// default: the channel's setting.
    public var waitsForReady: Bool?
    /// Whether the server may process the call twice without harm. If so, it is also retried when
    /// the server may have processed it already. Metadata with `idempotency-key` has the same
    /// effect. Default false.
    public var isIdempotent = false
    /// Whether a call made in a handler inherits the handler's deadline, its msg_id and its trace
    /// context. Default true.
    public var inheritsContext = true
    /// Whether the request, or each message of a stream of requests, is compressed where the channel
    /// does that. Switch it off where a request has a secret beside text that others choose: the
    /// length of a compressed message tells how alike they are. Default true. See
    /// `RPCController.compressesReply`.
    public var compressesRequest = true
    /// The call's msg_id, at most 49 bytes of UTF-8; unique among the calls in flight on a channel.
    /// nil, the default: the msg_id of the handler's call, else 20 new digits.
    public var messageID: String?

    /// With the policy `consistentHash` calls with equal keys go to the same server, such as those of
    /// one user. nil, the default: any server.
    public var balancingKey: String?

    /// The defaults.
    public init() {}

    /// The call waits while the server can't be reached.
    public static var waitForReady: RPCCallOptions { with { $0.waitsForReady = true } }
    /// The call fails at once while the server can't be reached.
    public static var failFast: RPCCallOptions { with { $0.waitsForReady = false } }
    /// The call can be retried in every case.
    public static var idempotent: RPCCallOptions { with { $0.isIdempotent = true } }
    /// The call inherits nothing from the handler that makes it.
    public static var independent: RPCCallOptions { with { $0.inheritsContext = false } }

    /// The request is not compressed.
    public static var uncompressed: RPCCallOptions { with { $0.compressesRequest = false } }

    /// Returns the defaults, modified by `body`.
    public static func with(_ body: (inout RPCCallOptions) -> Void) -> RPCCallOptions {
        var options = RPCCallOptions()
        body(&options)
        return options
    }
}
