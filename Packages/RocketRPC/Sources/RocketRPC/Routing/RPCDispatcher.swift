public import RocketBase
public import RocketCodec
import RocketRuntime
public import RocketSystem
import Synchronization

/// Routes calls to the services of a server: a table of type-erased handlers, wrapped by
/// interceptors, with their limits.
///
/// Immutable, except for the limits on calls in flight and under overload. Used by the loops of an `RPCServer`, by a
/// channel that makes calls in the same process, or by a test that passes frames to `answer`. Any
/// thread.
public final class RPCDispatcher: Sendable {
    let table: MethodTable
    let descriptors: ReflectionIndex
    let limiter: ConcurrencyLimiter
    let streamLimits: RPCStreamLimits
    let counters = ServerCounters()
    let access: AccessControl
    let overload: OverloadPolicy
    let logger: RocketLogger
    let time: any TimeSource
    private let connections = Atomic<UInt64>(0)

    /// The number of the next connection, from 1 on.
    func nextConnectionNumber() -> UInt64 {
        connections.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Counts of refused, cancelled and timed-out calls and of broken streams so far, and the limits
    /// that are in force under overload.
    public var statistics: RPCServerStatistics {
        var statistics = counters.snapshot
        overload.counters.add(to: &statistics)
        for entry in table.entries {
            let limit = entry.settings.adaptiveLimit.load(ordering: .relaxed)
            if limit > 0 { statistics.adaptiveLimits[entry.fullName] = limit }
        }
        return statistics
    }

    /// The names of all services, sorted.
    public var serviceNames: [String] { table.serviceNames }

    /// - Parameters:
    ///   - interceptors: wrap every handler; the first one is the outermost.
    ///   - authenticator: checks the tokens of callers; nil: tokens are ignored.
    ///   - authorization: who may call what; nil: every caller may call every method.
    /// - Throws: `RPCRegistrationError` if the services can't be registered together, or if
    ///   `limits` contains an unknown method.
    public init(
        services: [any RPCService], interceptors: [any RPCInterceptor] = [],
        limits: RPCCallLimits = RPCCallLimits(),
        authenticator: (any RPCAuthenticator)? = nil, authorization: AuthorizationPolicy? = nil,
        logger: RocketLogger = .disabled, time: any TimeSource = SystemTimeSource()
    ) throws {
        var registry = RPCServiceRegistry(interceptors: interceptors, limits: limits)
        for service in services { try registry.add(service) }
        descriptors = ReflectionIndex(registry)
        for case let reflection as ReflectionService in services { reflection.show(descriptors) }
        table = try MethodTable(registry)
        limiter = ConcurrencyLimiter(limits)
        streamLimits = limits.streams
        access = AccessControl(authenticator)
        if let fault = OverloadPolicy.fault(in: limits, table.entries) {
            throw RPCRegistrationError(description: fault)
        }
        overload = OverloadPolicy(limits, of: table.entries)
        self.logger = logger
        self.time = time
        update(authorization)
    }

    /// Serves TinyPB frames one after another, on the calling task and without a transport: for
    /// tests, and for custom transports.
    ///
    /// Refuses calls whose deadline has passed, but none because of overload. While a handler runs, neither its deadline nor a
    /// cancellation frame ends the call: the calling task has to be cancelled instead.
    /// - Parameter frames: complete frames; an incomplete frame at the end is ignored.
    /// - Returns: the frames of the replies. Frames behind an invalid one are not served.
    public nonisolated(nonsending) func answer(
        _ frames: [UInt8], codec: TinyPBCodec = TinyPBCodec()
    ) async -> [UInt8] {
        let transport = InMemoryTransport(input: frames)
        let connection = ServerConnection(dispatcher: self, codec: codec, scheduler: nil)
        connection.connected(transport)
        let responder = CallResponder(connection: connection)
        let context = _ServingContext(connection, transport, responder)
        while case .awaited(let method) = connection.takeFrames(context),
            case .awaited(let serve) = method.handler
        {
            if TaskLocalBinding.isAvailable {
                await context.serveBound(serve, method)
            } else {
                await CallContext.$current.withValue(responder.context) {
                    await serve(context, method)
                }
            }
            responder.handlerReturned()
            connection.handlerReturned()
        }
        return transport.takeOutput()
    }

    /// Applies the limits that can be changed while calls are served. Any thread.
    func update(_ limits: RPCCallLimits) {
        limiter.update(limits)
        if let fault = OverloadPolicy.fault(in: limits, table.entries) {
            logger.warn("an adaptive limit is ignored") { $0.add("reason", fault) }
        }
        overload.update(limits, of: table.entries)
    }

    /// Returns the time if the duration of calls is logged (at debug level), else nil.
    @inline(__always)
    func beginsCall() -> MonotonicTime? {
        logger.isEnabled(.debug) ? time.monotonic() : nil
    }

    /// Logs a call that has been answered or cancelled.
    func endsCall(_ call: CallResponder, _ code: RPCErrorCode) {
        guard let startedAt = call.storage.withState({ $0.startedAt }) else { return }
        // The context adds msg_id, method and peer to the line.
        CallContext.$current.withValue(call.context) {
            logger.debug("call served") {
                $0.add("code", code.rawValue)
                $0.add("us", microsecondsOf: time.monotonic() - startedAt)
            }
        }
    }
}
