import RocketReactor
import RocketSystem

/// The calls of a channel that may be hedged, from the first time that they are sent: when, and the
/// second attempt of a call beside that in `PendingCalls`. A value that can't be copied.
///
/// Only calls with an entry here cost anything: an `OutgoingCall` knows the index of its entry.
struct HedgedCalls: ~Copyable {
    /// An attempt that waits for a reply.
    struct Attempt {
        /// The number of its connection.
        let connection: Int
        /// Where it ends in the connection's output.
        let end: UInt64
        /// When it was sent to one of several endpoints; nil: there was one.
        let since: MonotonicTime?
    }

    struct Entry {
        /// The call's slot in the pending calls. In a free entry: -1.
        fileprivate(set) var slot = -1
        /// When the call was sent first.
        fileprivate(set) var sentAt = MonotonicTime(nanoseconds: 0)
        /// The attempt beside that of the pending calls. As long as there is one, the pending call is
        /// in the stage `sent`.
        fileprivate(set) var other: Attempt?
        /// Whether the attempt in the pending calls is a hedge.
        fileprivate(set) var isHedge = false
        fileprivate var timer: TimerID?
        fileprivate var nextFree = -1
    }

    private var entries = UniqueArray<Entry>()
    /// Negative: none.
    private var firstFree = -1
    private var timers = TimerQueue<Int32>()
    /// How many calls have two attempts.
    private(set) var twiceInFlight = 0

    /// When the next hedge is due, or an earlier time.
    var earliest: MonotonicTime? { timers.earliest }

    subscript(index: Int) -> Entry { entries[index] }

    /// Adds a call that was sent.
    ///
    /// - Parameter delay: after which it is hedged; nil: it is not.
    /// - Returns: the index of its entry, the same until that is removed.
    mutating func insert(slot: Int, sentAt now: MonotonicTime, hedgedAfter delay: Duration?) -> Int
    {
        var index = firstFree
        if index >= 0 {
            firstFree = entries[index].nextFree
        } else {
            index = entries.count
            entries.append(Entry())
        }
        entries[index] = Entry()
        entries[index].slot = slot
        entries[index].sentAt = now
        entries[index].timer = delay.map { timers.insert(at: now + $0, Int32(index)) }
        return index
    }

    /// Removes an entry.
    ///
    /// - Returns: what it was.
    mutating func remove(_ index: Int) -> Entry {
        let entry = entries[index]
        if let timer = entry.timer { timers.remove(timer) }
        if entry.other != nil { twiceInFlight -= 1 }
        entries[index] = Entry()
        entries[index].nextFree = firstFree
        firstFree = index
        if timers.isEmpty, twiceInFlight == 0, entries.count > 4096 { shrink() }
        return entry
    }

    /// Frees the memory of a burst, where no entry is in use.
    private mutating func shrink() {
        guard entries.indices.allSatisfy({ entries[$0].slot < 0 }) else { return }
        entries = UniqueArray()
        firstFree = -1
        timers = TimerQueue()
    }

    /// Returns an entry whose hedge is due, once.
    mutating func popDue(now: MonotonicTime) -> Int? {
        guard let index = timers.popExpired(now: now).map({ Int($0.payload) }) else { return nil }
        entries[index].timer = nil
        return index
    }

    /// Records that a hedge was sent.
    mutating func began(_ index: Int, _ attempt: Attempt) {
        if entries[index].other == nil { twiceInFlight += 1 }
        entries[index].other = attempt
    }

    /// Takes the other attempt away, which has ended or takes the place of that in the pending calls.
    mutating func takeOther(_ index: Int) -> Attempt? {
        guard let other = entries[index].other.take() else { return nil }
        twiceInFlight -= 1
        return other
    }

    /// The other attempt has taken the place of that in the pending calls.
    ///
    /// - Parameter attempt: the one that was there; nil: it has ended.
    mutating func swapped(_ index: Int, with attempt: Attempt?) {
        entries[index].isHedge.toggle()
        if let attempt { began(index, attempt) }
    }

    /// The call was sent again after all of its attempts had ended.
    mutating func sentAgain(_ index: Int) { entries[index].isHedge = false }

    /// The entries whose other attempt is on that connection.
    func others(on connection: Int) -> [Int] {
        if twiceInFlight == 0 { return [] }
        return entries.indices.filter { entries[$0].other?.connection == connection }
    }

    mutating func removeAll() {
        entries = UniqueArray()
        firstFree = -1
        timers = TimerQueue()
        twiceInFlight = 0
    }
}
