import RocketSystem

/// A server's limits on calls. A call over a limit fails with an error; no limit closes the
/// connection.
public struct RPCCallLimits: Hashable, Sendable {
    /// The maximum number of calls in flight on one connection; further calls fail with
    /// RESOURCE_EXHAUSTED. At least 1; default 4096.
    public var maxCallsPerConnection = 4096
    /// The maximum number of calls with suspended handlers on all connections together; further
    /// calls fail with RESOURCE_EXHAUSTED. At least 1; default 65,536.
    public var maxCalls = 65_536
    /// The maximum number of `rocket.Health.watch` calls that wait on one connection; further ones
    /// fail with RESOURCE_EXHAUSTED. They do not count as calls in flight. The same number of
    /// `check` calls may wait, in an interceptor. At least 1; default 16.
    public var maxWatchesPerConnection = 16
    /// The maximum number of `rocket.Health.watch` calls that wait on all connections together;
    /// further ones fail with RESOURCE_EXHAUSTED. At least 1; default 4096.
    public var maxWatches = 4096
    /// The limits of methods without limits of their own. Default: 5 minutes per handler, no limits
    /// on sizes.
    public var defaults = RPCMethodLimits(timeout: .seconds(300))
    /// The limits of single methods, by full name (`shop.v1.Order.makeOrder`); a limit that is nil
    /// is taken from `defaults`.
    public var methods: [String: RPCMethodLimits] = [:]

    /// The defaults.
    public init() {}

    func resolved(for method: String) -> MethodLimits {
        MethodLimits(methods[method] ?? RPCMethodLimits(), defaults)
    }
}

/// Limits on the calls of one method. nil: the server's default; 0: no limit.
public struct RPCMethodLimits: Hashable, Sendable {
    /// The maximum size of a serialized request, in bytes. A call with a larger request fails with
    /// RESOURCE_EXHAUSTED without running its handler. Without it the frame limit applies.
    public var maxRequestBytes: Int?
    /// The maximum size of a serialized response, in bytes. A call with a larger response fails
    /// with RESOURCE_EXHAUSTED. Without it the frame limit applies.
    public var maxResponseBytes: Int?
    /// The maximum run time of a handler, independent of the caller's deadline. Once it has passed,
    /// the call fails with ERROR_RPC_CALL_TIMEOUT and the handler's task is cancelled. Without it
    /// only the caller's deadline applies.
    public var timeout: Duration?

    /// Creates limits of one method; nil: the server's default.
    public init(
        maxRequestBytes: Int? = nil, maxResponseBytes: Int? = nil, timeout: Duration? = nil
    ) {
        self.maxRequestBytes = maxRequestBytes
        self.maxResponseBytes = maxResponseBytes
        self.timeout = timeout
    }
}

/// The limits of one method, with the server's defaults applied.
struct MethodLimits: Sendable {
    let maxRequestBytes: Int
    let maxResponseBytes: Int
    /// In nanoseconds, at least 1; nil: none.
    let timeout: UInt64?

    init(_ own: RPCMethodLimits, _ defaults: RPCMethodLimits) {
        func bytes(_ limit: Int?) -> Int { limit.flatMap { $0 > 0 ? $0 : nil } ?? .max }
        maxRequestBytes = bytes(own.maxRequestBytes ?? defaults.maxRequestBytes)
        maxResponseBytes = bytes(own.maxResponseBytes ?? defaults.maxResponseBytes)
        let timeout = own.timeout ?? defaults.timeout ?? .zero
        self.timeout = timeout > .zero ? UInt64(timeout.wholeNanoseconds) : nil
    }
}
