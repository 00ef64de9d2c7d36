@testable import RocketTCP
import RocketSystem
import Testing

private struct Zero: RandomNumberGenerator {
    mutating func next() -> UInt64 { 0 }
}

/// One case per state and event, with the next state and the action.
@Suite struct PersistentConnectionStateTests {
    typealias State = PersistentConnectionState

    private func state(_ events: [(State.Event, seconds: Int)]) -> (State, State.Action) {
        var state = State(
            backOff: BackOff(first: .seconds(2), most: .seconds(60)), steadyAfter: .seconds(10))
        var zero = Zero()
        var action = State.Action.nothing
        for (event, seconds) in events {
            let now = MonotonicTime(nanoseconds: UInt64(seconds) * 1_000_000_000)
            action = state.handle(event, at: now, using: &zero)
        }
        return (state, action)
    }

    private func check(
        _ events: [State.Event], _ phase: State.Phase, _ action: State.Action,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let (state, last) = state(events.map { ($0, 0) })
        #expect(state.phase == phase, sourceLocation: location)
        #expect(last == action, sourceLocation: location)
    }

    private let up = State.Phase.up(since: MonotonicTime(nanoseconds: 0))
    private let others: [State.Event] = [.connected, .failed, .lost, .waited, .settled]

    @Test("New: starts or stops")
    func newState() {
        check([.start], .connecting, .connect)
        check([.stop], .stopping, .settle)
        for event in others { check([event], .new, .nothing) }
    }

    @Test("Connecting: succeeds, fails or is cancelled")
    func connectingState() {
        check([.start, .connected], up, .notifyUp)
        check([.start, .failed], .waiting, .notifyDown(retryAfter: .seconds(1)))
        check([.start, .stop], .stopping, .cancelAttempt)
        for event in [.start, .lost, .waited, .settled] as [State.Event] {
            check([.start, event], .connecting, .nothing)
        }
    }

    @Test("Up: is lost or closed")
    func upState() {
        check([.start, .connected, .lost], .waiting, .notifyDown(retryAfter: .seconds(1)))
        check([.start, .connected, .stop], .stopping, .closeConnection)
        for event in [.start, .connected, .failed, .waited, .settled] as [State.Event] {
            check([.start, .connected, event], up, .nothing)
        }
    }

    @Test("Waiting: ends in an attempt or is stopped")
    func waitingState() {
        check([.start, .failed, .waited], .connecting, .connect)
        check([.start, .failed, .stop], .stopping, .settle)
        for event in [.start, .connected, .failed, .lost, .settled] as [State.Event] {
            check([.start, .failed, event], .waiting, .nothing)
        }
    }

    @Test("Stopping: ends with what was in progress")
    func stoppingState() {
        for event in [.failed, .lost, .settled] as [State.Event] {
            check([.start, .stop, event], .stopped, .notifyStopped)
        }
        // The attempt had succeeded before it could be cancelled.
        check([.start, .stop, .connected], .stopping, .closeConnection)
        for event in [.start, .waited, .stop] as [State.Event] {
            check([.start, .stop, event], .stopping, .nothing)
        }
        for event in others + [.start, .stop] {
            check([.start, .stop, .settled, event], .stopped, .nothing)
        }
    }

    @Test("Resets the back-off only after a connection that lasted")
    func backOffReset() {
        let (brief, longer) = state([
            (.start, 0), (.failed, 0), (.waited, 0), (.connected, 0), (.lost, 9),
        ])
        #expect(longer == .notifyDown(retryAfter: .seconds(2)))
        #expect(brief.backOff.failures == 2)
        let (_, first) = state([
            (.start, 0), (.failed, 0), (.waited, 0), (.connected, 0), (.lost, 10),
        ])
        #expect(first == .notifyDown(retryAfter: .seconds(1)))
    }
}
