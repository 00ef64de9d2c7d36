import RocketSystem

/// When a connection last made progress, and which of its time limits passes next. A pure value,
/// owned by its connection. Reads and writes only record the time; one timer per loop checks all
/// connections.
struct ConnectionDeadlines {
    /// What the limits depend on besides time.
    struct State {
        var waitsForInput = true
        var hasPendingOutput = false
        var isClosing = false
        var endSent = false
        var isInHandshake = false
    }

    /// The time limits of a configuration in nanoseconds; `.max` where there is none. Converted
    /// once, since dividing a Duration costs more than everything else here.
    struct Limits {
        let handshake, firstBytes, partialInput, idle, write, close, linger, answer: UInt64

        init(_ configuration: TCPConnectionConfiguration) {
            func nanoseconds(_ limit: Duration?) -> UInt64 {
                limit.map { UInt64(max(0, $0.wholeNanoseconds)) } ?? .max
            }
            handshake = nanoseconds(configuration.handshakeTimeout)
            firstBytes = nanoseconds(configuration.firstBytesTimeout)
            partialInput = nanoseconds(configuration.partialInputTimeout)
            idle = nanoseconds(configuration.idleTimeout)
            write = nanoseconds(configuration.writeTimeout)
            close = nanoseconds(configuration.closeTimeout)
            linger = nanoseconds(configuration.lingerTimeout)
            answer = nanoseconds(configuration.answerTimeout)
        }
    }

    struct Deadline: Equatable {
        var time: MonotonicTime
        var reason: CloseReason
    }

    private(set) var connectedAt: MonotonicTime
    private(set) var activeAt: MonotonicTime
    private var writeProgressAt: MonotonicTime
    /// Since when unconsumed input waits for its rest; 0: there is none.
    private var partialSince = MonotonicTime(nanoseconds: 0)
    private var closingSince: MonotonicTime
    /// When the kernel last took bytes; 0: never.
    private(set) var sentAt = MonotonicTime(nanoseconds: 0)
    /// Last, so that what follows in the connection takes the rest of its word.
    private var hasReceived = false

    init(now: MonotonicTime) {
        connectedAt = now
        activeAt = now
        writeProgressAt = now
        closingSince = now
    }

    /// Records the end of the handshake: what the peer has sent until now is none of its messages.
    mutating func handshakeEnded(at now: MonotonicTime) {
        connectedAt = now
        hasReceived = false
    }

    mutating func received(at now: MonotonicTime) {
        hasReceived = true
        activeAt = now
    }

    mutating func sent(at now: MonotonicTime) {
        activeAt = now
        writeProgressAt = now
        sentAt = now
    }

    /// Returns whether the peer may still be reading what was sent last.
    func mayBeReading(_ limits: Limits, at now: MonotonicTime) -> Bool {
        sentAt.nanoseconds > 0 && now < sentAt.later(by: limits.linger)
    }

    /// Records that output has begun to wait for the kernel.
    mutating func outputBeganToWait(at now: MonotonicTime) { writeProgressAt = now }

    /// Records a delivery: whether input is left, and whether some of it was consumed.
    mutating func delivered(leftover: Bool, consumed: Bool, at now: MonotonicTime) {
        if !leftover {
            partialSince = MonotonicTime(nanoseconds: 0)
        } else if consumed || partialSince.nanoseconds == 0 {
            partialSince = now
        }
    }

    /// Records that delivery was held back until now: the peer had no chance to complete its input.
    mutating func deliveryResumed(at now: MonotonicTime) {
        if partialSince.nanoseconds > 0 { partialSince = now }
    }

    /// How long input has been left without any of it being consumed, and how long waiting output has
    /// made no progress.
    func stalled(outputWaits: Bool, at now: MonotonicTime) -> (input: Duration, output: Duration) {
        (
            partialSince.nanoseconds > 0 ? now - partialSince : .zero,
            outputWaits ? now - writeProgressAt : .zero
        )
    }

    mutating func closeBegan(at now: MonotonicTime) { closingSince = now }

    /// Returns the limit that passes first; nil when there is none.
    func deadline(_ limits: Limits, _ state: State) -> Deadline? {
        if state.isInHandshake {
            return Deadline(
                time: connectedAt.later(by: limits.handshake), reason: .handshakeTimeout)
        }
        if state.isClosing {
            var time = closingSince.later(by: limits.close)
            if state.endSent { time = min(time, sentAt.later(by: limits.linger)) }
            return Deadline(time: time, reason: .writeTimeout)
        }
        var first: Deadline?
        func consider(_ since: MonotonicTime, _ limit: UInt64, _ reason: CloseReason) {
            let time = since.later(by: limit)
            if time == .distantFuture { return }
            if let best = first, best.time <= time { return }
            first = Deadline(time: time, reason: reason)
        }
        if state.hasPendingOutput { consider(writeProgressAt, limits.write, .writeTimeout) }
        if state.waitsForInput {
            if !hasReceived { consider(connectedAt, limits.firstBytes, .firstBytesTimeout) }
            if partialSince.nanoseconds > 0 {
                consider(partialSince, limits.partialInput, .partialInputTimeout)
            }
        }
        consider(activeAt, limits.idle, .idleTimeout)
        return first
    }
}
