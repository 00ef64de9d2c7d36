public import RocketSystem

/// How much a connection has sent and received, for those who watch a server. A value.
public struct ConnectionTraffic: Hashable, Sendable {
    /// Bytes that were read from the socket.
    public var receivedBytes: UInt64 = 0
    /// Bytes that the kernel has taken to send.
    public var sentBytes: UInt64 = 0
    /// Whether they are encrypted.
    public var isEncrypted = false
    /// When bytes were read or sent last, or the connection began; nil: unknown.
    public var lastActive: MonotonicTime?
    /// When the kernel has taken bytes to send last; nil: it has not, or unknown.
    public var lastSent: MonotonicTime?

    /// Creates what a connection has that tells nothing.
    public init(
        receivedBytes: UInt64 = 0, sentBytes: UInt64 = 0, isEncrypted: Bool = false,
        lastActive: MonotonicTime? = nil, lastSent: MonotonicTime? = nil
    ) {
        self.receivedBytes = receivedBytes
        self.sentBytes = sentBytes
        self.isEncrypted = isEncrypted
        self.lastActive = lastActive
        self.lastSent = lastSent
    }
}
