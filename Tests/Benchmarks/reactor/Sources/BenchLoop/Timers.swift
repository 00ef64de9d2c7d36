import RocketReactor
import RocketSystem

/// Measures the queue alone, also with the pattern of call deadlines.
func measureTimerQueue() throws {
    var random = Random()
    var queue = TimerQueue<Int>()
    let base = clock.monotonic()
    var ids: [TimerID] = []
    ids.reserveCapacity(timers)
    var start = now()
    for number in 0..<timers {
        ids.append(queue.insert(at: base + hours(&random), number))
    }
    report("queue_add_ns_to_1M_random", since: start, each: timers)

    start = now()
    for number in 0..<timers { queue.remove(queue.insert(at: base + .seconds(1), number)) }
    report("queue_add_cancel_ns_with_1M_waiting", since: start, each: timers)

    start = now()
    for number in stride(from: 0, to: timers, by: 2) { queue.remove(ids[number]) }
    report("queue_cancel_ns_of_1M", since: start, each: timers / 2)

    start = now()
    var fired = 0
    while queue.popExpired(now: .distantFuture) != nil { fired += 1 }
    report("queue_expire_ns_of_half_1M", since: start, each: fired)

    // A thousand calls in flight, each with its deadline, completed in order.
    var window = (0..<1_000).map { queue.insert(at: base + .microseconds($0), $0) }
    start = now()
    for number in 0..<timers {
        let slot = number % window.count
        queue.remove(window[slot])
        window[slot] = queue.insert(
            at: MonotonicTime(nanoseconds: base.nanoseconds &+ 1_000_000 &+ UInt64(number)), slot)
    }
    report("queue_deadline_ns_of_1k_in_flight", since: start, each: timers)
}

/// Checks the order of a million random deadlines, a third of them removed; not measured.
func checkOrder() {
    var random = Random()
    var queue = TimerQueue<MonotonicTime>()
    let base = clock.monotonic()
    for number in 0..<timers {
        let deadline = base + hours(&random)
        let id = queue.insert(at: deadline, deadline)
        if number % 3 == 0 { queue.remove(id) }
    }
    var last = base
    var count = 0
    while let (_, deadline) = queue.popExpired(now: .distantFuture) {
        precondition(deadline >= last, "timers come out by their deadlines")
        last = deadline
        count += 1
    }
    precondition(count == timers - (timers + 2) / 3, "no timer is lost")
}

/// Measures timers of a loop, with a handle and a closure each.
func measureTimers() throws {
    let loop = try EventLoop(name: "timers")
    loop.claim()
    var random = Random()
    loop.withReactor { reactor in
        var handles: [ScheduledTimer] = []
        handles.reserveCapacity(timers)
        var start = now()
        for _ in 0..<timers {
            handles.append(reactor.schedule(after: hours(&random)) { _ in })
        }
        report("timer_add_ns_to_1M_random", since: start, each: timers)
        start = now()
        for _ in 0..<timers { reactor.schedule(after: .seconds(1)) { _ in }.cancel() }
        report("timer_add_cancel_ns_with_1M_waiting", since: start, each: timers)
        start = now()
        for number in stride(from: 0, to: timers, by: 2) { handles[number].cancel() }
        report("timer_cancel_ns_of_1M", since: start, each: timers / 2)
        for handle in handles { handle.cancel() }
        for _ in 0..<timers {
            reactor.schedule(after: .microseconds(Int64(random.next() % 1000))) { _ in }
        }
    }
    let start = now()
    var fired = 0
    while fired < timers { fired += loop.tick(waitingAtMost: .zero).timers }
    report("timer_fire_ns_of_1M", since: start, each: timers)
}

/// Returns a random duration of one to two hours.
private func hours(_ random: inout Random) -> Duration {
    .microseconds(3_600_000_000 + Int64(random.next() % 3_600_000_000))
}
