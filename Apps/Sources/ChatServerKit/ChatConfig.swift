public import RocketBase

/// The chat's own limits: the `chat` element of the configuration.
public struct ChatConfig: ConfigSection, Hashable {
    /// The longest text that is taken; a longer one ends the session.
    ///
    /// `chat/max_message_bytes`: A whole number of bytes, 1 to 16777216. Default 65536 bytes.
    /// Changes live.
    public var maxMessageBytes = 65_536
    /// What one session may send in the long run; beyond it the session is not read from for a
    /// while, and nothing is lost. 0 sets no limit.
    ///
    /// `chat/messages_per_second`: A whole number, 0 to 10000000. Default 1000. Changes live.
    public var messagesPerSecond = 1000
    /// Messages that one session may send at once after a silence.
    ///
    /// `chat/message_burst`: A whole number, 1 to 10000000. Default 2000. Changes live.
    public var messageBurst = 2000
    /// What may wait for one receiver besides high_water_mark_bytes of its connection.
    ///
    /// `chat/queue_bytes`: A whole number of bytes, 1024 to 1073741824. Default 1048576 bytes.
    /// Changes live.
    public var queueBytes = 1_048_576
    /// What happens to a receiver for which more would wait: drop-oldest drops its oldest
    /// messages and tells it how many, disconnect ends its session.
    ///
    /// `chat/slow_receiver`: One of drop-oldest, disconnect. Default drop-oldest. Changes live.
    public var slowReceiver = ChatLimits.SlowReceiver.dropOldest
    /// A receiver that takes nothing of what waits for it for that long is disconnected; 0
    /// keeps it.
    ///
    /// `chat/write_timeout_ms`: A whole number of ms, 0 to 86400000. Default 60000 ms. Needs a
    /// restart.
    public var writeTimeout = Duration.seconds(60)

    /// Every field at its default.
    public init() {}

    /// The `chat` element.
    public static let schema = ConfigSchema<Self>(
        "chat", "What chat_server's sessions may do, and what becomes of slow receivers.",
        [
            .init(
                "max_message_bytes", \.maxMessageBytes, .bytes(1...16_777_216), .live,
                "The longest text that is taken; a longer one ends the session."),
            .init(
                "messages_per_second", \.messagesPerSecond, .integer(0...10_000_000), .live,
                "What one session may send in the long run; beyond it the session is not read "
                    + "from for a while, and nothing is lost. 0 sets no limit."),
            .init(
                "message_burst", \.messageBurst, .integer(1...10_000_000), .live,
                "Messages that one session may send at once after a silence."),
            .init(
                "queue_bytes", \.queueBytes, .bytes(1024...1_073_741_824), .live,
                "What may wait for one receiver besides high_water_mark_bytes of its connection."),
            .init(
                "slow_receiver", \.slowReceiver,
                .choice(of: ChatLimits.SlowReceiver.allCases) { $0.rawValue }, .live,
                "What happens to a receiver for which more would wait: drop-oldest drops its "
                    + "oldest messages and tells it how many, disconnect ends its session."),
            .init(
                "write_timeout_ms", \.writeTimeout, .milliseconds(0...86_400_000), .restart,
                "A receiver that takes nothing of what waits for it for that long is "
                    + "disconnected; 0 keeps it."),
        ])

    /// The same for the room.
    public var limits: ChatLimits {
        var limits = ChatLimits()
        limits.maxMessageBytes = maxMessageBytes
        limits.messagesPerSecond = messagesPerSecond
        limits.messageBurst = messageBurst
        limits.queueBytes = queueBytes
        limits.slowReceiver = slowReceiver
        return limits
    }
}
