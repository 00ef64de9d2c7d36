/// What is measured of the current call of a responder. Times are those of the loop's clock in
/// nanoseconds. A value.
struct MeasuredCall {
    /// Whether the call has begun and not ended, and is recorded.
    var isOpen = false
    /// Whether its handler may suspend, so that it counts as in flight.
    var isAwaited = false
    /// Whether it was chosen at its beginning to be kept.
    var isSampled = false
    /// Whether its caller records its trace, so that it is kept.
    var isTraceSampled = false
    /// Its slot in the flight recorder, if there is one; negative: it has none.
    var flightSlot = -1
    /// When it was read, and when it was its turn.
    var readAt: UInt64 = 0
    var beganAt: UInt64 = 0
    // The ends of its stages; 0: not measured.
    var decodedAt: UInt64 = 0
    var handledAt: UInt64 = 0
    var hasRoomAt: UInt64 = 0

    /// What ends before the call does.
    enum Stage { case decoding, handler, outputWait }

    /// Only the first end of a stage counts, but the last one of a wait for the output: a stream waits
    /// until its messages are sent, then until its reply may be.
    mutating func ended(_ stage: Stage, at now: UInt64) {
        switch stage {
        case .decoding: if decodedAt == 0 { decodedAt = now }
        case .handler: if handledAt == 0 { handledAt = now }
        case .outputWait: hasRoomAt = now
        }
    }

    mutating func forgetStages() { (decodedAt, handledAt, hasRoomAt) = (0, 0, 0) }
}
