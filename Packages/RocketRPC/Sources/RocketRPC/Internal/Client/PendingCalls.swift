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

    // By slot; side by side, so that each look touches only what it asks for.
    private var calls: ContiguousArray<Call?> = []
    private var ids: ContiguousArray<CallID> = []
    private var progress: ContiguousArray<Progress> = []
    private var freeSlots: ContiguousArray<Int32> = []
    private var table = SlotTable()
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
        calls[slot] = call
        ids[slot] = id
        progress[slot] = Progress(timer: deadline.map { deadlines.insert(at: $0, Int32(slot)) })
        table.insert(id.hash, slot)
        waitingCount += 1
        return slot
    }

    private mutating func freeSlot() -> Int {
        if let free = freeSlots.popLast() { return Int(free) }
        calls.append(nil)
        ids.append(.empty)
        progress.append(Progress())
        return calls.count - 1
    }

    /// Where the call of that id is.
    func find(_ id: CallID) -> Int? { table.find(id.hash) { ids[$0] == id } }

    /// The same, only if it was sent on that connection and no other since.
    func find(_ id: CallID, sentOn connection: Int) -> Int? {
        guard let slot = find(id), case .sent(connection, _) = progress[slot].place else {
            return nil
        }
        return slot
    }

    /// The call in that slot, which stays; nil where there is none.
    subscript(slot: Int) -> Entry? {
        guard calls.indices.contains(slot), let call = calls[slot] else { return nil }
        return Entry(call: call, progress: progress[slot])
    }

    /// Whether a call of that id waits for a connection.
    func isWaiting(_ id: CallID) -> Bool {
        find(id).map { progress[$0].place == .waiting } ?? false
    }

    func id(in slot: Int) -> CallID { ids[slot] }

    /// The call in that slot stands somewhere else from now on.
    mutating func move(_ slot: Int, to place: Place) {
        if progress[slot].place == .waiting { waitingCount -= 1 }
        if place == .waiting { waitingCount += 1 }
        progress[slot].place = place
        if case .sent(let connection, _) = place {
            progress[slot].attempts += 1
            progress[slot].lastConnection = connection
        }
    }

    /// An attempt of the call in that slot came to nothing before it was sent.
    mutating func countAttempt(of slot: Int) { progress[slot].attempts += 1 }

    /// The one way out.
    mutating func remove(_ slot: Int) -> Call? {
        guard let call = calls[slot].take() else { return nil }
        if progress[slot].place == .waiting { waitingCount -= 1 }
        table.remove(ids[slot].hash, slot)
        if let timer = progress[slot].timer { _ = deadlines.remove(timer) }
        freeSlots.append(Int32(slot))
        if table.count == 0, calls.count > 4096 { shrink() }
        return call
    }

    /// Gives the memory of a burst back.
    private mutating func shrink() {
        calls = []
        ids = []
        progress = []
        freeSlots = []
        deadlines = TimerQueue()
        table = SlotTable()
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
        let occupied = calls.indices.filter { calls[$0] != nil }
        return occupied.compactMap { remove($0) }
    }

    /// The slots of the calls that were sent on a connection, in the order in which they were sent.
    func sent(on connection: Int) -> [(slot: Int, end: UInt64)] {
        var found: [(slot: Int, end: UInt64)] = []
        for slot in calls.indices where calls[slot] != nil {
            if case .sent(connection, let end) = progress[slot].place { found.append((slot, end)) }
        }
        return found.sorted { $0.end < $1.end }
    }
}
