import RocketBase

/// A code of Connect: its name in an error, and the status of HTTP with it. The table of Connect's
/// specification, "Error Codes".
struct ConnectCode: Hashable, Sendable {
    let name: String
    let httpStatus: Int

    /// The code for a number of gRPC, 1 to 16; any other is `unknown`.
    private static let table: [ConnectCode] = [
        .init(name: "unknown", httpStatus: 500),
        .init(name: "canceled", httpStatus: 499),
        .init(name: "unknown", httpStatus: 500),
        .init(name: "invalid_argument", httpStatus: 400),
        .init(name: "deadline_exceeded", httpStatus: 504),
        .init(name: "not_found", httpStatus: 404),
        .init(name: "already_exists", httpStatus: 409),
        .init(name: "permission_denied", httpStatus: 403),
        .init(name: "resource_exhausted", httpStatus: 429),
        .init(name: "failed_precondition", httpStatus: 400),
        .init(name: "aborted", httpStatus: 409),
        .init(name: "out_of_range", httpStatus: 400),
        .init(name: "unimplemented", httpStatus: 501),
        .init(name: "internal", httpStatus: 500),
        .init(name: "unavailable", httpStatus: 503),
        .init(name: "data_loss", httpStatus: 500),
        .init(name: "unauthenticated", httpStatus: 401),
    ]

    private init(name: String, httpStatus: Int) {
        self.name = name
        self.httpStatus = httpStatus
    }

    /// The code of Connect for a code of Rocket, by its number in gRPC.
    init(_ code: RPCErrorCode) {
        let number = code.grpcStatus
        self = Self.table.indices.contains(number) ? Self.table[number] : Self.table[0]
    }
}
