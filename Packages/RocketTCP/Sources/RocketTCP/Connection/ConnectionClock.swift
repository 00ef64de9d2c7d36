import RocketSystem

/// When things last happened on a connection, and which time limit passes next. A pure value:
/// reads and writes only note the time; one timer per loop looks at all connections now and then.
struct ConnectionClock {
    /// What the limits depend on besides time.
    struct Circumstances {
        var waitsForInput = true
        var hasPendingOutput = false
        var isClosing = false
    }

    struct Deadline: Equatable {
        var time: MonotonicTime
        var reason: CloseReason
    }

    private let connectedAt: MonotonicTime
    private var hasReceived = false
    private var activeAt: MonotonicTime
    private var writeProgressAt: MonotonicTime
    /// Since when unconsumed input waits for its rest; 0: none does.
    private var partialSince = MonotonicTime(nanoseconds: 0)
    private var closingSince: MonotonicTime

    init(now: MonotonicTime) {
        connectedAt = now
        activeAt = now
        writeProgressAt = now
        closingSince = now
    }

    mutating func received(at now: MonotonicTime) {
        hasReceived = true
        activeAt = now
    }

    mutating func sent(at now: MonotonicTime) {
        activeAt = now
        writeProgressAt = now
    }

    /// Output begins to wait where none did.
    mutating func outputBeganToWait(at now: MonotonicTime) { writeProgressAt = now }

    /// After each delivery: whether input is left, and whether some of it was consumed.
    mutating func delivered(leftover: Bool, consumed: Bool, at now: MonotonicTime) {
        if !leftover {
            partialSince = MonotonicTime(nanoseconds: 0)
        } else if consumed || partialSince.nanoseconds == 0 {
            partialSince = now
        }
    }

    mutating func closeBegan(at now: MonotonicTime) { closingSince = now }

    /// The limit that passes first, nil when there is none.
    func deadline(_ limits: TCPConnectionConfiguration, _ now: Circumstances) -> Deadline? {
        if now.isClosing {
            return Deadline(time: closingSince + limits.closeTimeout, reason: .writeTimeout)
        }
        var first: Deadline?
        func consider(_ since: MonotonicTime, _ limit: Duration?, _ reason: CloseReason) {
            guard let limit else { return }
            let time = since + limit
            if let best = first, best.time <= time { return }
            first = Deadline(time: time, reason: reason)
        }
        if now.hasPendingOutput { consider(writeProgressAt, limits.writeTimeout, .writeTimeout) }
        if now.waitsForInput {
            if !hasReceived { consider(connectedAt, limits.firstBytesTimeout, .firstBytesTimeout) }
            if partialSince.nanoseconds > 0 {
                consider(partialSince, limits.partialInputTimeout, .partialInputTimeout)
            }
        }
        consider(activeAt, limits.idleTimeout, .idleTimeout)
        return first
    }
}
