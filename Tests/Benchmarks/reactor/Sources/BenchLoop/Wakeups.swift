import RocketReactor
import RocketSystem
import Synchronization

/// Measures the time from `execute` on one processor to the task on another, with a sleeping loop.
func measureWakeups() throws {
    let thread = try IOThread(name: "bench-loop", cpu: 0)
    let samples = Samples(loop: thread.loop)
    try SystemThread(name: "bench-sender", cpu: 1) { samples.take() }.join()
    thread.stop()
    thread.join()
}

private final class Samples: Sendable {
    let loop: EventLoop
    private let sent = Atomic<UInt64>(0)
    private let seen = Atomic<UInt64>(0)

    init(loop: EventLoop) { self.loop = loop }

    func take() {
        var latencies: [UInt64] = []
        for _ in 0..<20_000 {
            let until = now() + 20_000  // the loop goes to sleep
            while now() < until {}
            seen.store(0, ordering: .relaxed)
            sent.store(now(), ordering: .releasing)
            loop.execute { _ in
                let arrived = now()
                self.seen.store(
                    arrived - self.sent.load(ordering: .acquiring), ordering: .releasing)
            }
            var latency: UInt64 = 0
            while latency == 0 { latency = seen.load(ordering: .acquiring) }
            latencies.append(latency)
        }
        latencies.sort()
        report("wakeup_to_run_ns_p50", latencies[latencies.count / 2])
        report("wakeup_to_run_ns_p99", latencies[latencies.count / 100 * 99])
        report("wakeup_to_run_ns_p99.9", latencies[latencies.count / 1000 * 999])
    }
}
