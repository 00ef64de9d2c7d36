import RocketReactor
import RocketSystem

/// The calls of a channel that wait, for a connection, a reply or another attempt: by the bytes of
/// their ids, and by their deadlines. A pure value, not copied: a copy of it would count references
/// with every look at it.
///
/// A call leaves it by `remove` alone, which hands it to exactly one caller: so a call that is in
/// here is answered once, by reply, deadline, cancellation or close, whichever comes first.
struct PendingCalls<Call>: ~Copyable {
    /// Where a call stands.
    enum Place: Hashable {
        /// No connection has it.
        case waiting
        /// It was written to that connection, whose first `end` bytes hold it.
        case sent(on: Int, end: UInt64)
        /// It is tried again when its rest is over.
        case resting
    }

    /// How far a call has come.
    struct Progress {
        fileprivate(set) var place = Place.waiting
        /// How often it was sent.
        fileprivate(set) var attempts = 0
        /// The connection that it was last sent on.
        fileprivate(set) var lastConnection: Int?
        fileprivate var timer: TimerID?
    }

    struct Entry {
        let call: Call
        let progress: Progress

        var place: Place { progress.place }
        var attempts: Int { progress.attempts }
        var lastConnection: Int? { progress.lastConnection }
    }

    // Not private: see `HashIndex.Bucket`.
    struct Slot {
        /// nil: it is free.
        var call: Call?
        var id = CallID.empty
        var progress = Progress()
        /// Of a free one; negative: there is no other.
        var nextFree = -1
    }

    private var slots = UniqueArray<Slot>()
    /// Negative: there is none.
    private var firstFree = -1
    private var table = HashIndex()
    private var deadlines = TimerQueue<Int32>()
    /// Calls that wait for a connection.
    private(set) var waitingCount = 0

    var count: Int { table.count }

    /// The earliest deadline of all, or one before it.
    var nextDeadline: MonotonicTime? { deadlines.earliest }

    /// Takes a call in; it waits for a connection.
    ///
    /// - Returns: its slot, which is its own until it leaves; nil where a call of that id waits
    ///   already: nothing has changed then.
    mutating func insert(_ call: Call, id: CallID, deadline: MonotonicTime?) -> Int? {
        guard find(id) == nil else { return nil }
        let slot = freeSlot()
        let timer = deadline.map { deadlines.insert(at: $0, Int32(slot)) }
        slots[slot].call = call
        slots[slot].id = id
        slots[slot].progress = Progress(timer: timer)
        table.insert(id.hash, slot)
        waitingCount += 1
        return slot
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

    /// Where the call of that id is.
    func find(_ id: CallID) -> Int? { table.find(id.hash) { slots[$0].id == id } }

    /// The same by the id's bytes, only if it was sent on that connection and no other since.
    ///
    /// - Parameter hash: as `CallID.hash(of:)` says.
    func find(_ bytes: RawSpan, _ hash: UInt64, sentOn connection: Int) -> Int? {
        guard let slot = table.find(hash, where: { slots[$0].id.has(bytes) }),
            case .sent(connection, _) = slots[slot].progress.place
        else { return nil }
        return slot
    }

    /// The call in that slot, which stays; nil where there is none.
    subscript(slot: Int) -> Entry? {
        guard slots.indices.contains(slot), let call = slots[slot].call else { return nil }
        return Entry(call: call, progress: slots[slot].progress)
    }

    /// Whether a call of that id waits for a connection.
    func isWaiting(_ id: CallID) -> Bool {
        find(id).map { slots[$0].progress.place == .waiting } ?? false
    }

    func id(in slot: Int) -> CallID { slots[slot].id }

    /// The call in that slot stands somewhere else from now on.
    mutating func move(_ slot: Int, to place: Place) {
        if isWaiting(slot) { waitingCount -= 1 }
        if case .waiting = place { waitingCount += 1 }
        slots[slot].progress.place = place
        if case .sent(let connection, _) = place {
            slots[slot].progress.attempts += 1
            slots[slot].progress.lastConnection = connection
        }
    }

    private func isWaiting(_ slot: Int) -> Bool {
        if case .waiting = slots[slot].progress.place { true } else { false }
    }

    /// An attempt of the call in that slot came to nothing before it was sent.
    mutating func countAttempt(of slot: Int) { slots[slot].progress.attempts += 1 }

    /// The one way out.
    mutating func remove(_ slot: Int) -> Call? {
        guard let call = slots[slot].call.take() else { return nil }
        if isWaiting(slot) { waitingCount -= 1 }
        table.remove(slots[slot].id.hash, slot)
        if let timer = slots[slot].progress.timer { _ = deadlines.remove(timer) }
        slots[slot].nextFree = firstFree
        firstFree = slot
        if table.count == 0, slots.count > 4096 { shrink() }
        return call
    }

    /// Gives the memory of a burst back.
    private mutating func shrink() {
        slots = UniqueArray()
        firstFree = -1
        deadlines = TimerQueue()
        table = HashIndex()
    }

    // MARK: Many

    /// A call whose deadline is not after `now`; nil when there is none left.
    mutating func removeExpired(now: MonotonicTime) -> Entry? {
        while let (_, slot) = deadlines.popExpired(now: now) {
            if let entry = self[Int(slot)], remove(Int(slot)) != nil { return entry }
        }
        return nil
    }

    /// All that are left.
    mutating func removeAll() -> [Call] {
        // The last removal may give the slots' memory back.
        let occupied = slots.indices.filter { slots[$0].call != nil }
        return occupied.compactMap { remove($0) }
    }

    /// The slots of the calls that were sent on a connection, in the order in which they were sent.
    func sent(on connection: Int) -> [(slot: Int, end: UInt64)] {
        var found: [(slot: Int, end: UInt64)] = []
        for slot in slots.indices where slots[slot].call != nil {
            if case .sent(connection, let end) = slots[slot].progress.place {
                found.append((slot, end))
            }
        }
        return found.sorted { $0.end < $1.end }
    }
}
