import RocketBase
@_spi(Transport) import RocketRPC
import SwiftProtobuf

/// `grpc.health.v1.Health`: tells what `RPCServer.health` tells. Any thread.
struct GRPCHealth: Grpc_Health_V1_HealthService {
    let health: RPCHealth

    nonisolated(nonsending) func check(
        _ request: Grpc_Health_V1_HealthCheckRequest, _ call: RPCController
    ) async throws -> Grpc_Health_V1_HealthCheckResponse {
        let status = health.status(of: request.service)
        if status == .serviceUnknown {
            throw RPCError(.notFound, "there is no service '\(request.service)'")
        }
        return .with { $0.status = Self.status(status) }
    }

    /// Sends the status, and each later one; ends with UNAVAILABLE when the server drains, behind
    /// NOT_SERVING.
    nonisolated(nonsending) func watch(
        _ request: Grpc_Health_V1_HealthCheckRequest,
        _ responses: RPCWriter<Grpc_Health_V1_HealthCheckResponse>, _ call: RPCController
    ) async throws {
        while true {
            let isDraining = health.isDraining
            let status = health.status(of: request.service)
            try await responses.write(.with { $0.status = Self.status(status) })
            if isDraining { throw RPCError(.unavailable, "the server drains") }
            while health.status(of: request.service) == status, !health.isDraining {
                try Task.checkCancellation()
                await health.changed(from: status, of: request.service)
            }
        }
    }

    private static func status(
        _ status: RPCHealth.Status
    ) -> Grpc_Health_V1_HealthCheckResponse.ServingStatus {
        switch status {
        case .serving: .serving
        case .notServing: .notServing
        case .serviceUnknown: .serviceUnknown
        default: .unknown
        }
    }
}
