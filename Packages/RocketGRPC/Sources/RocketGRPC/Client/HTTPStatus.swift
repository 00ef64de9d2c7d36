import RocketBase

/// What a response without a status of gRPC means, by its HTTP status: gRPC's
/// http-grpc-status-mapping.
enum HTTPStatus {
    static func code(_ status: Int) -> RPCErrorCode {
        switch status {
        case 400: .internal
        case 401: .unauthenticated
        case 403: .permissionDenied
        case 404: .unimplemented
        // UNAVAILABLE of a proxy: nobody knows whether the server began the call.
        case 429, 502, 503, 504: RPCErrorCode(grpcStatus: 14)
        default: .unknown
        }
    }
}
