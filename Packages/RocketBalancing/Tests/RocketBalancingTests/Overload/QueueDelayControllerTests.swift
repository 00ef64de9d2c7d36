import RocketBalancing
import RocketSystem
import Testing

@Suite("Queue delay")
struct QueueDelayControllerTests {
    /// Shows one call per millisecond of an interval.
    private func interval(
        _ controller: inout QueueDelayController, from start: Int, delays: (Int) -> Int,
        priority: CallPriority = .standard
    ) -> Int {
        (0..<100).filter {
            !controller.admits(
                delay: .milliseconds(delays($0)), priority: priority,
                now: .milliseconds(start + $0))
        }.count
    }

    @Test("A queue that is short once in an interval is not overloaded")
    func bursts() {
        var controller = QueueDelayController()
        for number in 0..<10 {
            #expect(interval(&controller, from: number * 100, delays: { $0 == 50 ? 5 : 90 }) == 0)
        }
        #expect(!controller.isOverloaded)
    }

    @Test("After an interval above the target, calls that wait for two targets are refused")
    func overload() {
        var controller = QueueDelayController()
        #expect(interval(&controller, from: 0, delays: { _ in 6 }) == 0)
        #expect(interval(&controller, from: 100, delays: { $0 % 2 == 0 ? 10 : 11 }) == 50)
        #expect(controller.isOverloaded)
        #expect(controller.refusals == 50)
        #expect(controller.expectedDelay == .milliseconds(6))
        #expect(controller.level == 0.6)
    }

    @Test("An overload lasts while refusals keep the queue short, and ends when there are none")
    func lasts() {
        var controller = QueueDelayController()
        _ = interval(&controller, from: 0, delays: { _ in 50 })
        for number in 1..<5 {
            let refused = interval(
                &controller, from: number * 100, delays: { $0 % 5 == 1 ? 50 : 1 })
            #expect(refused == 20)
        }
        #expect(interval(&controller, from: 500, delays: { _ in 1 }) == 0)
        #expect(interval(&controller, from: 600, delays: { _ in 50 }) == 0)
        #expect(!controller.isOverloaded)
    }

    @Test("With few calls in an interval the target is the interval through their number")
    func slowCalls() {
        var controller = QueueDelayController()
        var refused = 0
        for number in 0...50 {
            let now = MonotonicTime.milliseconds(number * 20)
            if !controller.admits(delay: .milliseconds(39), now: now) { refused += 1 }
        }
        #expect(controller.isOverloaded)
        #expect(refused == 0)
        #expect(controller.admits(delay: .milliseconds(41), now: .milliseconds(1_001)) == false)
    }

    @Test("Priorities wait differently long")
    func priorities() {
        for (priority, least) in [
            (CallPriority.sheddable, 6), (.standard, 11), (.critical, 21),
        ] {
            var controller = QueueDelayController()
            _ = interval(&controller, from: 0, delays: { _ in 50 })
            _ = controller.admits(delay: .milliseconds(50), now: .milliseconds(100))
            for delay in 1...30 {
                let admitted = controller.admits(
                    delay: .milliseconds(delay), priority: priority, now: .milliseconds(101))
                #expect(admitted == (delay < least))
            }
        }
        #expect(CallPriority.allCases == CallPriority.allCases.sorted())
        #expect(CallPriority(rawValue: "default") == .standard)
    }

    @Test("After a pause the first call is admitted, and the next interval is judged by its own")
    func pause() {
        var controller = QueueDelayController()
        _ = interval(&controller, from: 0, delays: { _ in 50 })
        #expect(controller.admits(delay: .milliseconds(90), now: .seconds(60)) == true)
        #expect(interval(&controller, from: 60_100, delays: { _ in 1 }) == 0)
        #expect(interval(&controller, from: 60_200, delays: { _ in 1 }) == 0)
        #expect(!controller.isOverloaded)
    }
}
