import RocketReactor
import RocketSystem

/// The calls of a channel that have not ended: found by the bytes of their ids, and by their
/// deadlines. A value that can't be copied; a copyable one would count references with each access.
///
/// `remove` is the only way out, and hands the call to exactly one caller. So each call ends once:
/// by reply, deadline, cancellation or close, whichever comes first.
struct PendingCalls<Call>: ~Copyable {
    /// How far a call has come.
    enum Stage: Hashable {
        /// Waits for a connection, or for room on one.
        case waiting
        /// Waits until the peer of that connection has told how much metadata it takes.
        case parked(on: Int)
        /// Was written to that connection, in whose output it ends at byte `end`.
        case sent(on: Int, end: UInt64)
        /// Is sent again when its back-off has ended.
        case backingOff

        fileprivate var isWaiting: Bool {
            switch self {
            case .waiting, .parked: true
            case .sent, .backingOff: false
            }
        }
    }

    struct Progress {
        fileprivate(set) var stage = Stage.waiting
        /// How many times the call was sent.
        fileprivate(set) var attempts = 0
        /// The connection that it was sent on last.
        fileprivate(set) var lastConnection: Int?
        /// When it was sent to one of several endpoints; zero: it was not.
        fileprivate var balancedSince = MonotonicTime(nanoseconds: 0)
    }

    /// The deadline of a call, and where it is kept.
    struct Deadline {
        enum Place {
            case none, list
            case queue(TimerID)
        }

        var time = MonotonicTime.distantFuture
        var place = Place.none
        /// In the list: the slots of the deadlines before and behind it; negative: none.
        var previous: Int32 = -1
        var next: Int32 = -1
    }

    struct Entry {
        let call: Call
        let progress: Progress

        var stage: Stage { progress.stage }
        var attempts: Int { progress.attempts }
        var lastConnection: Int? { progress.lastConnection }
        var balancedSince: MonotonicTime? {
            progress.balancedSince.nanoseconds == 0 ? nil : progress.balancedSince
        }
    }

    // Not private: see `HashIndex.Bucket`.
    struct Slot {
        /// nil: the slot is free.
        var call: Call?
        var id = CallID.empty
        var progress = Progress()
        var deadline = Deadline()
        /// In a free slot: the next free one; negative: none.
        var nextFree = -1
    }

    private var slots = UniqueArray<Slot>()
    /// Negative: none.
    private var firstFree = -1
    private var index = HashIndex()
    /// The list of deadlines in the order of time, linked through the slots: its ends; negative: it is
    /// empty. As calls have the same time-out nearly always, a new one belongs near to the end.
    private var first: Int32 = -1
    private var last: Int32 = -1
    /// The deadlines that belong further from the end of the list.
    private var queue = TimerQueue<Int32>()
    /// How many calls are in the stage `waiting` or `parked`.
    private(set) var waitingCount = 0

    var count: Int { index.count }

    /// The earliest deadline of all calls, or an earlier time.
    var nextDeadline: MonotonicTime? {
        if first < 0 { return queue.earliest }
        let time = slots[Int(first)].deadline.time
        return queue.earliest.map { min(time, $0) } ?? time
    }

    /// How many deadlines are in the queue.
    var queuedCount: Int { queue.count }

    /// Adds a call, in the stage `waiting`.
    ///
    /// - Returns: its slot, the same until the call is removed; nil, and no change, where there is
    ///   a call with that id.
    mutating func insert(_ call: Call, id: CallID, deadline: MonotonicTime?) -> Int? {
        guard find(id) == nil else { return nil }
        let slot = freeSlot()
        slots[slot].call = call
        slots[slot].id = id
        slots[slot].progress = Progress()
        if let deadline { insert(deadline, slot) }
        index.insert(id.hash, slot)
        waitingCount += 1
        return slot
    }

    /// How many deadlines are passed on the way to the place of a new one, at most.
    static var longestSearch: Int { 16 }

    private mutating func insert(_ time: MonotonicTime, _ slot: Int) {
        var previous = last
        var passed = 0
        while previous >= 0, slots[Int(previous)].deadline.time > time {
            if passed == Self.longestSearch {
                let timer = queue.insert(at: time, Int32(slot))
                slots[slot].deadline.place = .queue(timer)
                return
            }
            passed += 1
            previous = slots[Int(previous)].deadline.previous
        }
        let next = previous < 0 ? first : slots[Int(previous)].deadline.next
        slots[slot].deadline = Deadline(time: time, place: .list, previous: previous, next: next)
        link(previous, Int32(slot))
        link(Int32(slot), next)
    }

    /// Makes two slots neighbours in the list; negative: the end of the list.
    @inline(__always)
    private mutating func link(_ previous: Int32, _ next: Int32) {
        if previous < 0 { first = next } else { slots[Int(previous)].deadline.next = next }
        if next < 0 { last = previous } else { slots[Int(next)].deadline.previous = previous }
    }

    /// Removes the deadline of a call that ends.
    @inline(__always)
    private mutating func removeDeadline(_ slot: Int) {
        switch slots[slot].deadline.place {
        case .none: return
        case .list: link(slots[slot].deadline.previous, slots[slot].deadline.next)
        case .queue(let timer): queue.remove(timer)
        }
        slots[slot].deadline.place = .none
    }

    private mutating func freeSlot() -> Int {
        let free = firstFree
        if free >= 0 {
            firstFree = slots[free].nextFree
            return free
        }
        slots.append(Slot())
        return slots.count - 1
    }

    /// The slot of the call with that id.
    func find(_ id: CallID) -> Int? { index.find(id.hash) { slots[$0].id == id } }

    /// The slot of the call whose id has these bytes.
    ///
    /// - Parameter hash: that of `CallIDSource.hash(of:)`.
    func find(_ bytes: RawSpan, _ hash: UInt64) -> Int? {
        index.find(hash) { slots[$0].id.matches(bytes) }
    }

    /// The slot of the call whose id has these bytes, if it was last sent on that connection.
    ///
    /// - Parameter hash: that of `CallIDSource.hash(of:)`.
    func find(_ bytes: RawSpan, _ hash: UInt64, sentOn connection: Int) -> Int? {
        guard let slot = index.find(hash, where: { slots[$0].id.matches(bytes) }),
            case .sent(connection, _) = slots[slot].progress.stage
        else { return nil }
        return slot
    }

    /// The call in that slot; nil where the slot is free.
    subscript(slot: Int) -> Entry? {
        guard slots.indices.contains(slot), let call = slots[slot].call else { return nil }
        return Entry(call: call, progress: slots[slot].progress)
    }

    /// Whether the call with that id is in the stage `waiting` or `parked`.
    func isWaiting(_ id: CallID) -> Bool {
        find(id).map { slots[$0].progress.stage.isWaiting } ?? false
    }

    func id(in slot: Int) -> CallID { slots[slot].id }

    /// Changes the stage of the call in that slot.
    mutating func move(_ slot: Int, to stage: Stage) {
        if slots[slot].progress.stage.isWaiting { waitingCount -= 1 }
        if stage.isWaiting { waitingCount += 1 }
        slots[slot].progress.stage = stage
        if case .sent(let connection, _) = stage {
            slots[slot].progress.attempts += 1
            slots[slot].progress.lastConnection = connection
        }
    }

    /// Puts another attempt in the place of the one that was sent, where both have been counted.
    mutating func replaceAttempt(_ slot: Int, on connection: Int, end: UInt64) {
        slots[slot].progress.stage = .sent(on: connection, end: end)
        slots[slot].progress.lastConnection = connection
    }

    /// When the call in that slot was sent to one of several endpoints; nil: it was not.
    func balancedSince(_ slot: Int) -> MonotonicTime? {
        let time = slots[slot].progress.balancedSince
        return time.nanoseconds == 0 ? nil : time
    }

    /// Records that the call in that slot was sent to one of several endpoints; nil: that its attempt
    /// has ended.
    mutating func balanced(_ slot: Int, since time: MonotonicTime?) {
        slots[slot].progress.balancedSince = time ?? MonotonicTime(nanoseconds: 0)
    }

    /// Counts an attempt that failed before the call was sent.
    mutating func countAttempt(of slot: Int) { slots[slot].progress.attempts += 1 }

    /// Removes the call in that slot; nil where the slot is free.
    mutating func remove(_ slot: Int) -> Call? {
        guard let call = slots[slot].call.take() else { return nil }
        if slots[slot].progress.stage.isWaiting { waitingCount -= 1 }
        index.remove(slots[slot].id.hash, slot)
        removeDeadline(slot)
        slots[slot].nextFree = firstFree
        firstFree = slot
        if index.count == 0, slots.count > 4096 { shrink() }
        return call
    }

    /// Frees the memory of a burst.
    private mutating func shrink() {
        slots = UniqueArray()
        firstFree = -1
        queue = TimerQueue()
        index = HashIndex()
    }

    // MARK: Many

    /// Removes the call with the earliest deadline, if that is not after `now`; nil when there is
    /// none.
    mutating func removeExpired(now: MonotonicTime) -> Entry? {
        queue.prune()
        var slot = Int(first)
        if slot < 0 || slots[slot].deadline.time > queue.earliest ?? .distantFuture {
            guard let (_, queued) = queue.popExpired(now: now) else { return nil }
            slot = Int(queued)
        } else if slots[slot].deadline.time > now {
            return nil
        }
        guard let entry = self[slot], remove(slot) != nil else { return nil }
        return entry
    }

    mutating func removeAll() -> [Call] {
        // Collected first, since the last removal may replace the slots.
        let occupied = slots.indices.filter { slots[$0].call != nil }
        return occupied.compactMap { remove($0) }
    }

    /// The slots of the calls that were sent on that connection, in the order of sending.
    func sent(on connection: Int) -> [(slot: Int, end: UInt64)] {
        var found: [(slot: Int, end: UInt64)] = []
        for slot in slots.indices where slots[slot].call != nil {
            if case .sent(connection, let end) = slots[slot].progress.stage {
                found.append((slot, end))
            }
        }
        return found.sorted { $0.end < $1.end }
    }
}
