import FoundationEssentials
public import RocketSystem
import SwiftProtobuf

/// A unary call as a binary log has it: five to seven entries. A value.
public struct LoggedCall: Hashable, Sendable {
    /// A message, or what is left of it.
    public struct Message: Hashable, Sendable {
        /// Without a part, or empty, if `isWhole` is false.
        public var bytes: [UInt8]
        /// The size of the whole message.
        public var length: Int
        /// Whether `bytes` are all of it.
        public var isWhole: Bool

        /// A message of which all or nothing was recorded.
        public init(bytes: [UInt8]?, length: Int) {
            (self.bytes, self.length, isWhole) = (bytes ?? [], length, bytes != nil)
        }
    }

    /// An entry of metadata; the value of a key that ends in `-bin` is any bytes.
    public struct Metadata: Hashable, Sendable {
        /// In lower case.
        public var key: String
        /// UTF-8, unless the key ends in `-bin`.
        public var value: [UInt8]

        /// - Parameter key: in lower case.
        public init(_ key: String, _ value: [UInt8]) { (self.key, self.value) = (key, value) }
    }

    /// Where a call comes from.
    public enum Peer: Hashable, Sendable {
        case ipv4(String, port: UInt16)
        case ipv6(String, port: UInt16)
        case unix(String)
    }

    /// Its number in the log; not 0.
    public var id: UInt64
    /// `package.Service.method`.
    public var method: String
    /// The caller, if it was recorded.
    public var peer: Peer?
    /// That of the request.
    public var metadata: [Metadata] = []
    /// What the caller has allowed; nil: any time.
    public var timeout: Duration?
    /// The message of the caller.
    public var request = Message(bytes: [], length: 0)
    /// nil: the call has failed.
    public var response: Message?
    /// gRPC's initial metadata.
    public var replyMetadata: [Metadata] = []
    /// gRPC's trailing metadata.
    public var trailingMetadata: [Metadata] = []
    /// gRPC's code, 0 for success.
    public var status = 0
    /// The text of an error.
    public var statusMessage = ""
    /// When it began.
    public var beganAt = WallTime(nanoseconds: 0)
    /// When its reply was written.
    public var endedAt = WallTime(nanoseconds: 0)
    /// The fields whose values are not those of the call, in requests and replies; as the metadata
    /// `rocket-masked` in the log.
    public var masked: [FieldPath] = []

    /// The key of `masked`.
    public static let maskedKey = "rocket-masked"

    /// An empty call.
    public init(id: UInt64, method: String) { (self.id, self.method) = (id, method) }

    /// How long it took.
    public var duration: Duration {
        .nanoseconds(max(0, endedAt.nanoseconds &- beganAt.nanoseconds))
    }

    /// Appends its entries to a log, as a server writes them.
    public func append(to log: inout [UInt8]) {
        var writer = EntryWriter(call: self)
        writer.add(.clientHeader, at: beganAt) { entry in
            entry.clientHeader = header
            if let peer { entry.peer = .init(peer) }
        }
        writer.add(.clientMessage, at: beganAt) { entry in entry.set(request) }
        writer.add(.clientHalfClose, at: beganAt) { _ in }
        if let response {
            writer.add(.serverHeader, at: endedAt) { entry in
                entry.serverHeader = .with { $0.metadata = .init(replyMetadata) }
            }
            writer.add(.serverMessage, at: endedAt) { entry in entry.set(response) }
        }
        writer.add(.serverTrailer, at: endedAt) { entry in
            entry.trailer = .with {
                $0.metadata = .init(trailingMetadata)
                $0.statusCode = UInt32(clamping: status)
                $0.statusMessage = statusMessage
            }
        }
        log += writer.bytes
    }

    private var header: Grpc_Binarylog_V1_ClientHeader {
        .with {
            var all = metadata
            if !masked.isEmpty {
                let text = masked.map(\.description).joined(separator: ",")
                all.append(Metadata(Self.maskedKey, Array(text.utf8)))
            }
            $0.metadata = .init(all)
            $0.methodName = "/" + Self.slashed(method)
            if let timeout {
                let nanoseconds = max(0, timeout.wholeNanoseconds)
                $0.timeout = .with {
                    $0.seconds = nanoseconds / 1_000_000_000
                    $0.nanos = Int32(nanoseconds % 1_000_000_000)
                }
            }
        }
    }

    /// `package.Service/method`.
    private static func slashed(_ method: String) -> String {
        guard let dot = method.lastIndex(of: ".") else { return method }
        return method[..<dot] + "/" + method[method.index(after: dot)...]
    }
}

/// The entries of one call.
private struct EntryWriter {
    let call: LoggedCall
    var bytes: [UInt8] = []
    private var sequence: UInt64 = 0

    init(call: LoggedCall) { self.call = call }

    mutating func add(
        _ type: Grpc_Binarylog_V1_GrpcLogEntry.EventType, at time: WallTime,
        _ fill: (inout Grpc_Binarylog_V1_GrpcLogEntry) -> Void
    ) {
        sequence += 1
        var entry = Grpc_Binarylog_V1_GrpcLogEntry.with {
            $0.timestamp = .with {
                let (seconds, rest) = time.nanoseconds.quotientAndRemainder(
                    dividingBy: 1_000_000_000)
                $0.seconds = seconds
                $0.nanos = Int32(rest)
            }
            $0.callID = call.id
            $0.sequenceIDWithinCall = sequence
            $0.type = type
            $0.logger = .server
        }
        fill(&entry)
        BinaryLog.append(entry, to: &bytes)
    }
}

extension Grpc_Binarylog_V1_GrpcLogEntry {
    fileprivate mutating func set(_ message: LoggedCall.Message) {
        self.message = .with {
            $0.length = UInt32(clamping: message.length)
            $0.data = .init(message.bytes)
        }
        payloadTruncated = !message.isWhole
    }
}

extension Grpc_Binarylog_V1_Metadata {
    fileprivate init(_ entries: [LoggedCall.Metadata]) {
        self = .with {
            $0.entry = entries.map { entry in
                .with {
                    $0.key = entry.key
                    $0.value = .init(entry.value)
                }
            }
        }
    }

    var logged: [LoggedCall.Metadata] { entry.map { .init($0.key, Array($0.value)) } }
}

extension Grpc_Binarylog_V1_Address {
    fileprivate init(_ peer: LoggedCall.Peer) {
        self = .with {
            switch peer {
            case .ipv4(let address, let port):
                ($0.type, $0.address, $0.ipPort) = (.ipv4, address, UInt32(port))
            case .ipv6(let address, let port):
                ($0.type, $0.address, $0.ipPort) = (.ipv6, address, UInt32(port))
            case .unix(let path): ($0.type, $0.address) = (.unix, path)
            }
        }
    }

    var logged: LoggedCall.Peer? {
        switch type {
        case .ipv4: .ipv4(address, port: UInt16(clamping: ipPort))
        case .ipv6: .ipv6(address, port: UInt16(clamping: ipPort))
        case .unix: .unix(address)
        default: nil
        }
    }
}
