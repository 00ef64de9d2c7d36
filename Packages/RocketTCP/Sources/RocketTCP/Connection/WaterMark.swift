/// Whether the output of a connection is above its high water mark. A pure value.
///
/// ```
/// below --a write passes the high mark--> passed --a flush leaves more than the low mark--> above
///   ^                                        |                                                |
///   +------------ a flush leaves no more than the low mark -----------------------------------+
/// ```
/// `passed` is set by the write itself, so that a producer can stop within the tick. It is never
/// left silently: a producer that has observed it waits for the event that `flushed` returns, and
/// would wait for ever without one.
enum WaterMark: UInt8 {
    /// The connection is writable.
    case below
    /// Not writable; the next flush decides whether the kernel takes enough. The handler has not
    /// been notified.
    case passed
    /// Not writable, and the handler was notified. The peer reads more slowly than this side
    /// writes.
    case above

    /// Records a flush that left `waiting` bytes.
    ///
    /// - Returns: the `isWritable` that the handler has to be notified of; nil: of nothing.
    mutating func flushed(waiting: Int, lowMark: Int) -> Bool? {
        if self == .below { return nil }
        if waiting <= lowMark {
            self = .below
            return true
        }
        if self == .above { return nil }
        self = .above
        return false
    }
}
