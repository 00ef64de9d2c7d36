import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Synchronization
import Testing

@Suite(.oneAtATime) struct SignalTests {
    @Test func signalsArriveAsEventsOfTheLoop() throws {
        let heard = Shared<[Signal]>([])
        // A thread of its own: blocking signals would change the test runner's.
        let thread = try SystemThread(name: "test-signals") {
            Signals.block()
            guard let hand = try? HandDrivenLoop(),
                let source = try? hand.reactor.watchSignals(
                    [.terminate, .interrupt, .hangUp, .user1],
                    { signal, _ in heard.withLock { $0.append(signal) } })
            else { return }
            // Sent to this thread alone; a signalfd reads its own thread's signals too.
            for signal in [Signal.hangUp, .user1, .terminate, .interrupt] {
                Signals.raise(signal)
                hand.tick()
            }
            source.cancel()
            hand.tick()
        }
        thread.join()
        #expect(heard.withLock { $0 } == [.hangUp, .user1, .terminate, .interrupt])
    }
}
