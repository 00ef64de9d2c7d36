public import RocketBase
@_spi(Simulation) import RocketReactor
import RocketSystem

// SAFETY: confined to the thread that creates it, which `checkThread` checks.

/// Hosts, links and faults that follow from a seed: the same seed, the same events in the same
/// order, on any machine.
///
/// One thread: the one that creates it drives all loops of all hosts, each at times of the world's
/// own clock, which jumps to the next event. docs/simulation.md begins with an
/// example.
public final class World: @unchecked Sendable {
    /// What everything in it follows from.
    public let seed: UInt64
    /// Receives the logs of all hosts.
    public let logger: RocketLogger
    /// The conditions of links between hosts that have met no other setting.
    public var defaultConditions = LinkConditions() { didSet { defaultConditions.check() } }

    let time = VirtualTime()
    let history: CallHistory
    private let thread = SystemThread.currentToken
    private var queue = EventQueue<() -> Void>()
    private var trace: Trace
    private(set) var hosts: [Host] = []
    private var paths: [UInt64: Path] = [:]
    /// Both ends of all connections, which refer to each other.
    private var ends: [SocketEnd] = []
    /// What `schedule` breaks ties with, and how long loops wait for their turn.
    private var orderRandom: SeededGenerator
    var networkRandom: SeededGenerator
    private var hostRandom: SeededGenerator
    private var violation: Violation?
    /// Events of the millisecond that began at `busySince`.
    private var busyEvents = 0
    private var busySince = VirtualTime.start
    /// Whether `run` or `close` is going on.
    private var isRunning = false
    /// When the last planned fault is over.
    var faultsEnd = VirtualTime.start
    /// Whether `close` has been called.
    var isClosed = false
    /// When it was closed or abandoned: while its memory is freed, the clock goes on.
    private var endedAt: MonotonicTime?
    private var checks: [() -> Violation?] = []
    /// What it has done so far.
    public private(set) var statistics = WorldStatistics()

    /// The most that a loop is late after what wakes it.
    static let longestSchedulingDelay = Duration.microseconds(50)
    /// More events within a millisecond are regarded as something that goes on without end.
    private static let mostBusyEvents = 300_000

    /// Creates a world without hosts, whose clock stands at its start.
    ///
    /// - Parameter traceLength: how many of the last events a failure has. At least 1; default 50.
    public init(seed: UInt64, logger: RocketLogger = .disabled, traceLength: Int = 50) {
        self.seed = seed
        trace = Trace(keeping: traceLength)
        self.logger = logger
        orderRandom = .derived(from: seed, "order")
        networkRandom = .derived(from: seed, "network")
        hostRandom = .derived(from: seed, "hosts")
        history = CallHistory()
        history.world = self
    }

    /// A generator for a scenario's own choices, independent of all others of the world.
    public func generator(_ purpose: String) -> SeededGenerator { .derived(from: seed, purpose) }

    // MARK: Hosts and links

    /// Adds a host and starts its process. Servers that it starts listen a moment later, when their
    /// loops have run.
    ///
    /// - Parameters:
    ///   - name: of no other host of the world, of which there are 250 at most.
    ///   - boot: run at each start of the process, on the world's thread: makes servers and channels,
    ///     and starts tasks.
    /// - Throws: what `boot` throws.
    @discardableResult
    public func host(_ name: String, boot: @escaping (Host) throws -> Void = { _ in }) throws
        -> Host
    {
        checkThread()
        precondition(hosts.count < 250, "a world has at most 250 hosts")
        precondition(
            !name.isEmpty && !hosts.contains { $0.name == name },
            "each host has a name of its own, not '\(name)'")
        let index = UInt64(hosts.count + 1)
        let clock = HostTime(
            time, monotonicOffset: .random(in: 0...1_000_000_000_000, using: &hostRandom),
            wallOffset: .random(in: -1_000_000_000...1_000_000_000, using: &hostRandom))
        let host = Host(name, index: index, of: self, time: clock, boot: boot)
        hosts.append(host)
        try host.start()
        return host
    }

    /// Sets the conditions of the links between two hosts, in both directions.
    public func link(_ a: Host, _ b: Host, _ conditions: LinkConditions) {
        checkThread()
        conditions.check()
        checkOwn(a)
        checkOwn(b)
        path(from: a, to: b).conditions = conditions
        path(from: b, to: a).conditions = conditions
    }

    func checkOwn(_ host: Host) {
        precondition(host.world === self, "\(host.name) is a host of another world")
    }

    func host(of address: SocketAddress) -> Host? {
        guard case .ipv4(let bits, _) = address, bits >> 24 == 10 else { return nil }
        let index = Int(bits & 0xFF_FFFF)
        return hosts.indices.contains(index - 1) ? hosts[index - 1] : nil
    }

    func path(from: Host, to: Host) -> Path {
        let key = from.index << 32 | to.index
        if let found = paths[key] { return found }
        let made = Path(self, defaultConditions)
        paths[key] = made
        return made
    }

    /// Frees what killed processes have left. No other process is left.
    func freeDeadProcesses() {
        endedAt = endedAt ?? now
        for host in hosts { host.freeDeadProcesses() }
    }

    func connected(_ a: SocketEnd, _ b: SocketEnd) { ends += [a, b] }

    /// The host has its power again.
    func powered(_ host: Host) {
        for end in ends where end.peer?.host === host { end.peerRestarted() }
    }

    /// Releases everything that refers to each other or to this world. Its last step: a world that
    /// was neither closed nor abandoned stays in memory.
    func release() {
        for end in ends { end.release() }
        ends = []
        for host in hosts { host.disk.cancelStop() }
        hosts = []
        paths = [:]
        checks = []
        queue = EventQueue()
        trace.forgetTexts()
        history.forget()
    }

    // MARK: Time and events

    /// The virtual time since the world began.
    public var elapsed: Duration { (endedAt ?? time.now) - VirtualTime.start }

    var now: MonotonicTime { time.now }

    func checkThread() {
        precondition(
            SystemThread.currentToken == thread,
            "a world is used on the thread that created it, in a synchronous function: did a task run "
                + "on Swift's own pool? In a world, use async let and task groups, not Task { }, "
                + "Task.detached or @MainActor, and host.sleep, not Task.sleep")
    }

    /// Runs `action` on the world's thread when `delay` has passed.
    public func schedule(after delay: Duration, _ action: @escaping () -> Void) {
        schedule(at: now + delay, action)
    }

    func schedule(at time: MonotonicTime, _ action: @escaping () -> Void) {
        checkThread()
        queue.insert(action, at: max(time, now), tie: orderRandom.next())
    }

    func schedulingDelay() -> Duration {
        orderRandom.duration(in: .microseconds(1)...Self.longestSchedulingDelay)
    }

    /// The seed of a loop's own generator.
    func loopSeed() -> UInt64 { hostRandom.next() }

    // MARK: Running

    /// Runs the world until so much virtual time has passed.
    ///
    /// - Parameter duration: zero or more.
    /// - Throws: `SimulationFailure` at the first violation.
    public func run(for duration: Duration) throws {
        precondition(duration >= .zero, "a world does not run backwards: \(duration)")
        try run(until: now + duration) { false }
    }

    /// Runs the world until `condition` holds, which is evaluated after each event.
    ///
    /// - Throws: `SimulationFailure` at the first violation, and when `limit` has passed.
    public func run(atMost limit: Duration, until condition: () -> Bool) throws {
        if condition() { return }
        if try !run(until: now + limit, condition) {
            violated(.liveness, "nothing had happened \(seconds(limit)) s later that should have")
            try check()
        }
    }

    @discardableResult
    private func run(until end: MonotonicTime, _ condition: () -> Bool) throws -> Bool {
        checkThread()
        precondition(
            !isRunning,
            "run and close are called by the test, not inside a task, a handler, an action")
        isRunning = true
        defer { isRunning = false }
        try check()
        while let next = queue.nextTime, next <= end {
            if next > now + Self.longestSchedulingDelay { try timeAdvances() }
            guard let (time, action) = queue.popFirst() else { break }
            self.time.advance(to: time)
            countEvent()
            action()
            try check()
            if condition() { return true }
        }
        time.advance(to: end)
        checkAlways()
        try check()
        return false
    }

    /// Checked before the clock moves on by more than loops may be late: what was to happen has
    /// happened.
    private func timeAdvances() throws {
        for host in hosts {
            for loop in host.process?.loops ?? [] where !loop.hasEnded {
                if loop.loop.hasWaitingTasks, !loop.isWoken {
                    violated(
                        .lostWakeup, "\(host.name): \(loop.name) sleeps while a task waits")
                }
            }
        }
        try check()
    }

    func ticked(_ loop: HostLoop, _ result: TickResult) {
        statistics.ticks += 1
        if result.isIdle { return }
        record(
            "tick", loop.process.host.index, UInt64(loop.index), UInt64(result.events),
            UInt64(result.timers), UInt64(result.tasks)
        ) {
            "\(loop.name): tick: \(result.events) events, \(result.timers) timers, "
                + "\(result.tasks) tasks"
        }
        for rules in loop.process.rules {
            if let violation = rules.violation() { violated(violation.rule, violation.text) }
        }
        checkAlways()
    }

    private func countEvent() {
        if now - busySince > .milliseconds(1) { (busySince, busyEvents) = (now, 0) }
        busyEvents += 1
        if busyEvents > Self.mostBusyEvents {
            violated(
                .spinning,
                "\(Self.mostBusyEvents) events within a millisecond: does something repeat itself "
                    + "without any delay?")
        }
    }

    /// Evaluates the rules of `always`.
    func checkAlways() {
        for check in checks {
            if let violation = check() { violated(violation.rule, violation.text) }
        }
    }

    // MARK: Observation

    /// The hash of everything that has happened: equal for two worlds that went the same way.
    public var traceHash: UInt64 { trace.hash.value }

    /// Adds an event to the trace and its hash.
    ///
    /// - Parameters:
    ///   - kind: what has happened.
    ///   - numbers: what distinguishes it from others of its kind.
    ///   - text: evaluated only if the trace is printed.
    public func record(
        _ kind: StaticString, _ numbers: UInt64..., text: @escaping () -> String
    ) {
        trace.record(at: now, kind, numbers, text: text)
    }

    func received(_ segment: Segment, by socket: SocketEnd) {
        let kind: UInt64 =
            switch segment {
            case .established: 1
            case .bytes: 2
            case .end: 3
            case .reset: 4
            }
        statistics.segments += 1
        let count = UInt64(segment.byteCount)
        record("segment", kind, socket.host.index, count) {
            "\(socket.incoming): \(["", "connected", "\(count) bytes", "end", "reset"][Int(kind)])"
        }
    }

    /// Adds a rule that is checked after each tick in which something has happened, at the end of each
    /// `run`, and by `close`.
    public func always(_ rule: Violation.Rule, _ check: @escaping () -> String?) {
        checkThread()
        checks.append { check().map { Violation(rule: rule, text: $0) } }
    }

    /// Reports that a rule is broken: the run that is going on throws it. Only the first one counts.
    public func violated(_ rule: Violation.Rule, _ text: String) {
        checkThread()
        if violation == nil { violation = Violation(rule: rule, text: text) }
    }

    func check() throws {
        if let violation { throw failure(violation) }
    }

    func failure(_ violation: Violation) -> SimulationFailure {
        SimulationFailure(
            seed: seed, violation: violation, elapsed: elapsed,
            trace: trace.lines(since: VirtualTime.start))
    }

    func count(_ change: (inout WorldStatistics) -> Void) { change(&statistics) }

    /// Adds to a counter of the scenario's own: what it has done, for its test and for reports.
    public func count(_ name: String, by number: Int = 1) {
        statistics.counts[name, default: 0] += number
    }

    // MARK: Chances of the network

    /// How many bytes of those possible a system call transfers.
    func shortened(_ count: Int, on path: Path?) -> Int {
        guard let path, count > 1, networkRandom.chance(path.conditions.shortCalls) else {
            return count
        }
        return Int.random(in: 1...count, using: &networkRandom)
    }

    /// The size of the next segment.
    func split(_ most: Int, on path: Path) -> Int {
        path.conditions.splitsAnywhere ? Int.random(in: 1...most, using: &networkRandom) : most
    }
}

/// What a world has done. A value.
public struct WorldStatistics: Sendable {
    /// Ticks of loops.
    public var ticks = 0
    /// Segments that have arrived.
    public var segments = 0
    /// Calls that have ended, made by channels of hosts.
    public var calls = 0
    /// Those of them that had a response.
    public var succeeded = 0
    /// Faults that have begun, by kind.
    public var faults: [String: Int] = [:]
    /// The counters of the scenario, by name.
    public var counts: [String: Int] = [:]
}
