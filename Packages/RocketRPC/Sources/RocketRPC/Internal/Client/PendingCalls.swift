import RocketReactor
import RocketSystem

/// The calls of a channel that wait, for a connection, a reply or another attempt: by the bytes of
/// their ids, and by their deadlines. A pure value.
///
/// A call leaves it by `remove` alone, which hands it to exactly one caller: so a call that is in
/// here is answered once, by reply, deadline, cancellation or close, whichever comes first.
struct PendingCalls<Call> {
    /// Where a call stands.
    enum Place: Hashable {
        /// No connection has it.
        case waiting
        /// It was written to that connection, whose first `end` bytes hold it.
        case sent(on: Int, end: UInt64)
        /// It is tried again when its rest is over.
        case resting
    }

    struct Entry {
        let call: Call
        fileprivate let timer: TimerID?
        fileprivate(set) var place: Place
        /// How often it was sent.
        fileprivate(set) var attempts: Int
        /// The connection that it was last sent on.
        fileprivate(set) var lastConnection: Int?
    }

    private var entries: [CallID: Entry] = [:]
    private var deadlines = TimerQueue<CallID>()
    /// Calls that wait for a connection.
    private(set) var waitingCount = 0

    var count: Int { entries.count }

    /// The earliest deadline of all.
    var nextDeadline: MonotonicTime? { deadlines.earliest }

    /// Takes a call in; it waits for a connection.
    ///
    /// - Returns: false where a call of that id waits already; nothing has changed then.
    mutating func insert(_ call: Call, id: CallID, deadline: MonotonicTime?) -> Bool {
        guard entries[id] == nil else { return false }
        let timer = deadline.map { deadlines.insert(at: $0, id) }
        entries[id] = Entry(call: call, timer: timer, place: .waiting, attempts: 0)
        waitingCount += 1
        return true
    }

    /// The call of that id, which stays.
    subscript(id: CallID) -> Entry? { entries[id] }

    func contains(_ id: CallID) -> Bool { entries[id] != nil }

    /// The call of that id stands somewhere else from now on.
    mutating func move(_ id: CallID, to place: Place) {
        guard let index = entries.index(forKey: id) else { return }
        if entries.values[index].place == .waiting { waitingCount -= 1 }
        if place == .waiting { waitingCount += 1 }
        entries.values[index].place = place
        if case .sent(let connection, _) = place {
            entries.values[index].attempts += 1
            entries.values[index].lastConnection = connection
        }
    }

    /// An attempt of that call came to nothing before it was sent.
    mutating func countAttempt(of id: CallID) {
        guard let index = entries.index(forKey: id) else { return }
        entries.values[index].attempts += 1
    }

    /// The one way out.
    ///
    /// - Parameter connection: only if it was sent on that one.
    mutating func remove(_ id: CallID, sentOn connection: Int? = nil) -> Entry? {
        guard let index = entries.index(forKey: id) else { return nil }
        let place = entries.values[index].place
        if let connection {
            guard case .sent(connection, _) = place else { return nil }
        }
        if place == .waiting { waitingCount -= 1 }
        let entry = entries.remove(at: index).value
        if let timer = entry.timer { _ = deadlines.remove(timer) }
        return entry
    }

    /// A call whose deadline is not after `now`; nil when there is none left.
    mutating func removeExpired(now: MonotonicTime) -> (id: CallID, entry: Entry)? {
        while let (_, id) = deadlines.popExpired(now: now) {
            if let entry = remove(id) { return (id, entry) }
        }
        return nil
    }

    /// Any call that is left; nil when there is none.
    mutating func removeAny() -> (id: CallID, entry: Entry)? {
        guard let id = entries.keys.first, let entry = remove(id) else { return nil }
        return (id, entry)
    }

    /// The calls that were sent on a connection, which stay; in the order in which they were sent.
    func sent(on connection: Int) -> [(id: CallID, end: UInt64)] {
        var found: [(id: CallID, end: UInt64)] = []
        for (id, entry) in entries {
            if case .sent(connection, let end) = entry.place { found.append((id, end)) }
        }
        return found.sorted { $0.end < $1.end }
    }
}
