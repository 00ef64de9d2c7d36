import RocketBalancing
import RocketSystem

/// A queue model of one server under a load that rises for a while. Calls arrive at random (Poisson),
/// their callers wait until a deadline. The clock is the simulation's.
///
/// Either the handlers compute: calls wait in the server's queue, which it observes, and a refusal
/// costs part of a call. Or they wait on a back end with a queue of its own: handlers begin at once,
/// and the server observes only how long they take.
struct ServerSimulation {
    struct Controls {
        var queueDelay = false
        var gradient = false
        var deadlines = false
    }

    struct Result {
        /// Calls that succeeded within their deadlines per second.
        var goodput: [Double] = []
        var arrivals: [Double] = []
        /// Calls of each priority that arrived, and that succeeded, under overload.
        var arrived: [CallPriority: Int] = [:]
        var succeeded: [CallPriority: Int] = [:]
        /// Of calls that succeeded under overload, sorted, in milliseconds.
        var latencies: [Double] = []
        /// The limit at the end of each second.
        var limits: [Int] = []

        func share(of priority: CallPriority) -> Double {
            Double(succeeded[priority] ?? 0) / Double(max(1, arrived[priority] ?? 0))
        }
    }

    var waitsOnBackEnd = false
    var workers = 1
    var meanService = Duration.milliseconds(1)
    var refusalCost = 0.02
    var deadline = Duration.milliseconds(100)
    /// The load before and after, and for the ten seconds from second 5 on, of the capacity.
    var baseLoad = 0.7
    var overload = 3.0
    var controls = Controls()
    /// Shares of the priorities sheddable, default; the rest is critical.
    var sheddable = 0.0
    var standard = 1.0

    var overloadSeconds = 5..<15
    var seconds = 25
    var target = Duration.milliseconds(5)

    var capacity: Double { Double(workers) * 1e9 / Double(meanService.wholeNanoseconds) }

    private struct Call {
        var arrived: UInt64
        var priority: CallPriority
        var started: UInt64 = 0
    }

    private enum Event {
        case arrival
        /// nil: a refusal.
        case done(Call?)
    }

    func run(seed: UInt64) -> Result {
        var random = SeededRandom(seed: seed)
        var codel = QueueDelayController(target: target)
        var gradient = Gradient2Limit()
        var deadlines = DeadlineRefusal()
        var events = EventQueue<Event>()
        var queue: [Call] = []
        var head = 0
        var free = workers
        var result = Result()
        result.goodput = Array(repeating: 0, count: seconds + 1)
        result.arrivals = result.goodput
        let mean = Double(meanService.wholeNanoseconds)

        func isOverload(_ time: UInt64) -> Bool {
            overloadSeconds.contains(Int(time / 1_000_000_000))
        }

        /// Starts what can start at a worker, or at the back end.
        func serve(_ time: UInt64) {
            let now = MonotonicTime(nanoseconds: time)
            while free > 0, head < queue.count {
                var call = queue[head]
                head += 1
                free -= 1
                if !waitsOnBackEnd {
                    let waited = Duration.nanoseconds(Int64(time - call.arrived))
                    let admitted =
                        (!controls.queueDelay
                            || codel.admits(delay: waited, priority: call.priority, now: now))
                        && (!controls.deadlines
                            || deadlines.admits(remaining: deadline - waited, now: now))
                    if !admitted {
                        events.add(.done(nil), at: time + UInt64(mean * refusalCost))
                        continue
                    }
                    call.started = time
                }
                events.add(.done(call), at: time + random.exponential(mean: mean))
            }
        }

        events.add(.arrival, at: 1)
        while let (time, event) = events.next() {
            let now = MonotonicTime(nanoseconds: time)
            let second = Int(time / 1_000_000_000)
            if second >= seconds { break }
            while result.limits.count < second { result.limits.append(gradient.limit) }
            switch event {
            case .arrival:
                let draw = Double(random.next() >> 11) / Double(1 << 53)
                let priority: CallPriority =
                    draw < sheddable
                    ? .sheddable : draw < sheddable + standard ? .standard : .critical
                result.arrivals[second] += 1
                if isOverload(time) { result.arrived[priority, default: 0] += 1 }
                let load = isOverload(time) ? overload : baseLoad
                events.add(
                    .arrival, at: time + random.exponential(mean: 1e9 / (capacity * load)))
                var call = Call(arrived: time, priority: priority)
                if waitsOnBackEnd {
                    call.started = time
                    if controls.deadlines, !deadlines.admits(remaining: deadline, now: now) {
                        continue
                    }
                    if controls.gradient, !gradient.begin(priority: priority) { continue }
                }
                queue.append(call)
                serve(time)
            case .done(let call):
                free += 1
                if let call {
                    let took = Duration.nanoseconds(Int64(time - call.started))
                    if controls.deadlines { deadlines.record(took, now: now) }
                    if controls.gradient, waitsOnBackEnd {
                        gradient.ended(after: took, now: now)
                    }
                    let latency = Duration.nanoseconds(Int64(time - call.arrived))
                    if latency <= deadline {
                        result.goodput[second] += 1
                        if isOverload(call.arrived) {
                            result.succeeded[call.priority, default: 0] += 1
                            result.latencies.append(Double(time - call.arrived) / 1e6)
                        }
                    }
                }
                serve(time)
            }
        }
        result.latencies.sort()
        return result
    }
}
