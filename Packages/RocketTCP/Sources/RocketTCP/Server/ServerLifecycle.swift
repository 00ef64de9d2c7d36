/// The phase of a server, and what each event does in it. A pure value.
struct ServerLifecycle {
    enum State: Hashable {
        case notStarted
        /// The listeners are being opened. A drain that is requested meanwhile begins after that.
        case starting(drainRequested: Bool)
        case running([NetAddress])
        case draining([NetAddress])
        /// It has run, or a drain was requested before it did.
        case stopped(hasRun: Bool)
    }

    enum Event: Hashable {
        /// `run()` was started.
        case run
        /// All listeners are open.
        case listening([NetAddress])
        /// A drain was requested.
        case drain
        /// Everything is closed, or it could not start.
        case ended
    }

    enum Action: Hashable {
        case nothing
        /// Open the listeners.
        case start
        /// `run()` returns: there is nothing to run.
        case returnAtOnce
        /// `run()` throws: it was started before.
        case refuse
        /// Serve until a drain is requested.
        case serve
        /// Accept no more connections and let the open ones finish.
        case drain
    }

    private(set) var state = State.notStarted

    mutating func handle(_ event: Event) -> Action {
        switch (state, event) {
        case (.notStarted, .run): become(.starting(drainRequested: false), .start)
        case (.notStarted, .drain): become(.stopped(hasRun: false), .nothing)
        case (.stopped(hasRun: false), .run): become(.stopped(hasRun: true), .returnAtOnce)
        case (_, .run): .refuse
        case (.starting(false), .listening(let addresses)): become(.running(addresses), .serve)
        case (.starting(true), .listening(let addresses)): become(.draining(addresses), .drain)
        case (.starting, .drain): become(.starting(drainRequested: true), .nothing)
        case (.running(let addresses), .drain): become(.draining(addresses), .drain)
        case (.draining, .drain), (.stopped, .drain): .nothing
        case (.starting, .ended), (.running, .ended), (.draining, .ended):
            become(.stopped(hasRun: true), .nothing)
        case (.notStarted, .listening), (.running, .listening), (.draining, .listening),
            (.stopped, .listening), (.notStarted, .ended), (.stopped, .ended):
            preconditionFailure("ServerLifecycle: \(event) when \(state)")
        }
    }

    private mutating func become(_ state: State, _ action: Action) -> Action {
        self.state = state
        return action
    }

    /// The open listeners, and while it drains those that were open.
    var addresses: [NetAddress] {
        switch state {
        case .running(let addresses), .draining(let addresses): addresses
        case .notStarted, .starting, .stopped: []
        }
    }

    /// The state without its details.
    var publicState: ServerRuntime.State {
        switch state {
        case .notStarted, .starting: .notStarted
        case .running: .running
        case .draining: .draining
        case .stopped: .stopped
        }
    }
}
