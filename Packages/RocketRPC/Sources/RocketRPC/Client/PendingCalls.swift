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
        fileprivate var deadline = DeadlinePlace.none
    }

    /// Where the deadline of a call is kept.
    enum DeadlinePlace {
        case none
        /// In `rising`, that many places behind the first one there ever was.
        case rising(Int)
        case other(TimerID)
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
        /// In a free slot: the next free one; negative: none.
        var nextFree = -1
    }

    struct Deadline {
        let time: MonotonicTime
        /// Negative: the call has ended.
        var slot: Int32
    }

    private var slots = UniqueArray<Slot>()
    /// Negative: none.
    private var firstFree = -1
    private var index = HashIndex()
    /// Deadlines that rise, as those of calls with the same time-out do: the first is the earliest.
    /// May contain deadlines of calls that have ended, but not as the first.
    private var rising = RingBuffer<Deadline>()
    /// How many have left `rising`.
    private var passedCount = 0
    /// The deadlines that are earlier than one that was inserted before.
    private var others = TimerQueue<Int32>()
    /// How many calls are in the stage `waiting` or `parked`.
    private(set) var waitingCount = 0

    var count: Int { index.count }

    /// The earliest deadline of all calls, or an earlier time.
    var nextDeadline: MonotonicTime? {
        guard let first = rising.first?.time else { return others.earliest }
        return others.earliest.map { min(first, $0) } ?? first
    }

    /// How many deadlines are kept in `rising`, those of ended calls included.
    var risingCount: Int { rising.count }

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

    private mutating func insert(_ deadline: MonotonicTime, _ slot: Int) {
        if !rising.isEmpty, deadline < rising[rising.count - 1].time {
            let timer = others.insert(at: deadline, Int32(slot))
            slots[slot].progress.deadline = .other(timer)
            return
        }
        slots[slot].progress.deadline = .rising(passedCount + rising.count)
        rising.append(Deadline(time: deadline, slot: Int32(slot)))
    }

    /// Removes the deadline of a call that ends.
    @inline(__always)
    private mutating func removeDeadline(_ slot: Int) {
        switch slots[slot].progress.deadline {
        case .none: break
        case .rising(let number):
            rising[number - passedCount].slot = -1
            while let first = rising.first, first.slot < 0 { dropFirstRising() }
            if rising.count > 2 * index.count + 64 { compactRising() }
        case .other(let timer): others.remove(timer)
        }
    }

    private mutating func dropFirstRising() {
        _ = rising.popFirst()
        passedCount += 1
    }

    /// Drops the deadlines of calls that have ended.
    private mutating func compactRising() {
        let count = rising.count
        for _ in 0..<count {
            guard let deadline = rising.popFirst() else { break }
            if deadline.slot >= 0 { rising.append(deadline) }
        }
        passedCount += count
        for offset in 0..<rising.count {
            slots[Int(rising[offset].slot)].progress.deadline = .rising(passedCount + offset)
        }
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
        rising = RingBuffer()
        others = TimerQueue()
        index = HashIndex()
    }

    // MARK: Many

    /// Removes the call with the earliest deadline, if that is not after `now`; nil when there is
    /// none.
    mutating func removeExpired(now: MonotonicTime) -> Entry? {
        others.prune()
        let slot: Int
        if let first = rising.first, first.time <= others.earliest ?? first.time {
            if first.time > now { return nil }
            slot = Int(first.slot)
        } else {
            guard let (_, other) = others.popExpired(now: now) else { return nil }
            slot = Int(other)
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
