import Foundation
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

/// The .proto files that describe a service, as generated code carries them: read only when
/// somebody asks a server with reflection.
public struct _RPCFileDescriptors: Sendable {
    private let base64: String

    /// - Parameter base64: a serialized google.protobuf.FileDescriptorSet, what is imported before
    ///   what imports it.
    public init(base64: String) { self.base64 = base64 }

    /// Of a service that was written by hand.
    public static let none = _RPCFileDescriptors(base64: "")

    /// The files.
    ///
    /// - Throws: `RPCError` INTERNAL for bytes that are no descriptors.
    func files() throws(RPCError) -> [Google_Protobuf_FileDescriptorProto] {
        guard let bytes = Data(base64Encoded: base64),
            let set = try? Google_Protobuf_FileDescriptorSet(serializedBytes: bytes)
        else { throw RPCError(.internal, "a service's file descriptors can't be read") }
        return set.file
    }
}
