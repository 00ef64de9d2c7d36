import RocketSystem

/// Where a server's limits on calls are. Each has its own answer; none closes a connection.
public struct RPCCallLimits: Hashable, Sendable {
    /// Calls that may run at the same time on one connection; the next is answered with
    /// RESOURCE_EXHAUSTED. At least 1; default 4096.
    public var maxCallsPerConnection = 4096
    /// Calls whose handlers may wait at the same time, on all connections together; the next is
    /// answered with RESOURCE_EXHAUSTED. At least 1; default 65,536.
    public var maxCalls = 65_536
    /// Of every method that says nothing else. Default: 5 minutes a handler, no limits on sizes.
    public var defaults = RPCMethodLimits(timeout: .seconds(300))
    /// Of single methods, by full name (`shop.v1.Order.makeOrder`); what is nil there is as in
    /// `defaults`.
    public var methods: [String: RPCMethodLimits] = [:]

    /// The defaults.
    public init() {}

    func resolved(for method: String) -> MethodLimits {
        MethodLimits(methods[method] ?? RPCMethodLimits(), defaults)
    }
}

/// Limits on the calls of one method. Nil is as the server's defaults say, 0 is no limit.
public struct RPCMethodLimits: Hashable, Sendable {
    /// The longest serialized request, in bytes; a longer one is answered with RESOURCE_EXHAUSTED,
    /// and its handler does not run. Without a limit: what a frame holds.
    public var maxRequestBytes: Int?
    /// The longest serialized response, in bytes; in place of a longer one RESOURCE_EXHAUSTED is
    /// sent. Without a limit: what a frame holds.
    public var maxResponseBytes: Int?
    /// How long a handler may run, whatever its caller's deadline; then the caller is answered
    /// with ERROR_RPC_CALL_TIMEOUT, and the handler's task is cancelled. Without a limit: as long
    /// as the caller waits.
    public var timeout: Duration?

    /// Limits; all nil: nothing of its own.
    public init(
        maxRequestBytes: Int? = nil, maxResponseBytes: Int? = nil, timeout: Duration? = nil
    ) {
        self.maxRequestBytes = maxRequestBytes
        self.maxResponseBytes = maxResponseBytes
        self.timeout = timeout
    }
}

/// One method's limits as calls are held to them.
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
