/// The life of one slot of a channel's pool as a value: an event goes in, an action comes out. The
/// states are those of gRPC's connectivity semantics.
///
/// ```
/// idle --wanted--> connecting --connected--> ready --ended(worked: true), retired--> idle
///
/// connecting --failed--------------------> transientFailure
/// ready ------ended(worked: false)-------> transientFailure
/// transientFailure --backOffEnded(wanted: true)---> connecting
/// transientFailure --backOffEnded(wanted: false)--> idle
/// every state --close--> closed
/// ```
struct Connectivity: Hashable {
    enum Event: Hashable {
        /// A call needs a connection.
        case wanted
        case connected
        /// Connecting failed.
        case failed
        /// The connection ended, or its server takes no more calls on it. One that never delivered a
        /// reply counts as failed: otherwise the channel would connect without a pause to a server
        /// that accepts and closes.
        case ended(worked: Bool)
        /// The channel sends no more calls on the connection, which is open still; a new one replaces
        /// it.
        case retired
        /// The time after a failure is over.
        case backOffEnded(wanted: Bool)
        case close
    }

    enum Action: Hashable {
        case nothing
        case connect
        /// Report `backOffEnded` after a while.
        case backOff
    }

    private(set) var state = RPCChannelState.idle

    init(state: RPCChannelState = .idle) { self.state = state }

    mutating func handle(_ event: Event) -> Action {
        switch (state, event) {
        case (.closed, _): return .nothing
        case (_, .close): return go(.closed, .nothing)
        case (.idle, .wanted), (.transientFailure, .backOffEnded(wanted: true)):
            return go(.connecting, .connect)
        case (.transientFailure, .backOffEnded(wanted: false)): return go(.idle, .nothing)
        case (.connecting, .connected): return go(.ready, .nothing)
        case (.connecting, .failed), (.ready, .ended(worked: false)):
            return go(.transientFailure, .backOff)
        case (.ready, .ended(worked: true)), (.ready, .retired): return go(.idle, .nothing)
        default: return .nothing
        }
    }

    private mutating func go(_ state: RPCChannelState, _ action: Action) -> Action {
        self.state = state
        return action
    }
}
