import RocketSystem

/// A channel's state as others see it, and those who want to hear of changes. Any thread.
final class StateBroadcaster: Sendable {
    private struct State {
        var current = RPCChannelState.idle
        var listeners: [Int: AsyncStream<RPCChannelState>.Continuation] = [:]
        var nextListener = 0
    }

    private let state = Locked(State())

    var current: RPCChannelState { state.withLock { $0.current } }

    /// Tells it, where it is new. `closed` is the last.
    func publish(_ new: RPCChannelState) {
        let ended = state.withLock { state -> [AsyncStream<RPCChannelState>.Continuation] in
            guard new != state.current, state.current != .closed else { return [] }
            state.current = new
            for listener in state.listeners.values { listener.yield(new) }
            if new != .closed { return [] }
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        // Not under the lock: it tells `onTermination`, which takes it.
        for listener in ended { listener.finish() }
    }

    /// The state now and each one after it, until `closed`. One who does not keep up misses the
    /// oldest of more than 64.
    func listen() -> AsyncStream<RPCChannelState> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: RPCChannelState.self, bufferingPolicy: .bufferingNewest(64))
        let number = state.withLock { state -> Int in
            continuation.yield(state.current)
            if state.current == .closed {
                continuation.finish()
                return -1
            }
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return state.nextListener
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { $0.listeners[number] = nil }
        }
        return stream
    }
}
