/// The subscriptions of a client, by their numbers, which are never used again. A value.
struct NATSSubscriptions {
    struct Entry {
        let id: UInt64
        let subject: NATSSubject
        let queueGroup: [UInt8]
        let handler: NATSClient.Handler
    }

    /// In the order of their numbers.
    private(set) var all: [Entry] = []
    private var last: UInt64 = 0

    var count: Int { all.count }

    mutating func add(
        _ subject: NATSSubject, _ queueGroup: [UInt8], _ handler: @escaping NATSClient.Handler
    ) -> Entry {
        last += 1
        let entry = Entry(id: last, subject: subject, queueGroup: queueGroup, handler: handler)
        all.append(entry)
        return entry
    }

    /// Returns false if there is none of that number.
    mutating func remove(_ id: UInt64) -> Bool {
        guard let index = index(of: id) else { return false }
        all.remove(at: index)
        return true
    }

    func handler(of id: UInt64) -> NATSClient.Handler? {
        // Not by `map`, which would allocate: a closure as the result of a generic function is another.
        guard let index = index(of: id) else { return nil }
        return all[index].handler
    }

    private func index(of id: UInt64) -> Int? {
        var (low, high) = (0, all.count)
        while low < high {
            let middle = (low + high) / 2
            if all[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < all.count && all[low].id == id ? low : nil
    }
}
