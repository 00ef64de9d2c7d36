public import RocketBase
public import RocketCodec
public import RocketSystem
public import RocketTCP

/// Key=value pairs that are sent with a message; see docs/wire-format.md, "Metadata".
public typealias RPCMetadata = Metadata

/// The controller of one call: in a handler of the call that it serves, on a channel of an outgoing
/// call. Any thread.
///
/// A handler may keep the controller, pass it to tasks and closures, and use it at any time. Once
/// the handler has returned, the controller only reports that the call is finished: its strings are
/// empty, its optional properties are nil, and setters have no effect.
public struct RPCController: Sendable {
    @usableFromInline let storage: CallStorage
    @usableFromInline let generation: UInt64

    @inlinable
    init(_ storage: CallStorage, generation: UInt64) {
        self.storage = storage
        self.generation = generation
    }

    /// Creates the controller of an outgoing call, for `channel.call(method, request, controller)`
    /// or a generated client. It contains the settings of the call, and its outcome afterwards.
    ///
    /// - Parameters: the same as those of `RPCChannel.call`.
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

    /// The call whose handler runs in the current task or has started it; nil outside of handlers,
    /// and once the call has ended. Outgoing calls that are made meanwhile inherit the rest of its
    /// deadline, its msg_id and its trace context.
    ///
    /// nil in a task that a *synchronous* handler starts: capture the controller there.
    public static var current: RPCController? {
        guard let context = CallContext.current, let storage = context.source as? CallStorage,
            let generation = storage.resolve(context.generation)
        else { return nil }
        let isOver = storage.withState(of: generation) { _ in false } ?? true
        return isOver ? nil : RPCController(storage, generation: generation)
    }

    // MARK: Properties of the call

    /// The call's msg_id, as text.
    public var messageID: String {
        withState { String(decoding: $0.messageID, as: UTF8.self) } ?? ""
    }

    /// The full name of the method: `package.Service.method`.
    public var method: String { withState { $0.method } ?? "" }

    /// The local address of the call's connection.
    public var localAddress: NetAddress? { withState { $0.peers?.local } ?? nil }

    /// The peer's address: the caller's on a server, the server's on a channel.
    public var peerAddress: NetAddress? { withState { $0.peers?.peer } ?? nil }

    /// The protocol of the call's connection: `TinyPB`, or the name of another wire such as `gRPC`.
    /// On a channel nil until the call is sent.
    public var wire: String? { withState { $0.peers?.wire } ?? nil }

    /// Identifies the connection of the call: calls of one connection have the same value, and those
    /// of two open connections have different ones. For services that are fair to connections.
    public var connection: ObjectIdentifier? {
        withState { $0.peers?.id } ?? nil
    }

    /// The deadline of the call, on the monotonic clock. On a server it is the caller's deadline or
    /// the server's time limit on handlers, whichever is earlier; nil without either.
    public var deadline: MonotonicTime? { withState { $0.deadline } ?? nil }

    /// The metadata of the request. On a server it is as received; an interceptor of a channel may
    /// change it before the request is sent.
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
                storage.use()
            }
        }
    }

    /// The metadata of the reply; gRPC's initial metadata. On a server set it before the handler
    /// returns; it is not sent with an error. On a channel it is as received. At most 8192 bytes,
    /// together with `trailingMetadata`, for callers that have sent metadata on the connection, 511
    /// for others, or the call fails with RESOURCE_EXHAUSTED; so it does for a key that begins with
    /// `trailing-`.
    public var replyMetadata: RPCMetadata {
        get { withState { $0.replyMetadata } ?? RPCMetadata() }
        nonmutating set {
            withState { state in
                state.replyMetadata = newValue
                storage.use()
            }
        }
    }

    /// The metadata behind the reply; gRPC's trailing metadata. On a server set it before the handler
    /// returns or throws: it is sent with errors, too, if the caller has sent metadata on the
    /// connection. On a channel it is as received, also after an error. Its limits are those of
    /// `replyMetadata`; where an error's metadata and details exceed 8192 bytes, the error is sent
    /// without both.
    public var trailingMetadata: RPCMetadata {
        get { withState { $0.trailingMetadata } ?? RPCMetadata() }
        nonmutating set {
            withState { state in
                state.trailingMetadata = newValue
                storage.use()
            }
        }
    }

    /// Whether the response, or each message of a stream of responses, is compressed where the server
    /// does that for this caller; default true. A handler sets it before it returns, or before the
    /// first message: to false where a response has a secret beside text that the caller has chosen,
    /// as the length of a compressed message tells how alike they are. Has no effect on a channel: see
    /// `RPCCallOptions.compressesRequest`.
    public var compressesReply: Bool {
        get { withState { $0.compressesReply } ?? true }
        nonmutating set {
            withState { state in
                state.compressesReply = newValue
                storage.use()
            }
        }
    }

    /// Whether the call was cancelled before its handler returned: its deadline passed, its
    /// connection closed, the caller cancelled it, or the server stops. The handler's task is
    /// cancelled at the same time.
    public var isCancelled: Bool { withState { $0.isCancelled } ?? false }

    /// Whether the call has been answered or cancelled: its outcome no longer changes.
    public var isFinished: Bool { withState { $0.isFinished } ?? true }

    /// Whether this is an outgoing call, and not one that is being served.
    public var isOutgoing: Bool { withState { $0.isOutgoing } ?? false }

    /// The size of the serialized request, in bytes; on a channel 0 until it is sent.
    public var requestBytes: Int { withState { $0.requestBytes } ?? 0 }

    // MARK: Outgoing calls

    /// The error of a failed call; nil until it has ended, and if it succeeded.
    public var error: RPCError? { withState { $0.error } ?? nil }

    /// How many times the outgoing call was sent, hedges included. Rises until the call has ended; 0 on
    /// a server, and for a call that was not sent.
    public var attempts: Int { withState { $0.attempts } ?? 0 }

    /// The servers that the outgoing call was sent to, in the order of sending, one element for each
    /// time: the last 8. `peerAddress` is the one that has replied, or where it was sent last.
    public var attemptedPeers: [NetAddress] { withState { $0.attemptedPeers } ?? [] }

    /// Cancels the outgoing call: it fails with CANCELLED, unless it has ended. Has no effect on a
    /// server, and before a call is made.
    public func cancel() {
        let cancel = withState { state in
            if state.cancel != nil { state.isCancelled = true }
            return state.cancel.take()
        }
        cancel??()
    }

    // MARK: Observing the end

    /// Runs `body` once, when the call has ended: on a server when its reply is in the connection's
    /// output or the call was cancelled; on a channel before the caller resumes. A handler may
    /// still be running then.
    ///
    /// For interceptors. Runs `body` on the thread on which the call ends, or at once if the call
    /// has ended already. After the handler of a served call has returned, `body` is not run.
    public func onEnd(_ body: @escaping @Sendable (RPCCallEnding) -> Void) {
        let ending = withState { state in
            storage.use()
            if state.ending == nil { state.observers.append(body) }
            return state.ending
        }
        if let ending = ending ?? nil { body(ending) }
    }

    /// Says that the handler has waited for so long because the peer does not read, and not for what the
    /// handler does: such as a handler that keeps one large response of a connection in memory at a time,
    /// and waits for the one before. What is recorded of the call then shows this part of the handler's
    /// time as a wait for the output (`RPCServerSnapshot.SampledCall.outputWait`). Waits of a stream's
    /// writer are measured without it. Several times add up; a negative one counts as zero. Without
    /// effect on a channel, and once the handler has returned.
    public func waitedForPeer(_ duration: Duration) {
        let nanoseconds = UInt64(max(0, duration.wholeNanoseconds))
        _ = withState { state in
            storage.use()
            state.peerWait &+= nanoseconds
        }
    }
}

extension RPCController: Equatable {
    /// Whether both refer to the same call.
    public static func == (a: RPCController, b: RPCController) -> Bool {
        a.storage === b.storage && a.generation == b.generation
    }
}

/// The outcome of a call.
public struct RPCCallEnding: Hashable, Sendable {
    /// 0 for a response.
    public let code: RPCErrorCode
    /// The size of the serialized request, in bytes; 0 if it was not serialized.
    public let requestBytes: Int
    /// The size of the serialized response, in bytes; 0 for an error.
    public let responseBytes: Int
}
