import RocketTCP

/// Where a server is in its life, and what may happen to it there. A pure value.
struct ServerLifecycle {
    enum State: Hashable {
        case notStarted
        /// Asked to run; listeners are being opened. A drain waits for them.
        case starting(drainAsked: Bool)
        case running([NetAddress])
        case draining([NetAddress])
        /// It ran, or was told to stop before it did.
        case stopped(hasRun: Bool)
    }

    enum Event: Hashable {
        /// `run()` was called.
        case run
        /// All listeners are open.
        case listening([NetAddress])
        /// A drain was asked for.
        case drain
        /// All is closed, or it could not start.
        case ended
    }

    enum Action: Hashable {
        case nothing
        /// Open the listeners.
        case start
        /// `run()` returns: there is nothing to run.
        case returnAtOnce
        /// `run()` throws: it was called before.
        case refuse
        /// Serve until a drain is asked for.
        case serve
        /// Take no more connections and calls.
        case drain
    }

    private(set) var state = State.notStarted

    mutating func handle(_ event: Event) -> Action {
        switch (state, event) {
        case (.notStarted, .run): become(.starting(drainAsked: false), .start)
        case (.notStarted, .drain): become(.stopped(hasRun: false), .nothing)
        case (.stopped(hasRun: false), .run): become(.stopped(hasRun: true), .returnAtOnce)
        case (_, .run): .refuse
        case (.starting(false), .listening(let addresses)): become(.running(addresses), .serve)
        case (.starting(true), .listening(let addresses)): become(.draining(addresses), .drain)
        case (.starting, .drain): become(.starting(drainAsked: true), .nothing)
        case (.running(let addresses), .drain): become(.draining(addresses), .drain)
        case (.draining, .drain), (.stopped, .drain): .nothing
        case (.starting, .ended), (.running, .ended), (.draining, .ended):
            become(.stopped(hasRun: true), .nothing)
        case (.notStarted, .listening), (.running, .listening), (.draining, .listening),
            (.stopped, .listening), (.notStarted, .ended), (.stopped, .ended):
            preconditionFailure("RPCServer: \(event) when \(state)")
        }
    }

    private mutating func become(_ state: State, _ action: Action) -> Action {
        self.state = state
        return action
    }

    /// Where it listens, or did until it drained.
    var addresses: [NetAddress] {
        switch state {
        case .running(let addresses), .draining(let addresses): addresses
        case .notStarted, .starting, .stopped: []
        }
    }

    /// As users see it.
    var publicState: RPCServer.State {
        switch state {
        case .notStarted, .starting: .notStarted
        case .running: .running
        case .draining: .draining
        case .stopped: .stopped
        }
    }
}
