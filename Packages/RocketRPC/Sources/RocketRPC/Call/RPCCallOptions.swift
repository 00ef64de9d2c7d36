/// How one call differs from the others of its channel.
public struct RPCCallOptions: Sendable {
    /// Whether the call waits, up to its deadline, while the server can't be reached; nil: as the
    /// channel is configured.
    public var waitsForReady: Bool?
    /// Whether the server may get the call twice and do no harm, so that it is sent again where it
    /// is not known whether it was processed. Metadata with `idempotency-key` says the same.
    public var isIdempotent = false
    /// Whether a call made in a handler takes over what is left of the handler's deadline, its
    /// msg_id and its trace context. Default true.
    public var inheritsContext = true
    /// The call's msg_id, at most 49 bytes of UTF-8; no two calls of a channel may have the same
    /// at the same time. nil: the handler's, else 20 new digits.
    public var messageID: String?

    /// The defaults.
    public init() {}

    /// Waits while the server can't be reached.
    public static var waitForReady: RPCCallOptions { with { $0.waitsForReady = true } }
    /// Fails at once while the server can't be reached.
    public static var failFast: RPCCallOptions { with { $0.waitsForReady = false } }
    /// May be sent again in every case.
    public static var idempotent: RPCCallOptions { with { $0.isIdempotent = true } }
    /// Has nothing to do with the handler it is made in.
    public static var independent: RPCCallOptions { with { $0.inheritsContext = false } }

    /// The defaults, changed by `body`.
    public static func with(_ body: (inout RPCCallOptions) -> Void) -> RPCCallOptions {
        var options = RPCCallOptions()
        body(&options)
        return options
    }
}
