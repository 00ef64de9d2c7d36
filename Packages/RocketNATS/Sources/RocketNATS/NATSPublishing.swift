/// Whether a message was taken. A value.
public enum NATSPublishOutcome: Hashable, Sendable {
    /// It is sent at the end of the tick. It is lost if the connection ends before the server has it.
    case taken
    /// It was not taken: there is no connection.
    case notConnected
    /// It was not taken: `maxPendingBytes` wait to be sent.
    case full
    /// It was not taken: the server takes payloads of so many bytes.
    case tooLarge(limit: Int)
}

/// A subscription of a client. A value.
public struct NATSSubscription: Hashable, Sendable {
    let id: UInt64
}

/// Counters of a client. A value.
public struct NATSStatistics: Hashable, Sendable {
    /// Connections whose server has taken the credentials.
    public var connections = 0
    /// Of them, those that have ended without `stop`.
    public var lostConnections = 0
    /// Attempts to connect that have failed, the refused credentials included.
    public var failures = 0
    /// Errors of servers (`-ERR`).
    public var serverErrors = 0
    /// Messages that were taken.
    public var publishedMessages: UInt64 = 0
    /// The bytes of their payloads.
    public var publishedBytes: UInt64 = 0
    /// Messages that were not taken without a connection.
    public var refusedNotConnected: UInt64 = 0
    /// Messages that were not taken because too much waited to be sent.
    public var refusedFull: UInt64 = 0
    /// Messages that were not taken because they were too long for the server.
    public var refusedTooLarge: UInt64 = 0
    /// Messages that were received.
    public var receivedMessages: UInt64 = 0
    /// The bytes of their payloads.
    public var receivedBytes: UInt64 = 0

    /// Creates zeros.
    public init() {}

    mutating func count(_ outcome: NATSPublishOutcome) {
        switch outcome {
        case .taken: break
        case .notConnected: refusedNotConnected += 1
        case .full: refusedFull += 1
        case .tooLarge: refusedTooLarge += 1
        }
    }
}
