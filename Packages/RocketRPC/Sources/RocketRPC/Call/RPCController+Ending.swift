/// How a call ended, for whoever observes calls.
public struct RPCCallEnding: Hashable, Sendable {
    /// 0 for a response.
    public let code: RPCErrorCode
    /// The serialized request, in bytes; 0 where none was made.
    public let requestBytes: Int
    /// The serialized response, in bytes; 0 for an error.
    public let responseBytes: Int
}

extension RPCController {
    /// Runs `body` once, when the call has ended: on a server when its answer is in the
    /// connection's output, or nobody waits for one any more (CANCELLED); on a channel when the
    /// caller is about to be told. A handler may still be running then.
    ///
    /// For interceptors. Where the call has ended already: now. On the thread where it ends.
    public func onEnd(_ body: @escaping @Sendable (RPCCallEnding) -> Void) {
        let ending = withState { state in
            state.isUsed = true
            if state.ending == nil { state.observers.append(body) }
            return state.ending
        }
        if let ending { body(ending) }
    }

    /// The serialized request, in bytes; on a channel 0 until it is sent.
    public var requestBytes: Int { withState { $0.requestBytes } }

    /// Whether this side makes the call, and does not answer it.
    public var isOutgoing: Bool { withState { $0.isOutgoing } }

    /// The request goes out, and has so many bytes.
    func note(requestBytes: Int) { withState { $0.requestBytes = requestBytes } }

    /// The response has so many bytes.
    func note(responseBytes: Int) { withState { $0.responseBytes = responseBytes } }

    /// The call has ended so; the first time counts.
    ///
    /// - Parameter responseBytes: nil: as was noted before.
    func end(_ code: RPCErrorCode, responseBytes: Int? = nil, cancelled: Bool = false) {
        let observers: [@Sendable (RPCCallEnding) -> Void]
        let ending: RPCCallEnding
        (ending, observers) = withState { state in
            state.isUsed = true
            if cancelled { state.isCancelled = true }
            if let ending = state.ending { return (ending, []) }
            let ending = RPCCallEnding(
                code: code, requestBytes: state.requestBytes,
                responseBytes: responseBytes ?? state.responseBytes)
            state.ending = ending
            state.isFinished = true
            if state.observers.isEmpty { return (ending, []) }
            defer { state.observers = [] }
            return (ending, state.observers)
        }
        for observer in observers { observer(ending) }
    }
}
