/// Ids of calls in the order in which they are to be sent. Those of calls that have ended meanwhile
/// may still be among them. A pure value.
struct SendQueue {
    private var ids: ContiguousArray<CallID> = []
    /// Those before it are out already.
    private var head = 0

    var count: Int { ids.count - head }
    var isEmpty: Bool { count == 0 }
    var first: CallID? { head < ids.count ? ids[head] : nil }

    mutating func append(_ id: CallID) { ids.append(id) }

    mutating func removeFirst() {
        head += 1
        if head == ids.count {
            ids.removeAll(keepingCapacity: ids.count <= 1024)
            head = 0
        } else if head >= 64, 2 * head > ids.count {
            ids.removeSubrange(..<head)
            head = 0
        }
    }

    /// Leaves those for which `isGone` holds out.
    mutating func removeAll(where isGone: (CallID) -> Bool) {
        ids.removeSubrange(..<head)
        head = 0
        ids.removeAll(where: isGone)
    }

    /// Everything, in its order.
    mutating func takeAll() -> ContiguousArray<CallID> {
        removeAll { _ in false }
        defer { ids = [] }
        return ids
    }
}
