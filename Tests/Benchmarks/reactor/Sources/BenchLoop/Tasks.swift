import CAllocationCount
import RocketReactor
import RocketSystem
import Synchronization

private actor Counting {
    let loop: EventLoop
    var jobs = 0

    init(loop: EventLoop) { self.loop = loop }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    func spin(_ count: Int) async {
        for _ in 0..<count {
            jobs += 1
            await Task.yield()
        }
    }
}

/// Measures the work of a loop without the kernel: ticks, and tasks and jobs submitted on the loop.
func measureTasks() throws {
    let loop = try EventLoop(name: "tasks")
    loop.claim()
    let count = timers

    var start = now()
    for _ in 0..<count { loop.tick(waitingAtMost: .zero) }
    report("tick_ns_with_nothing_to_do", since: start, each: count)

    @Sendable func again(_ reactor: Reactor) { reactor.loop.execute(again) }
    for _ in 0..<64 { loop.execute(again) }
    var ran = 0
    for _ in 0..<10 { loop.tick(waitingAtMost: .zero) }
    let allocations = allocation_count()
    start = now()
    while ran < count { ran += loop.tick(waitingAtMost: .zero).tasks }
    report("task_ns_sent_by_the_loop_itself", since: start, each: ran)
    report(
        "task_allocations_per_1000_ticks",
        (allocation_count() - allocations) * 1000 / UInt64(max(1, count / 1024)))

    let other = try EventLoop(name: "jobs")
    other.claim()
    let counting = Counting(loop: other)
    let task = Task(executorPreference: other) { await counting.spin(count) }
    start = now()
    ran = 0
    while ran < count { ran += other.tick(waitingAtMost: .zero).tasks }
    report("actor_job_ns", since: start, each: ran)
    withExtendedLifetime(task) {}
}
