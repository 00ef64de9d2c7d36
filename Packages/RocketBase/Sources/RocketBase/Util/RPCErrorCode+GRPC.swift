// The mapping to gRPC's status codes; docs/wire-format.md, "Error codes", is its table.

extension RPCErrorCode {
    /// The code in gRPC, 0 (OK) to 16 (UNAUTHENTICATED). Codes of applications are 2 (UNKNOWN).
    public var grpcStatus: Int {
        switch self {
        case RPCErrorCode(rawValue: 0): 0
        case .cancelled: 1
        case .unknown: 2
        case .invalidArgument: 3
        case .deadlineExceeded: 4
        case .notFound: 5
        case .alreadyExists: 6
        case .permissionDenied: 7
        case .resourceExhausted: 8
        case .failedPrecondition: 9
        case .aborted: 10
        case .outOfRange: 11
        case .unimplemented, .serviceNotFound, .methodNotFound, .parseServiceName: 12
        case .internal, .failedDeserialize, .failedSerialize, .failedEncode, .failedDecode: 13
        case .unavailable, .peerClosed, .failedConnect, .failedGetReply, .channelInit, .peerAddress:
            14
        case .dataLoss: 15
        case .unauthenticated: 16
        default: 2
        }
    }

    /// The code of a call that ended with a status of gRPC. Numbers other than 0 to 16 are `unknown`,
    /// as gRPC demands.
    ///
    /// 14 (UNAVAILABLE) is `failedGetReply`, because it does not say whether the server began the
    /// call, while `unavailable` says that it did not, so that the call is sent again. Who knows that
    /// (REFUSED_STREAM, a stream above GOAWAY's last id) uses `unavailable` itself.
    public init(grpcStatus: Int) {
        self =
            switch grpcStatus {
            case 0: RPCErrorCode(rawValue: 0)
            case 1: .cancelled
            case 3: .invalidArgument
            case 4: .deadlineExceeded
            case 5: .notFound
            case 6: .alreadyExists
            case 7: .permissionDenied
            case 8: .resourceExhausted
            case 9: .failedPrecondition
            case 10: .aborted
            case 11: .outOfRange
            case 12: .unimplemented
            case 13: .internal
            case 14: .failedGetReply
            case 15: .dataLoss
            case 16: .unauthenticated
            default: .unknown
            }
    }
}
