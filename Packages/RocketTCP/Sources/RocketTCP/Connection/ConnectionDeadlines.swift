import RocketSystem

/// When things last happened on a connection, and which time limit passes next. A pure value:
/// reads and writes only note the time; one timer per loop looks at all connections now and then.
struct ConnectionDeadlines {
    /// What the limits depend on besides time.
    struct Circumstances {
        var waitsForInput = true
        var hasPendingOutput = false
        var isClosing = false
        var endSent = false
    }

    /// A configuration's time limits in nanoseconds, for ever where there is none: worked out once,
    /// since dividing a Duration costs more than all the rest here.
    struct Limits {
        let firstBytes, partialInput, idle, write, close, linger: UInt64

        init(_ configuration: TCPConnectionConfiguration) {
            func nanoseconds(_ limit: Duration?) -> UInt64 {
                limit.map { UInt64(max(0, $0.wholeNanoseconds)) } ?? .max
            }
            firstBytes = nanoseconds(configuration.firstBytesTimeout)
            partialInput = nanoseconds(configuration.partialInputTimeout)
            idle = nanoseconds(configuration.idleTimeout)
            write = nanoseconds(configuration.writeTimeout)
            close = nanoseconds(configuration.closeTimeout)
            linger = nanoseconds(configuration.lingerTimeout)
        }
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
    /// When the last byte went out; 0: none did.
    private var sentAt = MonotonicTime(nanoseconds: 0)

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
        sentAt = now
    }

    /// The peer may still be reading what was sent last.
    func mayBeReading(_ limits: Limits, at now: MonotonicTime) -> Bool {
        sentAt.nanoseconds > 0 && now < sentAt.later(by: limits.linger)
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
    func deadline(_ limits: Limits, _ now: Circumstances) -> Deadline? {
        if now.isClosing {
            var time = closingSince.later(by: limits.close)
            if now.endSent { time = min(time, sentAt.later(by: limits.linger)) }
            return Deadline(time: time, reason: .writeTimeout)
        }
        var first: Deadline?
        func consider(_ since: MonotonicTime, _ limit: UInt64, _ reason: CloseReason) {
            let time = since.later(by: limit)
            if time == .distantFuture { return }
            if let best = first, best.time <= time { return }
            first = Deadline(time: time, reason: reason)
        }
        if now.hasPendingOutput { consider(writeProgressAt, limits.write, .writeTimeout) }
        if now.waitsForInput {
            if !hasReceived { consider(connectedAt, limits.firstBytes, .firstBytesTimeout) }
            if partialSince.nanoseconds > 0 {
                consider(partialSince, limits.partialInput, .partialInputTimeout)
            }
        }
        consider(activeAt, limits.idle, .idleTimeout)
        return first
    }
}
