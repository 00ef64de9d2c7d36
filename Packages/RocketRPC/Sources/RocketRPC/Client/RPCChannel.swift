public import RocketBase
import RocketCodec
public import RocketReactor
import RocketSystem
public import RocketTCP
import SwiftProtobuf
import Synchronization

/// A client's side of an RPC connection: makes any number of concurrent calls to one server, over
/// one connection or a pool, from any task.
///
/// Connects when the first call is made, and again when a call needs a connection. Every call ends
/// exactly once, with its response or an `RPCError`: by reply, deadline, cancellation of its task,
/// or the end of the connection.
public final class RPCChannel: Sendable {
    /// The event loop that runs its connections. It is a task executor: calls from tasks that
    /// prefer it change no thread on their way. A call from another task is sent on that task's
    /// thread, if the loop is the channel's own and sleeps, a connection is ready, and no other call
    /// is in flight.
    ///
    /// ```swift
    /// await withTaskExecutorPreference(channel.loop) { … many calls … }
    /// ```
    public let loop: EventLoop
    @usableFromInline let interceptors: [any RPCInterceptor]
    /// The clock of the loop; nil: the system's, which is read without an indirect call.
    private let injectedTime: (any TimeSource)?
    /// `configuration.timeout`, in nanoseconds.
    let defaultTimeout: Atomic<UInt64>
    /// See `callsPerBatch`.
    let batchLimit: Atomic<Int>
    let context: ChannelContext
    /// Those of single methods; nil: none.
    private let policies: Locked<MethodPolicies?>
    private let hasPolicies: Atomic<Bool>
    /// The stub that it was created by, and its settings.
    let stub = Locked<(StubConfig, RPCChannelConfiguration)?>(nil)
    private let ownThread: IOThread?
    let inbox: ChannelInbox
    private let credentials: ChannelCredentials?
    let drainInbox: @Sendable (Reactor) -> Void
    private let isClosed = Atomic(false)

    /// Creates a channel to an address.
    ///
    /// - Parameters:
    ///   - interceptors: wrap every call, the first one outermost. Observers (`RPCCallObserver`)
    ///     are interceptors.
    ///   - loop: runs its connections; nil: a loop on a thread of its own.
    ///   - target: its name in errors and logs; nil: the address.
    /// - Throws: `RPCError` CHANNEL_INIT when the thread can't be started.
    public convenience init(
        to address: NetAddress, configuration: RPCChannelConfiguration = .init(),
        interceptors: [any RPCInterceptor] = [], loop: EventLoop? = nil,
        logger: RocketLogger = .disabled, target: String? = nil
    ) throws(RPCError) {
        try self.init(
            to: [address], configuration: configuration, interceptors: interceptors, loop: loop,
            logger: logger, target: target)
    }

    /// Creates a channel to several servers, one at each address. Calls are spread over them by
    /// `configuration.balancing`.
    ///
    /// - Parameters: as above.
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR without an address, CHANNEL_INIT when the thread
    ///   can't be started, and for credentials that would be sent in plaintext to another machine.
    public convenience init(
        to addresses: [NetAddress], configuration: RPCChannelConfiguration = .init(),
        interceptors: [any RPCInterceptor] = [], loop: EventLoop? = nil,
        logger: RocketLogger = .disabled, target: String? = nil
    ) throws(RPCError) {
        if addresses.isEmpty { throw RPCError(.peerAddress, "no address to connect to") }
        try self.init(
            to: .fixed(addresses.map { RPCEndpoint([$0]) }), configuration: configuration,
            interceptors: interceptors, loop: loop, logger: logger,
            target: target ?? addresses.map(\.description).joined(separator: ","))
    }

    /// Creates a channel to the servers behind a name.
    ///
    /// - Parameters:
    ///   - target: an address (`IP:PORT`, `[IPv6]:PORT`, `unix:PATH`), `HOST:PORT`, or `SCHEME:NAME`
    ///     such as `dns:///orders.svc:12345` and `list:10.0.0.1:80,10.0.0.2:80`. See
    ///     docs/guides/names.md.
    ///   - resolvers: of the schemes beside `list`; DNS and others are in the product RocketNames,
    ///     whose `RPCChannel(to:)` passes all of them.
    /// - Throws: as above, and ERROR_RPC_PEER_ADDR for a name that is invalid or has no resolver.
    public convenience init(
        to target: String, resolvers: [any RPCResolver],
        configuration: RPCChannelConfiguration = .init(), interceptors: [any RPCInterceptor] = [],
        loop: EventLoop? = nil, logger: RocketLogger = .disabled
    ) throws(RPCError) {
        let source = try EndpointSource(RPCTarget(target), resolvers: resolvers)
        try self.init(
            to: source, configuration: configuration, interceptors: interceptors, loop: loop,
            logger: logger, target: target)
    }

    /// Creates a channel over TCP and Unix sockets.
    convenience init(
        to source: EndpointSource, configuration: RPCChannelConfiguration,
        interceptors: [any RPCInterceptor], loop: EventLoop?, logger: RocketLogger, target: String
    ) throws(RPCError) {
        try configuration.credentials?.checkUse(
            to: source, isEncrypted: configuration.security != nil)
        try self.init(
            to: source, configuration: configuration, interceptors: interceptors, loop: loop,
            logger: logger, target: target, runsInCallers: true,
            connector: TCPConnector.maker(configuration))
    }

    /// Creates a channel to services of this process, without a socket: frames go through memory,
    /// and all else (deadlines, cancellation, limits, interceptors, errors) is as over a network.
    /// For tests of services, and for services that run in one process.
    ///
    /// - Parameters:
    ///   - dispatcher: the services; any number of channels may share it.
    ///   - configuration, interceptors, loop: as for channels to addresses. Handlers run on the
    ///     channel's loop.
    /// - Throws: `RPCError` CHANNEL_INIT when the thread can't be started.
    public convenience init(
        inProcess dispatcher: RPCDispatcher, configuration: RPCChannelConfiguration = .init(),
        interceptors: [any RPCInterceptor] = [], loop: EventLoop? = nil,
        logger: RocketLogger = .disabled
    ) throws(RPCError) {
        try self.init(
            over: InMemoryConnector(dispatcher: dispatcher, codec: configuration.codec),
            configuration: configuration, interceptors: interceptors, loop: loop, logger: logger,
            target: "in-process")
    }

    /// Creates a channel to these services, without interceptors or limits.
    ///
    /// - Throws: `RPCRegistrationError` for services that can't be registered together, `RPCError`
    ///   CHANNEL_INIT when the thread can't be started.
    public convenience init(
        inProcess services: [any RPCService], configuration: RPCChannelConfiguration = .init()
    ) throws {
        try self.init(
            inProcess: RPCDispatcher(services: services), configuration: configuration)
    }

    /// Creates a channel to services of this process as above, which are regarded as that many
    /// servers: to measure what choosing among them costs.
    ///
    /// - Parameter copies: 1 to 10,000.
    /// - Throws: `RPCError` CHANNEL_INIT when the thread can't be started.
    @_spi(Simulation)
    public convenience init(
        inProcess dispatcher: RPCDispatcher, copies: Int,
        configuration: RPCChannelConfiguration = .init(), loop: EventLoop? = nil
    ) throws(RPCError) {
        let connector = InMemoryConnector(dispatcher: dispatcher, codec: configuration.codec)
        let servers = (0..<UInt32(max(1, copies))).map {
            RPCEndpoint([NetAddress(.ipv4(bits: 0x7F00_0000 | $0, port: 1))])
        }
        try self.init(
            to: .fixed(servers), configuration: configuration, interceptors: [], loop: loop,
            logger: .disabled, target: "in-process", runsInCallers: false,
            connector: { _ in connector })
    }

    /// Creates a channel over transports of any kind to one server.
    convenience init(
        over connector: any Connector, configuration: RPCChannelConfiguration,
        interceptors: [any RPCInterceptor], loop: EventLoop?, logger: RocketLogger, target: String
    ) throws(RPCError) {
        try self.init(
            to: .connector, configuration: configuration, interceptors: interceptors, loop: loop,
            logger: logger, target: target, runsInCallers: false, connector: { _ in connector })
    }

    /// - Parameters:
    ///   - runsInCallers: whether tasks may drive the channel's own loop. Not in process: handlers
    ///     would run in their callers.
    ///   - connector: makes what opens the transports to an endpoint.
    private init(
        to source: EndpointSource, configuration: RPCChannelConfiguration,
        interceptors: [any RPCInterceptor], loop: EventLoop?, logger: RocketLogger, target: String,
        runsInCallers: Bool, connector: @escaping @Sendable (RPCEndpoint) -> any Connector
    ) throws(RPCError) {
        defaultTimeout = Atomic(UInt64(max(0, configuration.timeout.wholeNanoseconds)))
        batchLimit = Atomic(Self.callsPerBatch(configuration))
        let ownThread = loop == nil ? try Self.startThread(configuration, runsInCallers) : nil
        self.ownThread = ownThread
        guard let loop = loop ?? ownThread?.loop else {
            preconditionFailure("a channel has a loop, passed in or its own")
        }
        self.loop = loop
        let credentials = configuration.credentials.map {
            ChannelCredentials($0, loop: loop, target: target)
        }
        self.credentials = credentials
        // The innermost: a call that another one answers needs no token.
        self.interceptors = interceptors + (credentials.map { [$0] } ?? [])
        injectedTime = loop.time is SystemTimeSource ? nil : loop.time
        let settings = ChannelSettings(
            source: source, configuration: configuration,
            connector: configuration.protocol.wrapping(connector, configuration, logger))
        policies = Locked(settings.policies)
        hasPolicies = Atomic(settings.policies != nil)
        context = ChannelContext(target: target, settings: settings, logger: logger)
        let inbox = ChannelInbox(context, loop: loop)
        self.inbox = inbox
        drainInbox = { inbox.drain(on: $0) }
    }

    private static func startThread(
        _ configuration: RPCChannelConfiguration, _ runsInCallers: Bool
    ) throws(RPCError) -> IOThread {
        var loop = EventLoopConfiguration()
        loop.busyWait = configuration.busyWait
        loop.runsInCallers = runsInCallers
        do {
            return try IOThread(name: "rocket-client", configuration: loop)
        } catch {
            throw RPCError(.channelInit, "the channel's thread can't be started", cause: error)
        }
    }

    deinit { close() }

    /// Ends all calls with CHANNEL_INIT and closes the connections; one with calls in flight is
    /// reset, so that the server cancels them. Later calls end the same way. Does not wait. Any
    /// thread; again: no effect.
    public func close() {
        if isClosed.exchange(true, ordering: .relaxed) { return }
        credentials?.close()
        let inbox = inbox
        if !loop.execute({ inbox.close(on: $0) }) { context.broadcaster.publish(.closed) }
        ownThread?.stopUnattended()
    }

    /// The time of now, of the loop's clock. Any thread.
    var now: MonotonicTime {
        // determinism: the loop's clock is the system's, unless it was handed another one
        injectedTime?.monotonic() ?? SystemTimeSource().monotonic()
    }

    /// Takes over other settings, without an effect on calls in flight.
    func apply(_ settings: ChannelSettings, replacesConnections: Bool) {
        let timeout = settings.configuration.timeout.wholeNanoseconds
        defaultTimeout.store(UInt64(max(0, timeout)), ordering: .relaxed)
        batchLimit.store(
            min(inbox.limit, Self.callsPerBatch(settings.configuration)), ordering: .relaxed)
        policies.withLock { $0 = settings.policies }
        hasPolicies.store(settings.policies != nil, ordering: .relaxed)
        let inbox = inbox
        let busyWait = ownThread == nil ? nil : settings.configuration.busyWait
        loop.execute { reactor in
            if let busyWait { reactor.setBusyWait(busyWait) }
            inbox.core(on: reactor)?.apply(settings, replacesConnections: replacesConnections)
        }
    }

    /// The policy of a method; nil, and nearly free, where there is none.
    func policy(of method: ErasedMethod) -> MethodPolicy? {
        if !hasPolicies.load(ordering: .relaxed) { return nil }
        return policies.withLock { $0?.find(method) }
    }

    /// - Parameter isTask: see `ChannelInbox.enqueue`.
    func enqueueStart(_ call: OutgoingCall, isTask: Bool) {
        if inbox.startOnLoop(call) { return }
        inbox.enqueue(.start(call), drainInbox: drainInbox, isTask: isTask)
    }

    func enqueueCancel(_ call: OutgoingCall) {
        inbox.enqueue(.cancel(call), drainInbox: drainInbox)
    }
}

// MARK: - State

extension RPCChannel {
    /// The server's name in errors and logs: the name of a stub, or an address.
    public var target: String { context.target }

    /// Whether it can send calls, as of a moment ago. Any thread.
    public var state: RPCChannelState { context.broadcaster.current }

    /// The current state and each later one, until `closed`, for any number of subscribers. Buffers
    /// 64 states; a subscriber that falls behind loses the oldest. Any thread.
    public var states: AsyncStream<RPCChannelState> { context.broadcaster.subscribe() }

    /// A snapshot of its counters. Any thread.
    public var statistics: RPCChannelStatistics { context.counters.read() }

    /// Begins to connect where it is idle, so that the first call need not wait for that. Does not
    /// wait; see `states`. Any thread.
    public func connect() {
        let inbox = inbox
        loop.execute { inbox.core(on: $0)?.connect() }
    }
}
