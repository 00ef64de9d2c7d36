public import RocketTCP

/// When a call is tried again without its caller's doing. See docs/decisions/0007.
///
/// Sent again are, always within the deadline:
/// - at once, a call of which the server can't have seen a whole request: its connection ended
///   first;
/// - a call that the server answered with UNAVAILABLE, which means that it was not begun: the
///   first time at once, on another connection where there is one; after a wait from then on;
/// - at once, a call that may have been processed, if it is idempotent: its metadata has
///   `idempotency-key`, or its options say so.
public struct RPCRetryPolicy: Sendable {
    /// How often a call is sent in all, 1 or more; 1 means never again. Default 4.
    public var maxAttempts = 4
    /// The waits after the second UNAVAILABLE and each later one; after the first there is none.
    /// Default 25 to 50 ms, doubled each time up to 1 s.
    public var backOff = BackOff(first: .milliseconds(50), most: .seconds(1))

    /// The defaults.
    public init() {}

    /// Never sends a call again.
    public static var never: RPCRetryPolicy {
        var policy = RPCRetryPolicy()
        policy.maxAttempts = 1
        return policy
    }
}
