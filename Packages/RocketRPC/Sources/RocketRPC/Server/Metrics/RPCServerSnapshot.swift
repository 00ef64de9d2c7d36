public import RocketBase
public import RocketSystem

/// The numbers of a running server as of one moment. All counts are since the server was created.
///
/// What is about calls (`methods`, `sampledCalls`) is recorded only if `RPCServerConfiguration.collectsMetrics` is true. The loops report one after
/// another, so a call that ends meanwhile may be in one number and not in another.
public struct RPCServerSnapshot: Sendable {
    /// When it was taken.
    public var time: WallTime
    /// When the server was created.
    public var startedAt: WallTime
    /// How long ago that is, by the clock that never jumps: for rates between two snapshots.
    public var age: Duration
    /// The server's phase.
    public var state: RPCServer.State
    /// Whether calls are recorded.
    public var collectsMetrics: Bool
    /// Counts of rare events, and the state under overload.
    public var statistics: RPCServerStatistics
    /// The methods, sorted by name: all that are registered, and as `Method.unknownName` the calls of
    /// all names that are not. Empty unless calls are recorded.
    public var methods: [Method] = []
    /// The open connections, those whose handshake or first bytes are awaited included; at most as many as
    /// were asked for: then those with the most bytes that wait for their peers, and calls in flight. In
    /// the order in which they were opened.
    public var connections: [Connection] = []
    /// The open connections, in the table or not.
    public var connectionCount = 0
    /// The connections that the table has no room for.
    public var connectionsLeftOut = 0
    /// How often a connection has moved to another loop.
    public var movedConnections = 0
    /// The loops: the one that accepts, then those of the connections.
    public var loops: [Loop] = []
    /// The last calls that were kept, latest first.
    public var sampledCalls: [SampledCall] = []
    /// The server's limits, and how near they are.
    public var limits: [Limit] = []

    /// Creates a snapshot without tables, such as for tests of what shows one.
    public init(
        time: WallTime, startedAt: WallTime, age: Duration, state: RPCServer.State,
        collectsMetrics: Bool = true, statistics: RPCServerStatistics = RPCServerStatistics()
    ) {
        self.time = time
        self.startedAt = startedAt
        self.age = age
        self.state = state
        self.collectsMetrics = collectsMetrics
        self.statistics = statistics
    }

    /// The calls of one method. `started` is the sum of `ended` and `inFlight`, as far as one moment
    /// can be told.
    public struct Method: Hashable, Sendable {
        /// The name that stands for all names that are not registered, so that no peer can make a
        /// server remember names.
        public static let unknownName = "unknown"

        /// The full name: `shop.v1.Order.makeOrder`.
        public var name: String
        /// Whether it takes or returns a stream.
        public var kind: RPCMethodKind
        /// Calls that have arrived, refused ones included.
        public var started = 0
        /// Calls that have ended, by code; 0 is success. At most 64 codes: further ones of the
        /// application count as `RPCErrorCode.unknown`.
        public var ended: [RPCErrorCode: Int] = [:]
        /// Those of `ended` that no handler has seen: a limit, a draining server, an overload, the
        /// authorization. They are in neither of the numbers below.
        public var refused = 0
        /// Calls whose handlers run or wait now.
        public var inFlight = 0
        /// Bytes of all requests; of a stream of requests, those of its messages.
        public var requestBytes = 0
        /// Bytes of all responses; of a stream of responses, those of its messages.
        public var responseBytes = 0
        /// How long calls took, from their turn on until their reply was written: decoding, handler and
        /// encoding, without the time in a queue or on the network.
        public var latency = RPCLatencyHistogram()
        /// Calls of traces that are examples for `latency`, one of each doubling, the shortest first.
        /// At most 37.
        public var exemplars: [Exemplar] = []
        /// The last error that has ended a call of it, a refusal included; nil: there was none, or its
        /// loop has not answered yet. Of errors with the same code on one loop within 100 ms the first.
        public var lastError: Failure?

        /// An error that has ended a call.
        public struct Failure: Hashable, Sendable {
            /// Its code.
            public var code: RPCErrorCode
            /// Its text, as the caller has received it, at most 256 bytes: it may contain any characters.
            public var text: String
            /// When it ended the call.
            public var time: WallTime

            /// Creates an error.
            public init(code: RPCErrorCode, text: String, time: WallTime) {
                self.code = code
                self.text = text
                self.time = time
            }
        }

        /// Creates a method without calls.
        public init(name: String, kind: RPCMethodKind = .unary) {
            self.name = name
            self.kind = kind
        }
    }

    /// One event loop of a server.
    public struct Loop: Hashable, Sendable {
        /// The name of its thread: `rocket-main`, `rocket-io-0`.
        public var name: String
        /// Whether it has not answered in time: a callback blocks it. Its own numbers, its methods'
        /// and its connections' are those of the last snapshot then.
        public var isStuck = false
        /// When the callback began that blocks it, as a time before this snapshot; zero unless it is
        /// stuck.
        public var stuckFor = Duration.zero
        /// Rounds so far.
        public var ticks: UInt64 = 0
        /// How long it has worked so far; divided by the age, or over the time between two snapshots,
        /// it is the busy share.
        public var busy = Duration.zero
        /// How long events had waited for the last round at most: as long as the round before lasted.
        public var delay = Duration.zero
        /// The longest callback so far.
        public var longestCallback = Duration.zero
        /// Callbacks that took longer than `RPCServerConfiguration.slowCallback`.
        public var slowCallbacks: UInt64 = 0
        /// Its connections.
        public var connections = 0
        /// Tasks that wait now.
        public var tasksWaiting = 0
        /// The most tasks that have waited at the same time.
        public var mostTasksWaiting = 0
        /// Handler tasks that exist now, idle ones included.
        public var handlerTasks = 0

        /// Creates a loop that has done nothing.
        public init(name: String) { self.name = name }
    }

    /// A limit of a server.
    public struct Limit: Hashable, Sendable {
        /// What is limited, in lower case with underscores: `connections`, `connections_per_peer`,
        /// `calls_in_flight`, `calls_in_flight_per_connection`, `streams_per_connection`, `watches`,
        /// `watches_per_connection`, `memory_budget_bytes`, `queue_delay_us` (microseconds),
        /// `late_calls`, `adaptive_limit`, `calls_per_second` (of one caller).
        public var name: String
        /// The most that is allowed; nil: there is no such limit.
        public var limit: Int?
        /// The value now: of a limit per connection, the highest of all connections. nil: unknown.
        public var current: Int?
        /// The highest value that was seen: by each snapshot, and of calls in flight by each call. nil:
        /// unknown.
        public var highest: Int?
        /// How often something was refused for it, or closed.
        public var refusals = 0

        /// Creates a limit.
        public init(
            name: String, limit: Int? = nil, current: Int? = nil, highest: Int? = nil,
            refusals: Int = 0
        ) {
            self.name = name
            self.limit = limit
            self.current = current
            self.highest = highest
            self.refusals = refusals
        }
    }
}
