public import RocketBase
public import RocketCodec
public import RocketReactor
import RocketSystem
public import RocketTCP
import SwiftProtobuf

/// Calls to one server: many at the same time, over one connection, from any task.
///
/// Connects when the first call is made, and again with the next call after the connection was
/// lost. Every call ends exactly once, with its response or an `RPCError`: by reply, deadline,
/// cancellation of its task, or the end of the connection.
public final class RPCChannel: Sendable {
    private struct State {
        /// Made with the first call.
        var core: LoopBound<ChannelCore>?
        var isClosed = false
    }

    /// Where it goes, as text: a stub's name or an address.
    public let target: String
    private let configuration: RPCChannelConfiguration
    private let interceptors: [any RPCInterceptor]
    private let loop: EventLoop
    private let ownThread: IOThread?
    private let state = Locked(State())
    private let makeCore: @Sendable (Reactor) -> ChannelCore
    private let time = SystemTimeSource()

    /// A channel to an address.
    ///
    /// - Parameters:
    ///   - interceptors: stand around every call, the first one outermost.
    ///   - loop: where its connection lives; nil gives it a thread of its own. Calls from tasks on
    ///     the same loop need no change of threads.
    /// - Throws: `RPCError` CHANNEL_INIT when the thread can't be started.
    public init(
        to address: NetAddress, configuration: RPCChannelConfiguration = .init(),
        interceptors: [any RPCInterceptor] = [], loop: EventLoop? = nil,
        logger: Logger = .disabled, target: String? = nil
    ) throws(RPCError) {
        let target = target ?? address.description
        self.target = target
        self.configuration = configuration
        self.interceptors = interceptors
        if let loop {
            ownThread = nil
            self.loop = loop
        } else {
            do {
                let thread = try IOThread(name: "rocket-client")
                ownThread = thread
                self.loop = thread.loop
            } catch {
                throw RPCError(.channelInit, "no thread for the channel", cause: error)
            }
        }
        makeCore = { reactor in
            ChannelCore(
                reactor: reactor, address: address, configuration: configuration, logger: logger,
                target: target)
        }
    }

    deinit { close() }

    /// Ends all calls with CHANNEL_INIT and closes the connection. Calls made later end the same
    /// way. Does not wait. Any thread; again: nothing.
    public func close() {
        let (isFirst, core) = state.withLock { state in
            defer { state.isClosed = true }
            return (!state.isClosed, state.core)
        }
        guard isFirst else { return }
        loop.execute { _ in core?.get().close() }
        ownThread?.stopUnattended()
    }

    /// Calls a method and waits for its response.
    ///
    /// - Parameters:
    ///   - timeout: how long it may take; nil means the channel's default. A call made from a
    ///     handler never outlasts the call that the handler answers.
    ///   - metadata: travels beside the request; at most 511 bytes in all.
    /// - Throws: `RPCError`: what the server answered, ERROR_RPC_CALL_TIMEOUT, CANCELLED when the
    ///   task was cancelled, ERROR_FAILED_GET_REPLY when the connection ended,
    ///   ERROR_PEER_CLOSED or ERROR_FAILED_CONNECT when there was none to be had.
    public func call<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, timeout: Duration? = nil,
        metadata: RPCMetadata = [:]
    ) async throws(RPCError) -> Response {
        let own = time.monotonic() + (timeout ?? configuration.timeout)
        let deadline = min(own, RPCController.current?.deadline ?? own)
        if interceptors.isEmpty {
            return try await send(method, request, deadline, metadata)
        }
        let call = RPCController(calling: method.fullName, deadline: deadline, metadata: metadata)
        let chain = interceptors.around { [self] request, call in
            try await send(method, request, deadline, call.requestMetadata)
        }
        do {
            return try await chain(request, call)
        } catch {
            throw error as? RPCError ?? RPCError(.internal, "an interceptor failed", cause: error)
        }
    }

    /// One call over the wire.
    private func send<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, _ deadline: MonotonicTime,
        _ metadata: RPCMetadata
    ) async throws(RPCError) -> Response {
        let call = UnaryCall(method, request, metadata: metadata, deadline: deadline)
        let id = CallID.next()
        let outcome = await withTaskCancellationHandler {
            await unsafe withUnsafeContinuation { continuation in
                unsafe call.wait(with: continuation)
                start(call, id)
            }
        } onCancel: {
            call.cancel()
            onLoop { $0.cancel(id) }
        }
        switch outcome {
        case .success(let response): return response
        case .failure(let error):
            throw error.about(method: method.fullName, peer: target)
        }
    }

    private func start(_ call: any OutgoingCall, _ id: CallID) {
        if !onLoop({ $0.start(call, id: id) }) {
            call.fail(RPCError(.channelInit, "the channel is closed"))
        }
    }

    /// At once when the caller is on the loop, otherwise through its door.
    ///
    /// - Returns: false when the loop has ended.
    @discardableResult
    private func onLoop(_ body: @escaping @Sendable (ChannelCore) -> Void) -> Bool {
        if loop.isInLoop {
            loop.withReactor { body(core(on: $0)) }
            return true
        }
        return loop.execute { [self] in body(core(on: $0)) }
    }

    private func core(on reactor: Reactor) -> ChannelCore {
        state.withLock { state in
            if let core = state.core { return core }
            let core = makeCore(reactor)
            if state.isClosed { core.close() }
            let bound = LoopBound(core, on: reactor)
            state.core = bound
            return bound
        }.get()
    }
}
