public import RocketBase
public import RocketCodec
public import RocketSystem

/// The services of a server, ready to be called: handlers with their types erased, found by the
/// raw bytes of their names, with interceptors around them and limits on them.
///
/// Made once and never changed, apart from the limits on calls in flight. What it is driven by
/// owns it: the loops of an `RPCServer`, a channel that calls it in process, or a test that hands
/// it frames (`answer`). Any thread.
public final class RPCDispatcher: Sendable {
    let table: MethodTable
    let limiter: ConcurrencyLimiter
    let counters = ServerCounters()
    let logger: RocketLogger
    let time: any TimeSource

    /// What happened so far beside calls that went well.
    public var statistics: RPCServerStatistics { counters.snapshot }

    /// The names of all services, sorted.
    public var serviceNames: [String] { table.serviceNames }

    /// - Parameter interceptors: stand around every handler, the first one outermost.
    /// - Throws: `RPCRegistrationError` for services that can't be registered together, and for
    ///   limits on a method that none of them has.
    public init(
        services: [any RPCService], interceptors: [any RPCInterceptor] = [],
        limits: RPCCallLimits = RPCCallLimits(), logger: RocketLogger = .disabled,
        time: any TimeSource = SystemTimeSource()
    ) throws {
        var registry = RPCServiceRegistry(interceptors: interceptors, limits: limits)
        for service in services { try registry.add(service) }
        let catalogue = ReflectionIndex(registry)
        for case let reflection as ReflectionService in services { reflection.show(catalogue) }
        table = try MethodTable(registry)
        limiter = ConcurrencyLimiter(limits)
        self.logger = logger
        self.time = time
    }

    /// Answers TinyPB frames one after another, on the calling task and with no transport: for
    /// tests, and for transports of your own.
    ///
    /// Deadlines that have passed are refused. What ends a call while its handler runs (a deadline,
    /// a cancellation) is the calling task's own business here.
    /// - Parameter frames: whole frames; the rest of the last one, where it is cut, is passed over.
    /// - Returns: the answers' frames. After bytes that break a rule of the format nothing more.
    public nonisolated(nonsending) func answer(
        _ frames: [UInt8], codec: TinyPBCodec = TinyPBCodec()
    ) async -> [UInt8] {
        let transport = InMemoryTransport(input: frames)
        let connection = ServerConnection(dispatcher: self, codec: codec, scheduler: nil)
        connection.connected(transport)
        let responder = CallResponder(connection: connection)
        let context = ServingContext(connection, transport, responder)
        while case .awaited(let method) = connection.takeFrames(context),
            case .awaited(let serve) = method.handler
        {
            await CallContext.$current.withValue(responder.context) {
                await serve(context, method)
            }
            responder.handlerReturned()
            connection.handlerReturned()
        }
        return transport.takeOutput()
    }

    /// The time where somebody wants to know how long calls take: each is a line at debug.
    @inline(__always)
    func beginsCall() -> MonotonicTime? {
        logger.isEnabled(.debug) ? time.monotonic() : nil
    }

    /// A call has been answered or given up.
    func endsCall(_ call: CallResponder, _ code: RPCErrorCode) {
        guard let startedAt = call.storage.withState({ $0.startedAt }) else { return }
        // Id, method and peer come from the context.
        CallContext.$current.withValue(call.context) {
            logger.debug("call served") {
                $0.add("code", code.rawValue)
                $0.add("us", microsecondsOf: time.monotonic() - startedAt)
            }
        }
    }
}
