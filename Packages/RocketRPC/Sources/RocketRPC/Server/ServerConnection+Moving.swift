import RocketReactor
import RocketSystem
@_spi(Transport) import RocketTCP

// A connection between two calls may go on at another loop, by an object of that loop. A connection of
// another wire stays: its handler is that wire's, which holds the state of HTTP/2.

extension ServerConnection: MovableConnectionHandler {
    /// What a connection takes along. The callers whose tokens were verified stay behind: they are
    /// verified again.
    private struct MovedState: Sendable {
        let number: UInt64
        let openedAt: MonotonicTime
        let metadata: PeerMetadata
    }

    /// Whether it may move between two calls: connections that end, or that have had streams, stay.
    var isMovable: Bool {
        scheduler?.registry != nil && !ending.hasBegun && !isOutOfFrame && streams == nil
    }

    /// Whether no call is under way, and nothing waits: neither input, nor a reply.
    private var isIdle: Bool {
        callsInFlight == 0 && suspended.tasks.isEmpty && !isReady && !isHeldBack
            && !hasWaitingReplies && !isOutputFull && onClose == nil
    }

    func leave() -> (@Sendable (Reactor) -> any TCPConnectionHandler)? {
        guard isMovable, isIdle, let scheduler, let registry = scheduler.registry else {
            return nil
        }
        transport = nil
        scheduler.remove(self)
        let state = MovedState(number: number, openedAt: openedAt, metadata: metadata)
        return { [dispatcher, codec] reactor in
            let moved = registry.scheduler(on: reactor, dispatcher)
                .makeConnection(codec, number: state.number)
            moved.openedAt = state.openedAt
            moved.metadata = state.metadata
            return moved
        }
    }
}
