/// Settings of one call that differ from those of its channel.
public struct RPCCallOptions: Sendable {
    /// Whether the call waits, up to its deadline, while the server can't be reached. nil, the
    /// default: as the channel is configured.
    public var waitsForReady: Bool?
    /// Whether the server may process the call twice without harm, so that it is also sent again
    /// when the server may have processed it. Metadata with `idempotency-key` has the same effect.
    /// Default false.
    public var isIdempotent = false
    /// Whether a call made in a handler inherits the handler's deadline, its msg_id and its trace
    /// context. Default true.
    public var inheritsContext = true
    /// The call's msg_id, at most 49 bytes of UTF-8; unique among the calls in flight on a channel.
    /// nil, the default: that of the handler, else 20 new digits.
    public var messageID: String?

    /// The defaults.
    public init() {}

    /// Waits while the server can't be reached.
    public static var waitForReady: RPCCallOptions { with { $0.waitsForReady = true } }
    /// Fails at once while the server can't be reached.
    public static var failFast: RPCCallOptions { with { $0.waitsForReady = false } }
    /// May be sent again in every case.
    public static var idempotent: RPCCallOptions { with { $0.isIdempotent = true } }
    /// Inherits nothing from the handler that makes the call.
    public static var independent: RPCCallOptions { with { $0.inheritsContext = false } }

    /// The defaults, changed by `body`.
    public static func with(_ body: (inout RPCCallOptions) -> Void) -> RPCCallOptions {
        var options = RPCCallOptions()
        body(&options)
        return options
    }
}
