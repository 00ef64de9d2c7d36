import RocketBase
import RocketSystem
import SwiftProtobuf

/// `rocket.Reflection`: tells what a server offers.
final class ReflectionService: RPCReflectionService {
    /// There once everything is registered, this service too.
    private let catalogue = Locked<ReflectionIndex?>(nil)

    func show(_ catalogue: ReflectionIndex) { self.catalogue.withLock { $0 = catalogue } }

    func listServices(
        _ request: RPCListServicesRequest, _ call: RPCController
    ) async throws -> RPCListServicesResponse {
        .with { $0.services = catalogue.withLock { $0?.services ?? [] } }
    }

    func describe(
        _ request: RPCDescribeRequest, _ call: RPCController
    ) async throws -> RPCDescribeResponse {
        guard let files = try catalogue.withLock({ $0 })?.files(for: request.symbol) else {
            throw RPCError(.serviceNotFound, "there is no symbol '\(request.symbol)'")
        }
        return .with { $0.files = files }
    }
}
