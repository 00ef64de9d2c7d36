public import RocketBalancing
public import RocketBase
public import RocketCodec
public import RocketTCP

/// The behaviour and the limits of a channel.
public struct RPCChannelConfiguration: Sendable {
    /// The time-out of calls that set none. Default 2 seconds.
    public var timeout = Duration.seconds(2)
    /// The longest that one attempt to connect may take. Default 2 seconds.
    public var connectTimeout = Duration.seconds(2)
    /// The most connections. A further one is opened when all others have calls in flight. At
    /// least 1; default 1: all calls share one connection.
    public var poolSize = 1
    /// The waits between attempts to connect, shared by all connections. Default from 100 ms to
    /// 10 s.
    public var connectBackOff = BackOff()
    /// Whether calls that don't set it themselves wait, up to their deadlines, while the server
    /// can't be reached. Default false: they fail at once.
    public var waitsForReady = false
    /// How calls are spread over several servers. Default: of two random ones to that with the lower
    /// latency and fewer calls; servers that fail are left out for a while. With one server without
    /// effect. See docs/balancing.md.
    public var balancing = BalancingConfiguration()
    /// How many servers of a longer list are used: a part that differs from channel to channel, unless
    /// `balancing.subset` says which. 0: all. Default 20.
    public var subsetSize = 20
    /// When calls are sent again.
    public var retry = RPCRetryPolicy()
    /// What is different for the calls of single methods, by their full names, such as
    /// `shop.v1.Order.makeOrder`. Names that nobody calls have no effect. Default empty.
    public var methods: [String: RPCMethodPolicy] = [:]
    /// The most calls in flight; a further one fails at once with RESOURCE_EXHAUSTED. At least 1;
    /// default 65,536.
    public var maxCallsInFlight = 65_536
    /// The most calls that wait to be sent, because there is no connection yet or its output is
    /// above the high water mark (256 KiB); a further one fails at once with RESOURCE_EXHAUSTED.
    /// Calls are sent in their order; one that waits holds nothing but its messages. At least 1;
    /// default 16,384.
    public var maxCallsWaiting = 16_384
    /// The frame limit and the checksums. A reply over the limit fails its call with
    /// RESOURCE_EXHAUSTED and is skipped; one over 16 times the limit closes the connection.
    public var codec = TinyPBCodec()
    /// What protects the connections, such as TLS; nil, the default: nothing.
    public var security: (any ClientTransportSecurity)?
    /// The windows of streaming calls.
    public var streams = RPCStreamLimits()
    /// The wire: TinyPB, the default, or gRPC of the product RocketGRPC.
    public var `protocol` = RPCChannelProtocol.tinyPB
    /// What the server is. For a C++ peer the channel sends only what that supports, whatever the
    /// settings below say; calls that need more fail with ERROR_FAILED_ENCODE. Default
    /// `rocketSwift`. See docs/wire-format.md, "Sending to C++ peers".
    public var peer = PeerKind.rocketSwift
    /// The largest request frame, in bytes; a larger one fails with ERROR_FAILED_ENCODE and is
    /// not sent. nil, the default: the codec's frame limit.
    public var maxRequestBytes: Int?
    /// Whether requests carry the time left until their deadlines. Default true.
    public var sendsDeadline = true
    /// Whether the server is notified of cancelled calls, by a request for `rocket.cancel`. Default
    /// true.
    public var sendsCancel = true
    /// How long the channel's own loop looks for events before it sleeps, if the last one came as
    /// soon: `EventLoopConfiguration.busyWait`. Without effect on a loop that the channel is created
    /// with. Default 0: it sleeps at once.
    public var busyWait = Duration.zero
    /// Gives each call a token, which the server verifies. Default nil: none. A channel
    /// without `security` to another machine can't be made with credentials, unless they allow that
    /// (`RPCCallCredentials.allowsPlaintext`).
    public var credentials: RPCCallCredentials?

    /// The defaults.
    public init() {}
}

/// When a channel sends a call again by itself. See docs/decisions/0007.
///
/// A call is sent again, always within its deadline:
/// - when the server can't have received the whole request, because the connection ended first;
/// - when the server answered UNAVAILABLE, which means that it did not begin the call: the first
///   time at once, on another connection where there is one; after a back-off from then on;
/// - when the connection ended, the server may have processed it, and it is idempotent: its metadata
///   contains `idempotency-key`, or its options set `isIdempotent`.
///
/// The calls of a connection that ended wait for a random time before that, each its own, so that
/// they don't arrive all at once at a server that has just started.
public struct RPCRetryPolicy: Sendable {
    /// The most times that a call is sent, the first included. At least 1, which turns retries
    /// off. Default 4.
    public var maxAttempts = 4
    /// The waits after the second UNAVAILABLE and each later one; after the first there is none.
    /// Default 25 to 50 ms, doubled each time up to 1 s. After the end of a connection a call waits
    /// from nothing up to as long.
    public var backOff = BackOff(first: .milliseconds(50), most: .seconds(1))
    /// How many calls may be sent again or hedged, in relation to all; others end with their last error. What a
    /// server can't have seen, or did not begin because it goes away, is no retry; nor is the first
    /// time that a call's connection has ended. nil: no limit. Default 20 %, and 10 per second at
    /// least.
    public var budget: RetryBudget? = RetryBudget()

    /// The defaults.
    public init() {}

    /// Never sends a call again.
    public static var never: RPCRetryPolicy {
        var policy = RPCRetryPolicy()
        policy.maxAttempts = 1
        return policy
    }
    /// How long a call that was answered with UNAVAILABLE waits until it is sent again; nil: it is
    /// not sent again.
    func delay(
        afterAttempts attempts: Int, using random: inout some RandomNumberGenerator
    ) -> Duration? {
        if attempts >= maxAttempts { return nil }
        var backOff = backOff
        var duration = Duration.zero
        for _ in 1..<max(1, attempts) { duration = backOff.next(using: &random) }
        return duration
    }

    /// How long a call whose connection has ended waits until it is sent again: from zero up to, but
    /// not including, the longest wait after so many attempts.
    func jitter(
        afterAttempts attempts: Int, using random: inout some RandomNumberGenerator
    ) -> Duration {
        var most = min(backOff.first, backOff.most)
        for _ in 1..<max(1, attempts) where most < backOff.most {
            most = min(most * backOff.factor, backOff.most)
        }
        return most * Double.random(in: 0..<1, using: &random)
    }
}
