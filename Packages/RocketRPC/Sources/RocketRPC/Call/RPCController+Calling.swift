import RocketBalancing
import RocketBase
import RocketCodec
import RocketSystem
import Synchronization

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

    /// Returns `metadata` with the trace context and the priority of this call added, unless it
    /// contains one.
    func addingInherited(to metadata: RPCMetadata) -> RPCMetadata {
        let found = inheritable
        var result = metadata
        if found.trace, metadata["traceparent"] == nil {
            let own = requestMetadata
            result["traceparent"] = own["traceparent"]
            result["tracestate"] = own["tracestate"]
        }
        if let priority = found.priority, metadata[CallPriority.key] == nil {
            result[CallPriority.key] = priority.rawValue
        }
        return result
    }

    /// Whether the request's metadata contains a trace context, and which priority other than the
    /// default: the one that the server grants. Copies nothing: most calls only have a deadline.
    private var inheritable: (trace: Bool, priority: CallPriority?) {
        storage.withState(of: generation) { state -> (trace: Bool, priority: CallPriority?) in
            let acceptsCritical =
                state.entry?.settings.acceptsCritical.load(ordering: .relaxed) ?? true
            if let changed = state.changedMetadata {
                var priority = changed[CallPriority.key].flatMap(CallPriority.init(rawValue:))
                if priority == .critical, !acceptsCritical { priority = nil }
                return (changed["traceparent"] != nil, priority == .standard ? nil : priority)
            }
            guard state.requestMetadata.count >= Self.leastInheritableBytes else {
                return (false, nil)
            }
            // SAFETY: the array lives, unchanged, while its bytes are read.
            let bytes = unsafe state.requestMetadata.span.bytes
            let priority = CallPriority(bytes, acceptsCritical: acceptsCritical)
            return (
                MetadataBlock.value(of: "traceparent", in: bytes) != nil,
                priority == .standard ? nil : priority
            )
        } ?? (false, nil)
    }

    /// A block with less contains neither, and a deadline at most.
    private static let leastInheritableBytes = "rkm1\ncall-priority=critical\n".utf8.count
}
