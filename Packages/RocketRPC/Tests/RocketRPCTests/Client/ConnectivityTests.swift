import Testing

@testable import RocketRPC

/// The state machine of a connection: one test for each state and event.
@Suite struct ConnectivityTests {
    typealias State = RPCChannelState
    typealias Event = Connectivity.Event
    typealias Action = Connectivity.Action

    struct Transition: CustomTestStringConvertible {
        let state: State
        let event: Event
        let next: State
        let action: Action
        var testDescription: String { "\(state.rawValue), \(event)" }
    }

    static let events: [Event] = [
        .wanted, .connected, .failed, .ended(worked: true), .ended(worked: false), .retired,
        .rested(wanted: true), .rested(wanted: false), .close,
    ]

    /// All that changes something; whatever is not here leaves the state and does nothing.
    static let changes: [(State, Event, State, Action)] = [
        (.idle, .wanted, .connecting, .connect),
        (.idle, .close, .closed, .nothing),
        (.connecting, .connected, .ready, .nothing),
        (.connecting, .failed, .transientFailure, .rest),
        (.connecting, .close, .closed, .disconnect),
        (.ready, .ended(worked: true), .idle, .nothing),
        (.ready, .ended(worked: false), .transientFailure, .rest),
        (.ready, .retired, .idle, .nothing),
        (.ready, .close, .closed, .disconnect),
        (.transientFailure, .rested(wanted: true), .connecting, .connect),
        (.transientFailure, .rested(wanted: false), .idle, .nothing),
        (.transientFailure, .close, .closed, .nothing),
    ]

    static let table: [Transition] = State.allCases.flatMap { state in
        events.map { event in
            let change = changes.first { $0.0 == state && $0.1 == event }
            return Transition(
                state: state, event: event, next: change?.2 ?? state,
                action: change?.3 ?? .nothing)
        }
    }

    @Test(arguments: table) func itGoesOn(_ transition: Transition) {
        var connectivity = Connectivity(state: transition.state)
        let action = connectivity.handle(transition.event)
        #expect(connectivity.state == transition.next)
        #expect(action == transition.action)
    }

    @Test func allStatesAndEventsAreThere() {
        #expect(Self.table.count == 45)
        #expect(Self.table.filter { $0.next != $0.state }.count == Self.changes.count)
    }
}
