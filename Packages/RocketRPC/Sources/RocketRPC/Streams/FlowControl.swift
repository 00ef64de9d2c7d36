/// What one side may send: the receiver sets an absolute limit, which only grows, as in QUIC (RFC
/// 9000, 4.1). Bytes of messages count; an empty message counts as one byte.
struct SendCredit: Equatable {
    /// How many bytes may be sent in all.
    private(set) var limit: UInt64
    /// How many bytes have been sent.
    private(set) var sent: UInt64 = 0

    init(limit: UInt64) { self.limit = limit }

    /// How many bytes may be sent now.
    var available: Int { limit > sent ? Int(clamping: limit - sent) : 0 }

    mutating func spend(_ bytes: Int) { sent &+= UInt64(bytes) }

    /// - Returns: whether the limit has grown.
    mutating func raise(to new: UInt64) -> Bool {
        if new <= limit { return false }
        limit = new
        return true
    }
}

/// What one side lets its peer send: a limit that is `size` above what has been consumed, announced
/// in steps of at least half of `size`.
struct ReceiveWindow: Equatable {
    let size: UInt64
    private(set) var received: UInt64 = 0
    private(set) var consumed: UInt64 = 0
    /// The limit that the peer knows.
    private(set) var announced: UInt64

    /// - Parameter announced: the limit that the peer knows from the beginning.
    init(size: Int, announced: UInt64) {
        self.size = UInt64(size)
        self.announced = announced
    }

    /// The bytes that have been received and not consumed.
    var heldBytes: Int { Int(clamping: received - consumed) }

    /// - Returns: false if the peer has sent more than it may.
    mutating func receive(_ bytes: Int) -> Bool {
        received &+= UInt64(bytes)
        return received <= announced
    }

    /// - Returns: the limit to announce; nil while the peer has enough.
    mutating func consume(_ bytes: Int) -> UInt64? {
        consumed &+= UInt64(bytes)
        let limit = consumed + size
        if limit < announced + size / 2 { return nil }
        announced = limit
        return limit
    }
}
