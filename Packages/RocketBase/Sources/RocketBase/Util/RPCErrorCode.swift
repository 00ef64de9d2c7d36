/// The error code of a call: the value of err_code on the wire. Numbers that are not listed here
/// are codes of applications.
public struct RPCErrorCode: RawRepresentable, Hashable, Sendable {
    /// The value of err_code.
    public let rawValue: Int32

    /// Accepts any number, including codes of applications.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    private init(_ rawValue: Int32) { self.rawValue = rawValue }

    /// The peer refused or closed the connection.
    public static let peerClosed = RPCErrorCode(10_000_000)
    /// Connecting failed for another reason.
    public static let failedConnect = RPCErrorCode(10_000_001)
    /// The connection ended before the reply.
    public static let failedGetReply = RPCErrorCode(10_000_002)
    /// The bytes of a message can't be parsed.
    public static let failedDeserialize = RPCErrorCode(10_000_003)
    /// A message can't be serialized.
    public static let failedSerialize = RPCErrorCode(10_000_004)
    /// A frame can't be encoded, for example because it is too large.
    public static let failedEncode = RPCErrorCode(10_000_005)
    /// A frame violates the wire format.
    public static let failedDecode = RPCErrorCode(10_000_006)
    /// The deadline passed.
    public static let callTimeout = RPCErrorCode(10_000_007)
    /// No such service is registered.
    public static let serviceNotFound = RPCErrorCode(10_000_008)
    /// The service has no such method.
    public static let methodNotFound = RPCErrorCode(10_000_009)
    /// The method name has no dot, or an empty part.
    public static let parseServiceName = RPCErrorCode(10_000_010)
    /// The channel can't be used.
    public static let channelInit = RPCErrorCode(10_000_011)
    /// The peer address is missing or invalid.
    public static let peerAddress = RPCErrorCode(10_000_012)
    /// The caller cancelled the call.
    public static let cancelled = RPCErrorCode(10_000_100)
    /// The server drains or is overloaded; another server may accept the call.
    public static let unavailable = RPCErrorCode(10_000_101)
    /// A limit was reached.
    public static let resourceExhausted = RPCErrorCode(10_000_102)
    /// The caller is not authenticated.
    public static let unauthenticated = RPCErrorCode(10_000_103)
    /// The caller has no permission for the call.
    public static let permissionDenied = RPCErrorCode(10_000_104)
    /// A handler failed with an error that has no code.
    public static let `internal` = RPCErrorCode(10_000_105)

    /// The name, such as `ERROR_RPC_CALL_TIMEOUT`; the number for codes of applications.
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
