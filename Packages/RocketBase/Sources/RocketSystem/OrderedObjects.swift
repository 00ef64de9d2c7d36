/// Objects by identity, in the order in which they were added: for what is closed, cancelled or
/// notified one after another, so that neither hashes nor addresses decide who is first. A value.
public struct OrderedObjects<Object: AnyObject> {
    private var entries: [ObjectIdentifier: (number: UInt64, object: Object)] = [:]
    private var lastNumber: UInt64 = 0

    /// Creates an empty collection.
    public init() {}

    /// How many objects it contains.
    public var count: Int { entries.count }

    /// Adds an object behind the others; no effect if it is there. Constant time, as `remove`.
    public mutating func insert(_ object: Object) {
        let key = ObjectIdentifier(object)
        if entries[key] != nil { return }
        lastNumber += 1
        entries[key] = (lastNumber, object)
    }

    /// Removes an object; no effect if it is not there.
    public mutating func remove(_ object: Object) { entries[ObjectIdentifier(object)] = nil }

    /// Removes all objects.
    public mutating func removeAll() { entries.removeAll() }

    /// A copy of all objects, in the order of their insertion. Sorts them: for what is done seldom.
    public var inOrder: [Object] {
        entries.values.sorted { $0.number < $1.number }.map(\.object)
    }
}
