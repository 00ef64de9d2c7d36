/// What a session may do, and what happens to one that reads too slowly. A value.
public struct ChatLimits: Hashable, Sendable {
    /// What happens to a receiver whose queue is full.
    public enum SlowReceiver: String, CaseIterable, Hashable, Sendable {
        /// Its oldest messages are dropped; it is told how many once it reads again.
        case dropOldest = "drop-oldest"
        /// It is disconnected.
        case disconnect
    }

    /// The longest text taken from a client. 0 or more bytes; default 64 KiB.
    public var maxMessageBytes = 64 << 10
    /// Messages that one session may send per second in the long run; beyond it the session is
    /// not read from for a while, nothing is lost. 0: no limit. Default 1000.
    public var messagesPerSecond = 1000
    /// Messages that one session may send at once after a silence. At least 1; default 2000.
    public var messageBurst = 2000
    /// Bytes that may wait for one receiver besides those that its connection holds. Default
    /// 1 MiB.
    public var queueBytes = 1 << 20
    /// What happens when more would wait. Default: the oldest messages are dropped.
    public var slowReceiver = SlowReceiver.dropOldest

    /// The defaults.
    public init() {}
}
