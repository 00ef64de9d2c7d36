/// What may be passed on: an absolute limit, which only grows, as in QUIC. Bytes of messages count; an
/// empty message, or an empty part of one, counts as one byte. A value.
struct StreamCredit: Hashable, Sendable {
    private(set) var limit: UInt64
    private(set) var spent: UInt64 = 0

    init(limit: UInt64) { self.limit = limit }

    /// How many bytes may be passed on now.
    var available: Int { limit > spent ? Int(clamping: limit - spent) : 0 }

    mutating func spend(_ bytes: Int) { spent &+= UInt64(bytes) }

    mutating func raise(to new: UInt64) { limit = max(limit, new) }
}

/// What the RPC side may send: a limit that this side announces, in steps of at least half of `size`.
/// A value.
struct StreamWindow: Hashable, Sendable {
    let size: Int
    private(set) var received: UInt64 = 0
    /// The limit that the RPC side knows.
    private(set) var announced: UInt64

    /// - Parameter announced: the limit that the RPC side knows from the beginning.
    init(size: Int, announced: UInt64) {
        self.size = size
        self.announced = announced
    }

    /// The RPC side has sent so many bytes of messages.
    mutating func receive(_ bytes: Int) { received &+= UInt64(max(1, bytes)) }

    /// - Parameter held: the bytes that wait to be sent.
    /// - Returns: the limit to announce; nil while the RPC side has enough, or too much waits.
    mutating func update(held: Int) -> UInt64? {
        let limit = received + UInt64(max(0, size - held))
        guard limit >= announced + UInt64(size / 2) else { return nil }
        announced = limit
        return limit
    }
}
