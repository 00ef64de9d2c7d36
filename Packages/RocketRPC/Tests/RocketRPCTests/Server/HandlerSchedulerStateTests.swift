import RocketBaseTestKit
import Testing

@testable import RocketRPC

@Suite("Handler scheduler's state")
struct HandlerSchedulerStateTests {
    typealias State = HandlerSchedulerState
    typealias Event = HandlerSchedulerState.Event

    static let events: [Event] = [
        .inputReady, .taskRuns, .activeSuspended, .outOfWork, .taskEnded(hasReady: false),
        .taskEnded(hasReady: true), .tickEnded(hasReady: false), .tickEnded(hasReady: true), .stop,
    ]

    /// The state after these events.
    static func state(parks: Bool = true, _ events: Event...) -> State {
        var state = State(parks: parks)
        for event in events { _ = state.handle(event) }
        return state
    }

    /// Each phase, with and without an active task where both occur.
    static let idle = state()
    static let starting = state(.inputReady)
    static let active = state(.inputReady, .taskRuns)
    static let activeSuspended = state(.inputReady, .taskRuns, .activeSuspended)
    static let stopped = state(.stop)
    static let stoppedWithActive = state(.stop, .inputReady)

    @Test(
        "Each event in each phase leads to its phase and actions",
        arguments: [
            (idle, .inputReady, .starting, [.startTask, .observeTickEnd]),
            (idle, .taskRuns, .active, .observeTickEnd),
            (idle, .activeSuspended, .idle, []),
            (idle, .tickEnded(hasReady: false), .idle, []),
            (idle, .tickEnded(hasReady: true), .starting, [.startTask, .observeTickEnd]),
            (idle, .stop, .stopped, .endAll),
            (starting, .inputReady, .starting, []),
            (starting, .taskRuns, .active, []),
            (starting, .tickEnded(hasReady: true), .starting, .observeTickEnd),
            (starting, .tickEnded(hasReady: false), .starting, .observeTickEnd),
            (starting, .stop, .stopped, .endAll),
            (active, .inputReady, .active, []),
            (active, .taskRuns, .active, .suspendActive),
            (active, .activeSuspended, .active, .suspendActive),
            (active, .outOfWork, .idle, .park),
            (active, .taskEnded(hasReady: false), .idle, []),
            (active, .taskEnded(hasReady: true), .starting, .startTask),
            (active, .tickEnded(hasReady: false), .idle, .suspendActive),
            (
                active, .tickEnded(hasReady: true), .starting,
                [.suspendActive, .startTask, .observeTickEnd]
            ),
            (active, .stop, .stopped, [.suspendActive, .endAll]),
            (activeSuspended, .taskRuns, .active, []),
            (
                activeSuspended, .tickEnded(hasReady: true), .starting,
                [.startTask, .observeTickEnd]
            ),
            (activeSuspended, .stop, .stopped, .endAll),
            (stopped, .inputReady, .stopped, []),
            (stopped, .taskRuns, .stopped, .endTask),
            (stopped, .activeSuspended, .stopped, []),
            (stopped, .outOfWork, .stopped, .endTask),
            (stopped, .taskEnded(hasReady: true), .stopped, []),
            (stopped, .tickEnded(hasReady: true), .stopped, []),
            (stopped, .stop, .stopped, []),
        ] as [(State, Event, State.Phase, State.Actions)])
    func transitions(
        _ before: State, _ event: Event, _ phase: State.Phase, _ actions: State.Actions
    ) {
        var state = before
        #expect(state.handle(event) == actions)
        #expect(state.phase == phase)
    }

    @Test("A task without work ends if tasks are not parked")
    func noParking() {
        var state = Self.state(parks: false, .inputReady, .taskRuns)
        #expect(state.handle(.outOfWork) == .endTask)
        #expect(state.parked == 0)
    }

    @Test("A stopped scheduler never starts a task", arguments: events, events)
    func stoppedForGood(_ first: Event, _ second: Event) {
        for var state in [Self.stopped, Self.state(.inputReady, .taskRuns, .stop)] {
            for event in [first, second, .tickEnded(hasReady: true)] {
                let actions = state.handle(event)
                #expect(actions.isDisjoint(with: [.startTask, .park, .observeTickEnd]))
                #expect(state.phase == .stopped)
            }
        }
    }

    /// Simulates the scheduler and its tasks with random events.
    struct Model {
        var state = State()
        var ready = 0
        var starting = 0
        var active = false
        var suspended = 0
        var parked = 0
        var observes = false

        mutating func apply(_ actions: State.Actions) {
            if actions.contains(.suspendActive) {
                #expect(active)
                active = false
                suspended += 1
            }
            if actions.contains(.observeTickEnd) {
                #expect(!observes)
                observes = true
            }
            if actions.contains(.startTask) {
                if parked > 0 {
                    parked -= 1
                    state.resumedParked()
                }
                starting += 1
            }
        }
    }

    @Test(
        "Every waiting frame has a task that will take it, and at most one task is active",
        arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func randomRuns(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        var model = Model()
        for _ in 0..<5_000 {
            switch random.next() % 6 {
            case 0:
                model.ready += 1
                model.apply(model.state.handle(.inputReady))
            case 1 where model.starting > 0:
                model.starting -= 1
                model.apply(model.state.handle(.taskRuns))
                #expect(!model.active)
                model.active = true
            case 2 where model.suspended > 0:
                // A suspended handler returns.
                model.suspended -= 1
                model.apply(model.state.handle(.taskRuns))
                #expect(!model.active)
                model.active = true
            case 3 where model.active && model.ready > 0:
                model.ready -= 1
            case 4 where model.active && model.ready == 0:
                model.active = false
                let actions = model.state.handle(.outOfWork)
                #expect(actions == .park)
                model.parked += 1
            case 5 where model.observes:
                model.observes = false
                model.apply(model.state.handle(.tickEnded(hasReady: model.ready > 0)))
            default: break
            }
            #expect(model.state.hasActive == model.active)
            #expect(model.state.parked == model.parked)
            if model.ready > 0 {
                // A task takes the frames, has been started, or is started at the tick's end.
                #expect(model.active || model.starting > 0 || model.observes)
            }
            if model.active { #expect(model.observes || model.ready == 0) }
        }
    }

    @Test("Parked tasks that were unused for an interval end, except a few")
    func trimming() {
        var state = State()
        func park(_ count: Int) {
            for _ in 0..<count {
                _ = state.handle(.taskRuns)
                _ = state.handle(.outOfWork)
            }
        }
        park(100)
        // No task was parked in the first interval.
        #expect(state.needsTrim && state.trim() == 0)
        for _ in 0..<10 { state.resumedParked() }
        park(10)
        #expect(state.trim() == 90)
        #expect(state.parked == 10)
        #expect(state.trim() == 10 - State.keptParked)
        #expect(state.trim() == 0 && !state.needsTrim)
        #expect(state.parked == State.keptParked)
    }
}
