/// What went wrong with a call, as it stands in err_code on the wire. Any other number is an
/// application's own.
public struct RPCErrorCode: RawRepresentable, Hashable, Sendable {
    /// The number, as err_code holds it.
    public let rawValue: Int32

    /// Takes any number, an application's own too.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    private init(_ rawValue: Int32) { self.rawValue = rawValue }

    /// The peer refused or closed the connection.
    public static let peerClosed = RPCErrorCode(10_000_000)
    /// Connecting failed for another cause.
    public static let failedConnect = RPCErrorCode(10_000_001)
    /// The connection ended before the reply.
    public static let failedGetReply = RPCErrorCode(10_000_002)
    /// Message bytes don't parse.
    public static let failedDeserialize = RPCErrorCode(10_000_003)
    /// A message can't be serialized.
    public static let failedSerialize = RPCErrorCode(10_000_004)
    /// A frame can't be encoded (too large, say).
    public static let failedEncode = RPCErrorCode(10_000_005)
    /// A frame breaks the rules.
    public static let failedDecode = RPCErrorCode(10_000_006)
    /// The deadline passed.
    public static let callTimeout = RPCErrorCode(10_000_007)
    /// No such service is registered.
    public static let serviceNotFound = RPCErrorCode(10_000_008)
    /// The service has no such method.
    public static let methodNotFound = RPCErrorCode(10_000_009)
    /// The method name has no dot, or an empty part.
    public static let parseServiceName = RPCErrorCode(10_000_010)
    /// The channel is not usable.
    public static let channelInit = RPCErrorCode(10_000_011)
    /// The peer address is missing or invalid.
    public static let peerAddress = RPCErrorCode(10_000_012)
    /// The caller gave the call up.
    public static let cancelled = RPCErrorCode(10_000_100)
    /// Draining or overloaded: try elsewhere.
    public static let unavailable = RPCErrorCode(10_000_101)
    /// A limit is reached.
    public static let resourceExhausted = RPCErrorCode(10_000_102)
    /// Who calls is not known.
    public static let unauthenticated = RPCErrorCode(10_000_103)
    /// Who calls may not.
    public static let permissionDenied = RPCErrorCode(10_000_104)
    /// A handler failed with no code of its own.
    public static let `internal` = RPCErrorCode(10_000_105)

    /// `ERROR_RPC_CALL_TIMEOUT`; for an application's own code its number.
    public var name: String {
        switch self {
        case .peerClosed: "ERROR_PEER_CLOSED"
        case .failedConnect: "ERROR_FAILED_CONNECT"
        case .failedGetReply: "ERROR_FAILED_GET_REPLY"
        case .failedDeserialize: "ERROR_FAILED_DESERIALIZE"
        case .failedSerialize: "ERROR_FAILED_SERIALIZE"
        case .failedEncode: "ERROR_FAILED_ENCODE"
        case .failedDecode: "ERROR_FAILED_DECODE"
        case .callTimeout: "ERROR_RPC_CALL_TIMEOUT"
        case .serviceNotFound: "ERROR_SERVICE_NOT_FOUND"
        case .methodNotFound: "ERROR_METHOD_NOT_FOUND"
        case .parseServiceName: "ERROR_PARSE_SERVICE_NAME"
        case .channelInit: "ERROR_RPC_CHANNEL_INIT"
        case .peerAddress: "ERROR_RPC_PEER_ADDR"
        case .cancelled: "CANCELLED"
        case .unavailable: "UNAVAILABLE"
        case .resourceExhausted: "RESOURCE_EXHAUSTED"
        case .unauthenticated: "UNAUTHENTICATED"
        case .permissionDenied: "PERMISSION_DENIED"
        case .internal: "INTERNAL"
        default: "\(rawValue)"
        }
    }
}
