import RocketSystem

/// Decides whether a peer does something too often, by the headers of its frames and what became of its
/// streams. A pure value; the caller passes the time.
struct FloodGuard {
    enum FrameType {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let resetStream: UInt8 = 3
        static let settings: UInt8 = 4
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
        static let windowUpdate: UInt8 = 8
        static let continuation: UInt8 = 9
    }

    /// How many frames without an effect one with an effect allows.
    private static let allowance = 4

    private var resets, provokedResets, control, settings: TokenBucket
    private let mostContinuations: Int
    private var continuations = 0

    init(_ limits: HTTP2Configuration, now: MonotonicTime) {
        resets = TokenBucket(limits.peerResets, now: now)
        provokedResets = TokenBucket(limits.provokedResets, now: now)
        control = TokenBucket(limits.controlFrames, now: now)
        settings = TokenBucket(limits.settingsFrames, now: now)
        mostContinuations = limits.continuationFrames
    }

    /// Counts a frame of the peer; returns what it has done too often.
    mutating func received(
        _ frame: FrameScanner.Header, now: MonotonicTime, _ counters: inout HTTP2Counters
    ) -> HTTP2Flood? {
        counters.frames += 1
        let isLast = frame.flags & 1 != 0
        switch frame.type {
        case FrameType.data:
            if frame.length == 0 && !isLast {
                counters.emptyData += 1
                return controlFrame(now)
            }
            control.give(Self.allowance)
        case FrameType.headers:
            continuations = 0
            control.give(Self.allowance)
        case FrameType.continuation:
            counters.continuations += 1
            continuations += 1
            return continuations > mostContinuations ? .continuations : nil
        case FrameType.resetStream:
            counters.peerResets += 1
            return resets.take(now: now) ? nil : .resets
        case FrameType.settings:
            if isLast { return controlFrame(now) }
            counters.settings += 1
            return settings.take(now: now) ? nil : .settings
        case FrameType.ping:
            if !isLast { counters.pings += 1 }
            return controlFrame(now)
        case FrameType.windowUpdate:
            counters.windowUpdates += 1
            return controlFrame(now)
        case FrameType.goAway:
            return controlFrame(now)
        default:
            counters.ignoredFrames += 1
            return controlFrame(now)
        }
        return nil
    }

    private mutating func controlFrame(_ now: MonotonicTime) -> HTTP2Flood? {
        control.take(now: now) ? nil : .controlFrames
    }

    /// A frame with an effect has been sent.
    mutating func sentData() { control.give(Self.allowance) }

    /// A stream has ended otherwise than by a reset of the peer.
    mutating func streamEnded() { resets.give(1) }

    /// A stream has been refused because the peer has too many. No handler has seen it, so it counts as
    /// one that the peer itself has reset.
    mutating func refused(now: MonotonicTime) -> HTTP2Flood? {
        resets.take(now: now) ? nil : .provokedResets
    }

    /// A stream has been reset because of what the peer did.
    mutating func provoked(now: MonotonicTime) -> HTTP2Flood? {
        provokedResets.take(now: now) ? nil : .provokedResets
    }
}
