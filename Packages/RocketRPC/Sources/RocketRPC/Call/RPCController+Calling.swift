import RocketBase
import RocketCodec
import RocketSystem

// Outgoing calls: how a channel uses the controller.

extension RPCController {
    var terms: (Duration?, RPCCallOptions) {
        storage.withState { ($0.timeout, $0.options) }
    }

    /// Whether the options of an outgoing call say that it is idempotent.
    @_spi(Simulation) public var isIdempotent: Bool { terms.1.isIdempotent }

    /// Resets the state for an outgoing call.
    func start(_ method: String, deadline: MonotonicTime?) {
        storage.withState { state in
            state.method = method
            state.deadline = deadline
            state.error = nil
            state.replyMetadata = [:]
            state.trailingMetadata = [:]
            state.isFinished = false
            state.isCancelled = false
            state.isOutgoing = true
            state.attempts = 0
            state.attemptedPeers = []
            state.requestBytes = 0
            state.responseBytes = 0
            state.ending = nil
        }
    }

    func canBeCancelled(by cancel: @escaping @Sendable () -> Void) {
        storage.withState { $0.cancel = cancel }
    }

    /// Records the id and the connection of the request.
    func begins(_ id: CallID, between peers: ConnectionPeers) {
        let bytes = id.withBytes { bytes in
            // SAFETY: the pointer does not escape the closure.
            unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
        }
        storage.withState { state in
            state.messageID = bytes
            state.peers = peers
            state.attempts += 1
            if state.attemptedPeers.count == Self.maxAttemptedPeers {
                state.attemptedPeers.removeFirst()
            }
            state.attemptedPeers.append(peers.peer)
        }
    }

    private static let maxAttemptedPeers = 8

    /// Records the connection of the reply to a call that was sent on more than one at a time.
    func answered(between peers: ConnectionPeers) { storage.withState { $0.peers = peers } }

    /// Records the size of the serialized request.
    func note(requestBytes: Int) { storage.withState { $0.requestBytes = requestBytes } }

    /// Records the size of the serialized response.
    func note(responseBytes: Int) { storage.withState { $0.responseBytes = responseBytes } }

    /// Records the initial metadata of a streaming call.
    func note(replyMetadata: RPCMetadata) {
        storage.withState { $0.replyMetadata = replyMetadata }
    }

    /// Records the reply metadata or the error of the call.
    func finish(
        replyMetadata: RPCMetadata = [:], trailingMetadata: RPCMetadata = [:],
        error: RPCError? = nil
    ) {
        // Released outside of the lock, because the closure retains the call.
        let cancel = storage.withState { state in
            // What a streaming call has received before stays.
            if !replyMetadata.isEmpty { state.replyMetadata = replyMetadata }
            state.trailingMetadata = trailingMetadata
            state.error = error
            state.isFinished = true
            return state.cancel.take()
        }
        _ = cancel
    }

    /// Records how the call ended, and runs its observers.
    func end(_ code: RPCErrorCode) { storage.end(code) }

    // MARK: Calls made in a handler

    /// The id of the call that is being served; nil once it has ended.
    var callID: CallID? {
        // SAFETY: the array lives, unchanged, until the id is created.
        storage.withState(of: generation) { CallID(unsafe $0.messageID.span.bytes) } ?? nil
    }

    /// Returns `metadata` with the trace context of this call added, unless it contains one.
    func addingTrace(to metadata: RPCMetadata) -> RPCMetadata {
        guard metadata["traceparent"] == nil, hasTrace else { return metadata }
        let own = requestMetadata
        var result = metadata
        result["traceparent"] = own["traceparent"]
        result["tracestate"] = own["tracestate"]
        return result
    }

    /// Whether the request's metadata may contain a trace context. Does not parse the metadata:
    /// most calls only have a deadline in it.
    private var hasTrace: Bool {
        storage.withState(of: generation) { state in
            if let changed = state.changedMetadata { return changed["traceparent"] != nil }
            let key = Self.traceKey
            guard state.requestMetadata.count > key.count else { return false }
            return (0...(state.requestMetadata.count - key.count)).contains { start in
                state.requestMetadata[start] == key[0]
                    && state.requestMetadata[start..<(start + key.count)].elementsEqual(key)
            }
        } ?? false
    }

    private static let traceKey = [UInt8]("traceparent=".utf8)
}
