/// The streams of a connection, by the numbers that HTTP/2's session keeps for them: from 1 on, since
/// it returns 0 for streams that have none.
struct StreamTable<Stream: AnyObject> {
    private var slots: [Stream?] = []
    private var free: [Int] = []
    private(set) var count = 0

    /// Adds a stream.
    ///
    /// - Returns: its number.
    mutating func add(_ stream: Stream) -> Int {
        count += 1
        if let slot = free.popLast() {
            slots[slot] = stream
            return slot + 1
        }
        slots.append(stream)
        return slots.count
    }

    /// The stream with that number; nil: there is none.
    subscript(number: Int) -> Stream? {
        number >= 1 && number <= slots.count ? slots[number - 1] : nil
    }

    /// Removes the stream with that number, and returns it.
    mutating func remove(_ number: Int) -> Stream? {
        guard let stream = self[number] else { return nil }
        slots[number - 1] = nil
        free.append(number - 1)
        count -= 1
        return stream
    }

    /// All streams, in no particular but a repeatable order.
    var all: [Stream] { slots.compactMap { $0 } }
}
