public import RocketBase
public import RocketCodec
public import RocketSystem
public import RocketTCP

/// Key=value pairs that travel beside a message; see docs/wire-format.md, "Metadata".
public typealias RPCMetadata = Metadata

/// One call: in a handler the call that it answers, on a channel a call that is made with it. Any
/// thread.
///
/// A handler may keep it, pass it to tasks and closures, and use it at any time. Once the handler
/// has returned it says that the call is finished, and nothing else: its texts are empty, its
/// optional properties nil, and what is set is dropped.
public struct RPCController: Sendable {
    @usableFromInline let storage: CallStorage
    @usableFromInline let generation: UInt64

    @inlinable
    init(_ storage: CallStorage, generation: UInt64) {
        self.storage = storage
        self.generation = generation
    }

    /// For a call to be made with `channel.call(method, request, controller)` or a generated
    /// client: says how it is made, and afterwards how it ended.
    ///
    /// - Parameters: as those of `RPCChannel.call`.
    public init(
        timeout: Duration? = nil, metadata: RPCMetadata = [:], options: RPCCallOptions = .init()
    ) {
        self.init(CallStorage(), generation: 0)
        storage.withState { state in
            state.timeout = timeout
            state.options = options
            state.changedMetadata = metadata
        }
    }

    @inline(__always)
    private func withState<Result>(_ body: (inout CallStorage.State) -> Result) -> Result? {
        storage.withState(of: generation, body)
    }

    /// The call whose handler the current task runs, or was started by; nil outside of one, and
    /// once that call is over. Calls made while it is set inherit what is left of its deadline, its
    /// msg_id and its trace context.
    ///
    /// A task that a *synchronous* handler starts has none: capture the controller for it.
    public static var current: RPCController? {
        guard let context = CallContext.current, let storage = context.source as? CallStorage,
            let generation = storage.resolve(context.generation)
        else { return nil }
        let isOver = storage.withState(of: generation) { _ in false } ?? true
        return isOver ? nil : RPCController(storage, generation: generation)
    }

    // MARK: What is known of the call

    /// The call's id on the wire, shown as text.
    public var messageID: String {
        withState { String(decoding: $0.messageID, as: UTF8.self) } ?? ""
    }

    /// `package.Service.method`.
    public var method: String { withState { $0.method } ?? "" }

    /// This side's address of the connection that the call came on.
    public var localAddress: NetAddress? { withState { $0.peers?.local } ?? nil }

    /// The peer's address: the caller's on a server, the server's on a channel.
    public var peerAddress: NetAddress? { withState { $0.peers?.peer } ?? nil }

    /// When the reply is due, on the monotonic clock: the caller's deadline, or the server's own
    /// limit on handlers where that is earlier; nil without either.
    public var deadline: MonotonicTime? { withState { $0.deadline } ?? nil }

    /// What travels beside the request. On a server it is what the caller sent; a channel's
    /// interceptor may change it before the call is sent.
    public var requestMetadata: RPCMetadata {
        get {
            withState { state in
                state.changedMetadata
                    ?? (unsafe MetadataBlock.read(state.requestMetadata.span.bytes))
                    ?? RPCMetadata()
            } ?? RPCMetadata()
        }
        nonmutating set {
            withState { state in
                state.changedMetadata = newValue
                state.isUsed = true
            }
        }
    }

    /// What goes back beside the response; set it before the handler returns. On the caller's side
    /// it is what came back. Not sent with an error. At most 511 bytes in all, or the call fails
    /// with RESOURCE_EXHAUSTED.
    public var replyMetadata: RPCMetadata {
        get { withState { $0.replyMetadata } ?? RPCMetadata() }
        nonmutating set {
            withState { state in
                state.replyMetadata = newValue
                state.isUsed = true
            }
        }
    }

    /// Whether the call was given up before its handler returned: its deadline passed, the
    /// connection ended, the caller cancelled it, or the server stops. The handler's task is
    /// cancelled at the same time.
    public var isCancelled: Bool { withState { $0.isCancelled } ?? false }

    /// Whether the call has been answered or given up: nothing that happens now changes its end.
    public var isFinished: Bool { withState { $0.isFinished } ?? true }

    /// Whether this side makes the call, and does not answer it.
    public var isOutgoing: Bool { withState { $0.isOutgoing } ?? false }

    /// The serialized request, in bytes; on a channel 0 until it is sent.
    public var requestBytes: Int { withState { $0.requestBytes } ?? 0 }

    // MARK: On the caller's side

    /// Why the call failed; nil before its end, and when it did not.
    public var error: RPCError? { withState { $0.error } ?? nil }

    /// Cancels the call that is made with this controller: it ends with CANCELLED, unless it is
    /// over. On a server, and without a call, it has no effect.
    public func cancel() {
        let cancel = withState { state in
            if state.cancel != nil { state.isCancelled = true }
            return state.cancel.take()
        }
        cancel??()
    }

    // MARK: Observing the end

    /// Runs `body` once, when the call has ended: on a server when its reply is in the connection's
    /// output, or nobody waits for one any more (CANCELLED); on a channel before the caller
    /// resumes. A handler may still be running then.
    ///
    /// For interceptors. Where the call has ended already: now. On the thread where it ends. Once
    /// a served call's handler has returned, `body` is not run.
    public func onEnd(_ body: @escaping @Sendable (RPCCallEnding) -> Void) {
        let ending = withState { state in
            state.isUsed = true
            if state.ending == nil { state.observers.append(body) }
            return state.ending
        }
        if let ending = ending ?? nil { body(ending) }
    }
}

extension RPCController: Equatable {
    /// Whether both are of the same call.
    public static func == (a: RPCController, b: RPCController) -> Bool {
        a.storage === b.storage && a.generation == b.generation
    }
}

/// How a call ended.
public struct RPCCallEnding: Hashable, Sendable {
    /// 0 for a response.
    public let code: RPCErrorCode
    /// The serialized request, in bytes; 0 where none was made.
    public let requestBytes: Int
    /// The serialized response, in bytes; 0 for an error.
    public let responseBytes: Int
}
