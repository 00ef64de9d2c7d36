import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Synchronization
import Testing

@Suite(.oneAtATime) struct SignalTests {
    @Test("Delivers signals as events of the loop")
    func signalsArriveAsEventsOfTheLoop() throws {
        let events = Shared<[Signal]>([])
        // A separate thread, so that the signals of the test runner are not blocked.
        let thread = try SystemThread(name: "test-signals") {
            Signals.block()
            guard let hand = try? HandDrivenLoop(),
                let source = try? hand.reactor.watchSignals(
                    [.terminate, .interrupt, .hangUp, .user1],
                    { signal, _ in events.withLock { $0.append(signal) } })
            else { return }
            // Sent to this thread only; a signalfd reads its thread's signals, too.
            for signal in [Signal.hangUp, .user1, .terminate, .interrupt] {
                Signals.raise(signal)
                hand.tick()
            }
            source.cancel()
            hand.tick()
        }
        thread.join()
        #expect(events.withLock { $0 } == [.hangUp, .user1, .terminate, .interrupt])
    }
}
