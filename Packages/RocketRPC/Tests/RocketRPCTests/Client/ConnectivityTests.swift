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
        .backOffEnded(wanted: true), .backOffEnded(wanted: false), .close,
    ]

    /// The transitions that change the state; every other event has no effect.
    static let changes: [(State, Event, State, Action)] = [
        (.idle, .wanted, .connecting, .connect),
        (.idle, .close, .closed, .nothing),
        (.connecting, .connected, .ready, .nothing),
        (.connecting, .failed, .transientFailure, .backOff),
        (.connecting, .close, .closed, .nothing),
        (.ready, .ended(worked: true), .idle, .nothing),
        (.ready, .ended(worked: false), .transientFailure, .backOff),
        (.ready, .retired, .idle, .nothing),
        (.ready, .close, .closed, .nothing),
        (.transientFailure, .backOffEnded(wanted: true), .connecting, .connect),
        (.transientFailure, .backOffEnded(wanted: false), .idle, .nothing),
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

    @Test("Each state handles each event as in the table", arguments: table)
    func transition(_ transition: Transition) {
        var connectivity = Connectivity(state: transition.state)
        let action = connectivity.handle(transition.event)
        #expect(connectivity.state == transition.next)
        #expect(action == transition.action)
    }

    @Test("The table contains every state and event")
    func tableIsComplete() {
        #expect(Self.table.count == 45)
        #expect(Self.table.filter { $0.next != $0.state }.count == Self.changes.count)
    }
}
