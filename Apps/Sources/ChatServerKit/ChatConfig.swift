public import RocketBase

/// The limits of the chat: the `chat` element of the configuration.
public struct ChatConfig: ConfigSection, Hashable {
    /// The longest text accepted from a client; a longer one disconnects it.
    ///
    /// `chat/max_message_bytes`: A whole number of bytes, 1 to 16777216. Default 65536 bytes.
    /// Changes live.
    public var maxMessageBytes = 65_536
    /// Messages per second of one session in the long run; beyond it reading from the session
    /// pauses, and no message is lost. 0 sets no limit.
    ///
    /// `chat/messages_per_second`: A whole number, 0 to 10000000. Default 1000. Changes live.
    public var messagesPerSecond = 1000
    /// Messages that one session may send at once after a pause.
    ///
    /// `chat/message_burst`: A whole number, 1 to 10000000. Default 2000. Changes live.
    public var messageBurst = 2000
    /// Bytes queued for one receiver, besides the high_water_mark_bytes of its connection.
    ///
    /// `chat/queue_bytes`: A whole number of bytes, 1024 to 1073741824. Default 1048576 bytes.
    /// Changes live.
    public var queueBytes = 1_048_576
    /// What happens to a receiver whose queue is full: drop-oldest drops its oldest messages
    /// and sends it their number, disconnect ends its session.
    ///
    /// `chat/slow_receiver`: One of drop-oldest, disconnect. Default drop-oldest. Changes live.
    public var slowReceiver = ChatLimits.SlowReceiver.dropOldest
    /// A receiver that reads nothing for this long while messages wait for it is disconnected,
    /// whatever slow_receiver is; 0 sets no such limit.
    ///
    /// `chat/write_timeout_ms`: A whole number of ms, 0 to 86400000. Default 60000 ms. Needs a
    /// restart.
    public var writeTimeout = Duration.seconds(60)

    /// The servers of NATS that connect this server with others of the room, as
    /// nats://HOST:PORT or, with TLS, tls://HOST:PORT, separated by commas. Empty: the room is
    /// in this process only.
    ///
    /// `chat/backplane`: A text of 1 to 2000 characters; or empty. Default none. Needs a
    /// restart.
    public var backplane: String?
    /// The room's name: servers with one NATS and one room share their messages.
    ///
    /// `chat/room`: 1 to 100 letters, digits, '.', '_' or '-', not beginning with '.'. Default
    /// main. Needs a restart.
    public var room = "main"
    /// The name of this server, which the names of its clients end with where there is a
    /// backplane. Empty: the machine's name.
    ///
    /// `chat/server_name`: 1 to 100 letters, digits, '.', '_' or '-', not beginning with '.';
    /// or empty. Default none. Needs a restart.
    public var serverName: String?
    /// A file with one line that proves this server to NATS: the seed of an NKEY (SU…), or
    /// NAME:PASSWORD, or a token. Empty: NATS takes any client.
    ///
    /// `chat/backplane_credentials`: A path, absolute or relative to this file's folder, or
    /// ${CREDENTIALS_DIRECTORY}/NAME; or empty. Default none. Needs a restart.
    public var backplaneCredentials: String?
    /// The authorities whose certificates NATS may have, with tls://. Empty: those that the
    /// system trusts.
    ///
    /// `chat/backplane_ca`: A path, absolute or relative to this file's folder, or
    /// ${CREDENTIALS_DIRECTORY}/NAME; or empty. Default none. Needs a restart.
    public var backplaneCA: String?
    /// The certificate that proves this server to NATS, with tls://.
    ///
    /// `chat/backplane_certificate`: A path, absolute or relative to this file's folder, or
    /// ${CREDENTIALS_DIRECTORY}/NAME; or empty. Default none. Needs a restart.
    public var backplaneCertificate: String?
    /// The private key of that certificate. Only its owner may read and write it.
    ///
    /// `chat/backplane_key`: A path, absolute or relative to this file's folder, or
    /// ${CREDENTIALS_DIRECTORY}/NAME; or empty. Default none. Needs a restart.
    public var backplaneKey: String?

    /// Every field at its default.
    public init() {}

    /// The `chat` element.
    public static let schema = ConfigSchema<Self>(
        "chat",
        "The limits of chat_server's sessions, how it treats slow receivers, and other servers of "
            + "its room.",
        [
            .init(
                "max_message_bytes", \.maxMessageBytes, .bytes(1...16_777_216), .live,
                "The longest text accepted from a client; a longer one disconnects it."),
            .init(
                "messages_per_second", \.messagesPerSecond, .integer(0...10_000_000), .live,
                "Messages per second of one session in the long run; beyond it reading from the "
                    + "session pauses, and no message is lost. 0 sets no limit."),
            .init(
                "message_burst", \.messageBurst, .integer(1...10_000_000), .live,
                "Messages that one session may send at once after a pause."),
            .init(
                "queue_bytes", \.queueBytes, .bytes(1024...1_073_741_824), .live,
                "Bytes queued for one receiver, besides the high_water_mark_bytes of its "
                    + "connection."),
            .init(
                "slow_receiver", \.slowReceiver,
                .choice(of: ChatLimits.SlowReceiver.allCases) { $0.rawValue }, .live,
                "What happens to a receiver whose queue is full: drop-oldest drops its oldest "
                    + "messages and sends it their number, disconnect ends its session."),
            .init(
                "write_timeout_ms", \.writeTimeout, .milliseconds(0...86_400_000), .restart,
                "A receiver that reads nothing for this long while messages wait for it is "
                    + "disconnected, whatever slow_receiver is; 0 sets no such limit."),
            .init(
                "backplane", \.backplane, .optional(.text(maximum: 2000)), .restart,
                "The servers of NATS that connect this server with others of the room, as "
                    + "nats://HOST:PORT or, with TLS, tls://HOST:PORT, separated by commas. Empty: "
                    + "the room is in this process only."),
            .init(
                "room", \.room, .name, .restart,
                "The room's name: servers with one NATS and one room share their messages."),
            .init(
                "server_name", \.serverName, .optional(.name), .restart,
                "The name of this server, which the names of its clients end with where there is a "
                    + "backplane. Empty: the machine's name."),
            .init(
                "backplane_credentials", \.backplaneCredentials, .optional(.credentialPath),
                .restart,
                "A file with one line that proves this server to NATS: the seed of an NKEY (SU…), or "
                    + "NAME:PASSWORD, or a token. Empty: NATS takes any client."),
            .init(
                "backplane_ca", \.backplaneCA, .optional(.credentialPath), .restart,
                "The authorities whose certificates NATS may have, with tls://. Empty: those that "
                    + "the system trusts."),
            .init(
                "backplane_certificate", \.backplaneCertificate, .optional(.credentialPath),
                .restart,
                "The certificate that proves this server to NATS, with tls://."),
            .init(
                "backplane_key", \.backplaneKey, .optional(.credentialPath), .restart,
                "The private key of that certificate. Only its owner may read and write it."),
        ]
    ) { chat in
        if (chat.backplaneCertificate == nil) != (chat.backplaneKey == nil) {
            return "of backplane_certificate and backplane_key only one is set"
        }
        let others = [
            chat.backplaneCredentials, chat.backplaneCA, chat.backplaneCertificate,
        ]
        return chat.backplane == nil && others.contains { $0 != nil }
            ? "backplane is empty, so backplane_credentials, backplane_ca and "
                + "backplane_certificate have no effect" : nil
    }

    /// The part of it that applies to the sessions of a room.
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

/// The limits of a session, and what happens to one that reads too slowly. A value.
public struct ChatLimits: Hashable, Sendable {
    /// What happens to a receiver whose queue is full.
    public enum SlowReceiver: String, CaseIterable, Hashable, Sendable {
        /// Its oldest messages are dropped; when it reads again it gets their number.
        case dropOldest = "drop-oldest"
        /// It is disconnected.
        case disconnect
    }

    /// The longest text accepted from a client. 0 or more bytes; default 64 KiB.
    public var maxMessageBytes = 64 << 10
    /// Messages per second of one session in the long run; beyond it reading from the session
    /// pauses, and no message is lost. 0: no limit. Default 1000.
    public var messagesPerSecond = 1000
    /// Messages that one session may send at once after a pause. At least 1; default 2000.
    public var messageBurst = 2000
    /// Bytes queued for one receiver, besides those in the output buffer of its connection.
    /// Default 1 MiB.
    public var queueBytes = 1 << 20
    /// What happens to a receiver whose queue is full. Default: the oldest messages are dropped.
    public var slowReceiver = SlowReceiver.dropOldest

    /// The defaults.
    public init() {}
}
