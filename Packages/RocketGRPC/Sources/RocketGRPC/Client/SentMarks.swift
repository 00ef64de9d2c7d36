import RocketSystem

/// Tells which frames of the RPC side a server may have received, from how many bytes of HTTP/2 it may
/// have received. Rather one frame too many: a call that the server has seen must not be sent again.
/// One per connection.
struct SentMarks: ~Copyable {
    /// The frames up to `taken` are in the bytes from `begin` on.
    struct Mark {
        var taken: UInt64
        var begin: UInt64
    }

    private var marks = RingBuffer<Mark>()
    /// Bytes of frames that have been submitted, and those of them that have been in a flush.
    private var taken: UInt64 = 0
    private var marked: UInt64 = 0
    /// Bytes of HTTP/2 that have been passed on.
    private var flushed: UInt64 = 0
    private var sent: UInt64 = 0

    /// Bytes of frames have been submitted.
    mutating func taken(_ bytes: Int) { taken &+= UInt64(bytes) }

    /// What has been submitted may be in the bytes that follow.
    mutating func flushing() {
        if taken == marked { return }
        marked = taken
        marks.append(Mark(taken: taken, begin: flushed))
    }

    /// Bytes of HTTP/2 have been passed on.
    mutating func flushed(_ bytes: Int) { flushed &+= UInt64(bytes) }

    /// The bytes of frames of which something may be in the first `bytes` of HTTP/2.
    mutating func sent(below bytes: UInt64) -> UInt64 {
        while let first = marks.first, first.begin < bytes {
            sent = first.taken
            _ = marks.popFirst()
        }
        return sent
    }
}
