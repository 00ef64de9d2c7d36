public import RocketBase
public import RocketCodec
public import RocketSystem
public import RocketTCP

/// A unary call that a server has recorded, from its request to its reply. A value.
@_spi(Recording) public struct RPCRecordedCall: Sendable {
    /// A message.
    public struct Message: Sendable {
        /// nil: it is larger than `RPCRecordingSettings.maxMessageBytes`.
        public let bytes: [UInt8]?
        /// The size of the whole message.
        public let length: Int
        /// The full name of its type.
        public let type: String
    }

    /// `package.Service.method`.
    public let method: String
    /// The caller.
    public let peer: NetAddress
    /// As the application has received it.
    public let metadata: RPCMetadata
    /// What the caller has allowed; nil: any time.
    public let timeout: Duration?
    /// The message of the caller.
    public let request: Message
    /// nil: the call has failed.
    public internal(set) var response: Message?
    /// As the handler has set it.
    public internal(set) var replyMetadata = RPCMetadata()
    /// As the handler has set it.
    public internal(set) var trailingMetadata = RPCMetadata()
    /// 0 for a response.
    public internal(set) var code = RPCErrorCode(rawValue: 0)
    /// The text of an error.
    public internal(set) var message = ""
    /// When the call was taken from its connection.
    public let beganAt: WallTime
    /// When its reply was written to the connection's output.
    public internal(set) var endedAt: WallTime

    /// What it occupied when it began, about.
    let requestByteCount: Int
    /// What its reply occupies.
    var replyByteCount: Int {
        let entries = replyMetadata.entries + trailingMetadata.entries
        return (response?.bytes?.count ?? 0) + message.utf8.count
            + entries.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
    }
    var byteCount: Int { requestByteCount + replyByteCount }
}

/// Which calls a server records, and how much of them.
@_spi(Recording) public struct RPCRecordingSettings: Sendable {
    /// The methods; empty, the default: all but those of the framework (`rocket.` and `grpc.`).
    public var methods: [MethodPattern] = []
    /// One of so many calls is recorded, at random; 1, the default: each.
    public var callsPerSample = 1
    /// The most calls; nil, the default: any number.
    public var maxCalls: Int?
    /// Larger messages are left out; their sizes are recorded. Default 64 KiB.
    public var maxMessageBytes = 64 << 10
    /// The memory for calls that nobody has taken yet; further ones are dropped. Default 8 MiB.
    public var bufferBytes = 8 << 20

    /// The defaults.
    public init() {}

    /// Whether calls of a method are recorded.
    func includes(_ method: String) -> Bool {
        if methods.isEmpty { return !method.hasPrefix("rocket.") && !method.hasPrefix("grpc.") }
        return methods.contains { $0.matches(method) }
    }
}
