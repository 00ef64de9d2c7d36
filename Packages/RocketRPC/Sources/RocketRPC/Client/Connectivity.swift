/// The life of one connection of a channel as a pure value: an event goes in, what to do comes
/// out. The states are those of gRPC's connectivity semantics.
///
/// ```
/// idle --wanted--> connecting --connected--> ready --ended, having worked / retired--> idle
///   ^                  |  ^                    |
///   |                failed `-rested, wanted-. | ended before a single reply
///   |                  v                     | v
///   '--- rested, not wanted ------------ transientFailure         any --close--> closed
/// ```
struct Connectivity: Hashable {
    enum Event: Hashable {
        /// A call needs it.
        case wanted
        case connected
        /// Connecting failed.
        case failed
        /// The connection ended. One that never brought a reply counts as failed: a server that
        /// accepts and closes is not connected to again and again without a rest.
        case ended(worked: Bool)
        /// The server takes no more calls on it, and a new one is to take its place.
        case retired
        /// The time after a failure is over.
        case rested(wanted: Bool)
        case close
    }

    enum Action: Hashable {
        case nothing
        case connect
        /// Report `rested` after a while.
        case rest
        case disconnect
    }

    private(set) var state = RPCChannelState.idle

    init(state: RPCChannelState = .idle) { self.state = state }

    mutating func handle(_ event: Event) -> Action {
        switch (state, event) {
        case (.closed, _): return .nothing
        case (.connecting, .close), (.ready, .close): return go(.closed, .disconnect)
        case (_, .close): return go(.closed, .nothing)
        case (.idle, .wanted), (.transientFailure, .rested(wanted: true)):
            return go(.connecting, .connect)
        case (.transientFailure, .rested(wanted: false)): return go(.idle, .nothing)
        case (.connecting, .connected): return go(.ready, .nothing)
        case (.connecting, .failed), (.ready, .ended(worked: false)):
            return go(.transientFailure, .rest)
        case (.ready, .ended(worked: true)), (.ready, .retired): return go(.idle, .nothing)
        default: return .nothing
        }
    }

    private mutating func go(_ state: RPCChannelState, _ action: Action) -> Action {
        self.state = state
        return action
    }
}
