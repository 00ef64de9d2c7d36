/// What a link between two hosts is like, in one direction. A value.
public struct LinkConditions: Sendable {
    /// The time from one end to the other. Default 0.1 to 1 ms, another for each segment.
    public var latency = Duration.microseconds(100)...Duration.milliseconds(1)
    /// Bytes that the link carries in a second, 1 or more; nil, the default: no limit.
    public var bytesPerSecond: Int?
    /// The most bytes that arrive at once. The bytes of one write arrive in parts of any size up to
    /// it. At least 1; default 16 KiB.
    public var segmentBytes = 16 << 10
    /// Whether the size of each part is chosen anew; false: as large as possible. Default true.
    public var splitsAnywhere = true
    /// The probability that a system call sends or receives only a part of what it could, from 0 to
    /// 1. Default 0.05.
    public var shortCalls = 0.05

    /// The defaults.
    public init() {}

    func check() {
        precondition(
            latency.lowerBound >= .zero && (bytesPerSecond ?? 1) >= 1 && segmentBytes >= 1
                && (0...1).contains(shortCalls),
            "a link has a latency of zero or more, 1 byte per second and per segment or more, and a "
                + "probability of short calls from 0 to 1: \(self)")
    }
}

/// The kernel of a host as far as sockets notice it. A value.
public struct SocketLimits: Sendable {
    /// Bytes that a socket takes from its owner before they have arrived at the other end. At least
    /// 1; default 64 KiB.
    public var sendBufferBytes = 64 << 10
    /// Bytes that wait in a socket until its owner reads them; the other end sends no more before.
    /// At least 1; default 64 KiB.
    public var receiveBufferBytes = 64 << 10
    /// The most open sockets; a further one fails with EMFILE. Default 65,536.
    public var openSockets = 65_536

    /// The defaults.
    public init() {}

    func check() {
        precondition(
            sendBufferBytes >= 1 && receiveBufferBytes >= 1 && openSockets >= 0,
            "sockets have buffers of 1 byte or more: \(self)")
    }
}
