import RocketSystem
import Synchronization

/// Whether a channel can send calls now. The states and their meaning are those of gRPC.
public enum RPCChannelState: String, Hashable, Sendable, CaseIterable {
    /// No connection, and no attempt to connect: the next call connects.
    case idle
    /// No connection is ready, and one is being opened.
    case connecting
    /// Calls are sent at once.
    case ready
    /// Connecting failed. The channel connects again after a back-off; until then calls fail at
    /// once, except those that wait for ready.
    case transientFailure
    /// Closed for good.
    case closed
}

/// Holds a channel's state and publishes its changes to any number of subscribers. Any thread.
final class StateBroadcaster: Sendable {
    private struct State {
        var current = RPCChannelState.idle
        /// In the order of their subscriptions.
        var subscribers: [(number: Int, AsyncStream<RPCChannelState>.Continuation)] = []
        var lastSubscriber = 0
    }

    private let state = Locked(State())

    /// Whether the state is `ready`. Changed under the lock.
    private let ready = Atomic(false)

    var current: RPCChannelState { state.withLock { $0.current } }

    /// Whether the current state is `ready`, without the lock.
    var isReady: Bool { ready.load(ordering: .relaxed) }

    /// Publishes a state where it differs from the current one. `closed` is the last one.
    func publish(_ new: RPCChannelState) {
        let ended = state.withLock { state -> [AsyncStream<RPCChannelState>.Continuation] in
            guard new != state.current, state.current != .closed else { return [] }
            state.current = new
            ready.store(new == .ready, ordering: .relaxed)
            for (_, subscriber) in state.subscribers { subscriber.yield(new) }
            if new != .closed { return [] }
            defer { state.subscribers = [] }
            return state.subscribers.map(\.1)
        }
        // Not under the lock: `finish` calls `onTermination`, which takes it.
        for subscriber in ended { subscriber.finish() }
    }

    /// The current state and each later one, until `closed`. Buffers 64 states; a subscriber that
    /// falls behind loses the oldest.
    func subscribe() -> AsyncStream<RPCChannelState> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: RPCChannelState.self, bufferingPolicy: .bufferingNewest(64))
        let number = state.withLock { state -> Int in
            continuation.yield(state.current)
            if state.current == .closed {
                continuation.finish()
                return -1
            }
            state.lastSubscriber += 1
            state.subscribers.append((state.lastSubscriber, continuation))
            return state.lastSubscriber
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { $0.subscribers.removeAll { $0.number == number } }
        }
        return stream
    }
}
