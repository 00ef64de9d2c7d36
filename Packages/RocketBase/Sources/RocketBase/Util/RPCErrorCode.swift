/// The error code of a call: the value of err_code on the wire. Numbers that are not listed here
/// are codes of applications.
///
/// gRPC's sixteen canonical codes are here by name; `grpcStatus` has the number that each code has
/// in gRPC. docs/wire-format.md, "Error codes", lists all of them.
public struct RPCErrorCode: RawRepresentable, Hashable, Sendable {
    /// The value of err_code.
    public let rawValue: Int32

    /// Accepts any number, including codes of applications.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    private init(_ rawValue: Int32) { self.rawValue = rawValue }

    // MARK: Of the framework

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
    /// The deadline passed. The same code as `deadlineExceeded`.
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

    // MARK: gRPC's canonical codes

    /// The caller cancelled the call.
    public static let cancelled = RPCErrorCode(10_000_100)
    /// The server drains or is overloaded, and did not begin the call: channels send it again, so
    /// another server may accept it.
    public static let unavailable = RPCErrorCode(10_000_101)
    /// A limit was reached.
    public static let resourceExhausted = RPCErrorCode(10_000_102)
    /// The caller is not authenticated.
    public static let unauthenticated = RPCErrorCode(10_000_103)
    /// The caller has no permission for the call.
    public static let permissionDenied = RPCErrorCode(10_000_104)
    /// A handler failed with an error that has no code.
    public static let `internal` = RPCErrorCode(10_000_105)
    /// The request is wrong, whatever the state of the service is.
    public static let invalidArgument = RPCErrorCode(10_000_106)
    /// What the request names does not exist.
    public static let notFound = RPCErrorCode(10_000_107)
    /// What the request would create exists already.
    public static let alreadyExists = RPCErrorCode(10_000_108)
    /// The service is not in the state that the call requires; the caller should not repeat the call
    /// before that state has changed.
    public static let failedPrecondition = RPCErrorCode(10_000_109)
    /// The call met a concurrent one; the caller may begin the whole sequence of calls again.
    public static let aborted = RPCErrorCode(10_000_110)
    /// The request goes past a valid range, such as the end of a file.
    public static let outOfRange = RPCErrorCode(10_000_111)
    /// The service does not support the operation. For a method that is not registered, servers
    /// reply with `serviceNotFound` or `methodNotFound`.
    public static let unimplemented = RPCErrorCode(10_000_112)
    /// Data is lost or damaged for good.
    public static let dataLoss = RPCErrorCode(10_000_113)
    /// The cause is not known: gRPC's code for errors of another domain.
    public static let unknown = RPCErrorCode(10_000_114)
    /// The deadline passed: gRPC's name of `callTimeout`. The code has one number and one `name`,
    /// ERROR_RPC_CALL_TIMEOUT, because logs and metrics contain that.
    public static let deadlineExceeded = callTimeout

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
        case .invalidArgument: "INVALID_ARGUMENT"
        case .notFound: "NOT_FOUND"
        case .alreadyExists: "ALREADY_EXISTS"
        case .failedPrecondition: "FAILED_PRECONDITION"
        case .aborted: "ABORTED"
        case .outOfRange: "OUT_OF_RANGE"
        case .unimplemented: "UNIMPLEMENTED"
        case .dataLoss: "DATA_LOSS"
        case .unknown: "UNKNOWN"
        default: "\(rawValue)"
        }
    }
}
