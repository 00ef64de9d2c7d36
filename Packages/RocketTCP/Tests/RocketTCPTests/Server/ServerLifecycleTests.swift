import RocketReactorTestKit
import Testing

@testable import RocketTCP

/// One case for each possible pair of state and event.
@Suite("ServerLifecycle") struct ServerLifecycleTests {
    typealias Event = ServerLifecycle.Event
    typealias Action = ServerLifecycle.Action
    typealias State = ServerLifecycle.State

    static let addresses = [NetAddress.loopback(port: 7)]
    static let listening = Event.listening(addresses)

    /// The events that bring a new server into each state.
    static let paths: [State: [Event]] = [
        .notStarted: [],
        .starting(drainRequested: false): [.run],
        .starting(drainRequested: true): [.run, .drain],
        .running(addresses): [.run, listening],
        .draining(addresses): [.run, listening, .drain],
        .stopped(hasRun: false): [.drain],
        .stopped(hasRun: true): [.run, listening, .drain, .ended],
    ]

    static let cases: [(State, Event, Action, State)] = [
        (.notStarted, .run, .start, .starting(drainRequested: false)),
        (.notStarted, .drain, .nothing, .stopped(hasRun: false)),
        (.starting(drainRequested: false), .run, .refuse, .starting(drainRequested: false)),
        (.starting(drainRequested: false), listening, .serve, .running(addresses)),
        (.starting(drainRequested: false), .drain, .nothing, .starting(drainRequested: true)),
        (.starting(drainRequested: false), .ended, .nothing, .stopped(hasRun: true)),
        (.starting(drainRequested: true), .run, .refuse, .starting(drainRequested: true)),
        (.starting(drainRequested: true), listening, .drain, .draining(addresses)),
        (.starting(drainRequested: true), .drain, .nothing, .starting(drainRequested: true)),
        (.starting(drainRequested: true), .ended, .nothing, .stopped(hasRun: true)),
        (.running(addresses), .run, .refuse, .running(addresses)),
        (.running(addresses), .drain, .drain, .draining(addresses)),
        (.running(addresses), .ended, .nothing, .stopped(hasRun: true)),
        (.draining(addresses), .run, .refuse, .draining(addresses)),
        (.draining(addresses), .drain, .nothing, .draining(addresses)),
        (.draining(addresses), .ended, .nothing, .stopped(hasRun: true)),
        (.stopped(hasRun: false), .run, .returnAtOnce, .stopped(hasRun: true)),
        (.stopped(hasRun: false), .drain, .nothing, .stopped(hasRun: false)),
        (.stopped(hasRun: true), .run, .refuse, .stopped(hasRun: true)),
        (.stopped(hasRun: true), .drain, .nothing, .stopped(hasRun: true)),
    ]

    func lifecycle(in state: State) throws -> ServerLifecycle {
        var lifecycle = ServerLifecycle()
        for event in try #require(Self.paths[state]) { _ = lifecycle.handle(event) }
        try #require(lifecycle.state == state)
        return lifecycle
    }

    @Test("Maps each state and event to an action and the next state", arguments: cases.indices)
    func transition(_ index: Int) throws {
        let (before, event, action, after) = Self.cases[index]
        var lifecycle = try lifecycle(in: before)
        #expect(lifecycle.handle(event) == action)
        #expect(lifecycle.state == after)
    }

    @Test("Publishes four states, and addresses in two of them")
    func publicStates() throws {
        let expected: [State: (ServerRuntime.State, [NetAddress])] = [
            .notStarted: (.notStarted, []),
            .starting(drainRequested: false): (.notStarted, []),
            .starting(drainRequested: true): (.notStarted, []),
            .running(Self.addresses): (.running, Self.addresses),
            .draining(Self.addresses): (.draining, Self.addresses),
            .stopped(hasRun: false): (.stopped, []),
            .stopped(hasRun: true): (.stopped, []),
        ]
        for (state, (publicState, addresses)) in expected {
            let lifecycle = try lifecycle(in: state)
            #expect(lifecycle.publicState == publicState)
            #expect(lifecycle.addresses == addresses)
        }
    }

    @Test("Traps on an event that is impossible in the state", .oneAtATime)
    func impossibleEvents() async {
        await #expect(processExitsWith: .failure) {
            var lifecycle = ServerLifecycle()
            _ = lifecycle.handle(.ended)
        }
    }
}
