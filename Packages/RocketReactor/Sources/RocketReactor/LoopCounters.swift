public import RocketSystem
import Synchronization

/// What a loop has done since it was created. A value.
public struct LoopCounters: Hashable, Sendable {
    /// Rounds of the loop.
    public var ticks: UInt64 = 0
    /// Wakeups by other threads.
    public var wakeups: UInt64 = 0
    /// Events delivered to handlers.
    public var events: UInt64 = 0
    /// Closures and executor jobs run.
    public var tasks: UInt64 = 0
    /// Timers fired.
    public var timers: UInt64 = 0
    /// System calls that changed the interest in a descriptor.
    public var interestChanges: UInt64 = 0
    /// How long it has worked and not waited for events, in nanoseconds.
    public var workedNanoseconds: UInt64 = 0
    /// The highest number of tasks that waited at the same time.
    public var mostTasksWaiting = 0
    /// Tasks that `offer` refused because too many waited.
    public var refusedTasks: UInt64 = 0
    /// The longest duration of one callback, in nanoseconds.
    public var longestCallbackNanoseconds: UInt64 = 0
    /// Callbacks that took longer than `EventLoopConfiguration.slowCallback`.
    public var slowCallbacks: UInt64 = 0

    /// Creates counters that are all zero.
    public init() {}
}

/// When a loop last made progress, for a watchdog on another thread. A value.
public struct LoopProgress: Hashable, Sendable {
    /// When the loop last began to wait or to work.
    public let since: MonotonicTime
    /// The loop waits for events, which may take any time.
    public let isWaiting: Bool

    /// Creates a value from its parts.
    public init(since: MonotonicTime, isWaiting: Bool) {
        self.since = since
        self.isWaiting = isWaiting
    }

    /// Returns true when a callback has blocked the loop for longer than `limit`.
    public func isStuck(at now: MonotonicTime, longerThan limit: Duration) -> Bool {
        !isWaiting && now - since > limit
    }
}

/// Counters with one writer, the loop, and readers on any thread. Published once per tick.
final class PublishedCounters: Sendable {
    private let ticks = Atomic<UInt64>(0)
    private let wakeups = Atomic<UInt64>(0)
    private let events = Atomic<UInt64>(0)
    private let tasks = Atomic<UInt64>(0)
    private let timers = Atomic<UInt64>(0)
    private let interestChanges = Atomic<UInt64>(0)
    private let worked = Atomic<UInt64>(0)
    private let mostTasksWaiting = Atomic(0)
    private let refusedTasks = Atomic<UInt64>(0)
    private let longest = Atomic<UInt64>(0)
    private let slow = Atomic<UInt64>(0)
    /// Nanoseconds, its lowest bit set while the loop waits.
    private let progress = Atomic<UInt64>(1)

    func publish(_ counters: LoopCounters) {
        ticks.store(counters.ticks, ordering: .relaxed)
        wakeups.store(counters.wakeups, ordering: .relaxed)
        events.store(counters.events, ordering: .relaxed)
        tasks.store(counters.tasks, ordering: .relaxed)
        timers.store(counters.timers, ordering: .relaxed)
        interestChanges.store(counters.interestChanges, ordering: .relaxed)
        worked.store(counters.workedNanoseconds, ordering: .relaxed)
        mostTasksWaiting.store(counters.mostTasksWaiting, ordering: .relaxed)
        longest.store(counters.longestCallbackNanoseconds, ordering: .relaxed)
        slow.store(counters.slowCallbacks, ordering: .relaxed)
    }

    func read() -> LoopCounters {
        var counters = LoopCounters()
        counters.ticks = ticks.load(ordering: .relaxed)
        counters.wakeups = wakeups.load(ordering: .relaxed)
        counters.events = events.load(ordering: .relaxed)
        counters.tasks = tasks.load(ordering: .relaxed)
        counters.timers = timers.load(ordering: .relaxed)
        counters.interestChanges = interestChanges.load(ordering: .relaxed)
        counters.workedNanoseconds = worked.load(ordering: .relaxed)
        counters.mostTasksWaiting = mostTasksWaiting.load(ordering: .relaxed)
        counters.refusedTasks = refusedTasks.load(ordering: .relaxed)
        counters.longestCallbackNanoseconds = longest.load(ordering: .relaxed)
        counters.slowCallbacks = slow.load(ordering: .relaxed)
        return counters
    }

    /// Any thread: refusing does not happen on the loop.
    func countRefusal() { refusedTasks.add(1, ordering: .relaxed) }

    func markProgress(_ nanoseconds: UInt64, isWaiting: Bool) {
        progress.store(nanoseconds & ~1 | (isWaiting ? 1 : 0), ordering: .relaxed)
    }

    var lastProgress: LoopProgress {
        let value = progress.load(ordering: .relaxed)
        return LoopProgress(
            since: MonotonicTime(nanoseconds: value & ~1), isWaiting: value & 1 == 1)
    }
}
