/// The ids of calls that wait to be sent, in their order. May contain ids of calls that have ended
/// since; the channel skips those. A value.
struct SendQueue {
    private var ids: ContiguousArray<CallID> = []
    /// The ids before this index have been removed.
    private var head = 0

    var count: Int { ids.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ id: CallID) { ids.append(id) }

    mutating func popFirst() -> CallID? {
        if isEmpty { return nil }
        let id = ids[head]
        head += 1
        if head == ids.count {
            ids.removeAll(keepingCapacity: ids.count <= 1024)
            head = 0
        } else if head >= 64, 2 * head > ids.count {
            ids.removeSubrange(..<head)
            head = 0
        }
        return id
    }

    /// Removes the ids for which `isGone` returns true.
    mutating func removeAll(where isGone: (CallID) -> Bool) {
        for _ in 0..<count {
            if let id = popFirst(), !isGone(id) { append(id) }
        }
    }
}
