import RocketReactor
import RocketSystem

/// The calls on one connection that wait for their replies: by the bytes of their ids, and by
/// their deadlines. A pure value.
///
/// A call leaves it by `remove` alone, which hands it to exactly one caller: so a call that is in
/// here is answered once, by reply, deadline, cancellation or close, whichever comes first.
struct PendingCalls<Call> {
    private struct Entry {
        let call: Call
        let timer: TimerID?
    }

    private var entries: [CallID: Entry] = [:]
    private var deadlines = TimerQueue<CallID>()

    var count: Int { entries.count }

    /// The earliest deadline of all.
    var nextDeadline: MonotonicTime? { deadlines.earliest }

    /// - Returns: false where a call of that id waits already; nothing has changed then.
    mutating func insert(_ call: Call, id: CallID, deadline: MonotonicTime?) -> Bool {
        guard entries[id] == nil else { return false }
        let timer = deadline.map { deadlines.insert(at: $0, id) }
        entries[id] = Entry(call: call, timer: timer)
        return true
    }

    /// The call of that id, which stays.
    func peek(_ id: CallID) -> Call? { entries[id]?.call }

    /// The one way out.
    mutating func remove(_ id: CallID) -> Call? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        if let timer = entry.timer { _ = deadlines.remove(timer) }
        return entry.call
    }

    /// A call whose deadline is not after `now`; nil when there is none left.
    mutating func removeExpired(now: MonotonicTime) -> Call? {
        while let (_, id) = deadlines.popExpired(now: now) {
            if let entry = entries.removeValue(forKey: id) { return entry.call }
        }
        return nil
    }

    /// Any call that is left; nil when there is none.
    mutating func removeAny() -> Call? {
        guard let id = entries.keys.first else { return nil }
        return remove(id)
    }
}
