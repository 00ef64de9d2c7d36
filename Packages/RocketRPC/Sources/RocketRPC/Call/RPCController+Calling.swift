import RocketCodec
import RocketSystem

// Of a call that is being made: the side of the caller.

extension RPCController {
    /// For a call to be made with `channel.call(method, request, controller)` or a generated
    /// client: says how it is made, and afterwards what became of it.
    ///
    /// - Parameters: as those of `RPCChannel.call`.
    public convenience init(
        timeout: Duration? = nil, metadata: RPCMetadata = [:], options: RPCCallOptions = .init()
    ) {
        self.init()
        withState { state in
            state.timeout = timeout
            state.options = options
            state.changedMetadata = metadata
        }
    }

    /// Why the call failed; nil before its end, and when it did not. On the caller's side.
    public var error: RPCError? { withState { $0.error } }

    /// Gives the call up that is made with this controller: it ends with CANCELLED, unless it is
    /// over. On a server, and without a call, it does nothing. Any thread.
    public func cancel() {
        let giveUp = withState { state in
            if state.giveUp != nil { state.isCancelled = true }
            return state.giveUp.take()
        }
        giveUp?()
    }

    // MARK: For the channel

    var terms: (Duration?, RPCCallOptions) { withState { ($0.timeout, $0.options) } }

    func start(_ method: String, deadline: MonotonicTime) {
        withState { state in
            state.method = method
            state.deadline = deadline
            state.error = nil
            state.replyMetadata = [:]
            state.isFinished = false
            state.isCancelled = false
            state.isOutgoing = true
            state.requestBytes = 0
            state.responseBytes = 0
            state.ending = nil
        }
    }

    func canBeCancelled(by giveUp: @escaping @Sendable () -> Void) {
        withState { $0.giveUp = giveUp }
    }

    func begins(_ id: CallID, between peers: ConnectionPeers) {
        let bytes = id.withBytes { bytes in
            // SAFETY: the pointer does not leave the closure.
            unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
        }
        withState { state in
            state.messageID = bytes
            state.peers = peers
        }
    }

    func finish(replyMetadata: RPCMetadata = [:], error: RPCError? = nil) {
        // Let go of outside the lock: it holds the call.
        let giveUp = withState { state in
            state.replyMetadata = replyMetadata
            state.error = error
            state.isFinished = true
            return state.giveUp.take()
        }
        _ = giveUp
    }

    // MARK: For calls made in a handler

    var callID: CallID? {
        // SAFETY: the array lives, unchanged, until the id is made.
        withState { CallID(unsafe $0.messageID.span.bytes) }
    }

    /// `metadata` with the trace context that came with this call, unless it has one of its own.
    func addingTrace(to metadata: RPCMetadata) -> RPCMetadata {
        guard metadata["traceparent"] == nil, hasTrace else { return metadata }
        let own = requestMetadata
        var result = metadata
        result["traceparent"] = own["traceparent"]
        result["tracestate"] = own["tracestate"]
        return result
    }

    /// Whether there may be one; without reading the metadata, which most calls have for their
    /// deadline alone.
    private var hasTrace: Bool {
        withState { state in
            if let changed = state.changedMetadata { return changed["traceparent"] != nil }
            let key = Self.traceKey
            guard state.requestMetadata.count > key.count else { return false }
            return (0...(state.requestMetadata.count - key.count)).contains { start in
                state.requestMetadata[start] == key[0]
                    && state.requestMetadata[start..<(start + key.count)].elementsEqual(key)
            }
        }
    }

    private static let traceKey = [UInt8]("traceparent=".utf8)
}
