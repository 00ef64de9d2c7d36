import RocketTCP
import Testing

@testable import RocketRPC

/// One test for each state and event that can meet.
@Suite struct ServerLifecycleTests {
    typealias Event = ServerLifecycle.Event
    typealias Action = ServerLifecycle.Action
    typealias State = ServerLifecycle.State

    static let addresses = [NetAddress.loopback(port: 7)]
    static let listening = Event.listening(addresses)

    /// What brings a fresh server into each state.
    static let ways: [State: [Event]] = [
        .notStarted: [],
        .starting(drainAsked: false): [.run],
        .starting(drainAsked: true): [.run, .drain],
        .running(addresses): [.run, listening],
        .draining(addresses): [.run, listening, .drain],
        .stopped(hasRun: false): [.drain],
        .stopped(hasRun: true): [.run, listening, .drain, .ended],
    ]

    static let cases: [(State, Event, Action, State)] = [
        (.notStarted, .run, .start, .starting(drainAsked: false)),
        (.notStarted, .drain, .nothing, .stopped(hasRun: false)),
        (.starting(drainAsked: false), .run, .refuse, .starting(drainAsked: false)),
        (.starting(drainAsked: false), listening, .serve, .running(addresses)),
        (.starting(drainAsked: false), .drain, .nothing, .starting(drainAsked: true)),
        (.starting(drainAsked: false), .ended, .nothing, .stopped(hasRun: true)),
        (.starting(drainAsked: true), .run, .refuse, .starting(drainAsked: true)),
        (.starting(drainAsked: true), listening, .drain, .draining(addresses)),
        (.starting(drainAsked: true), .drain, .nothing, .starting(drainAsked: true)),
        (.starting(drainAsked: true), .ended, .nothing, .stopped(hasRun: true)),
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
        for event in try #require(Self.ways[state]) { _ = lifecycle.handle(event) }
        try #require(lifecycle.state == state)
        return lifecycle
    }

    @Test(arguments: cases.indices)
    func anEventHasItsActionAndItsNextState(_ index: Int) throws {
        let (before, event, action, after) = Self.cases[index]
        var lifecycle = try lifecycle(in: before)
        #expect(lifecycle.handle(event) == action)
        #expect(lifecycle.state == after)
    }

    @Test func usersSeeFourStatesAndTheAddressesOfTwo() throws {
        let expected: [State: (RPCServer.State, [NetAddress])] = [
            .notStarted: (.notStarted, []),
            .starting(drainAsked: false): (.notStarted, []),
            .starting(drainAsked: true): (.notStarted, []),
            .running(Self.addresses): (.running, Self.addresses),
            .draining(Self.addresses): (.draining, Self.addresses),
            .stopped(hasRun: false): (.stopped, []),
            .stopped(hasRun: true): (.stopped, []),
        ]
        for (state, (seen, addresses)) in expected {
            let lifecycle = try lifecycle(in: state)
            #expect(lifecycle.publicState == seen)
            #expect(lifecycle.addresses == addresses)
        }
    }

    @Test func whatOnlyABugCanBringTraps() async {
        await #expect(processExitsWith: .failure) {
            var lifecycle = ServerLifecycle()
            _ = lifecycle.handle(.ended)
        }
    }
}
