public import FoundationEssentials
import RocketBase
import RocketSystem
public import SwiftProtobuf

/// Serves `rocket.Reflection`: lists the services of a server and their descriptors.
final class ReflectionService: RPCReflectionService {
    /// Set once all services are registered, including this one.
    private let catalogue = Locked<ReflectionIndex?>(nil)

    var index: ReflectionIndex? { catalogue.withLock { $0 } }

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

/// What a server with reflection tells of its services. Any thread.
@_spi(Transport) public struct ReflectionSource: Sendable {
    let service: ReflectionService

    /// The names of all services, sorted.
    public var serviceNames: [String] { service.index?.services.map(\.name) ?? [] }

    /// All files, imported files first.
    public func files() throws -> [Google_Protobuf_FileDescriptorProto] {
        try service.index?.files() ?? []
    }

    /// The file with that name, behind the files that it imports; nil: there is none.
    public func files(named name: String) throws -> [Data]? {
        try service.index?.files(named: name)
    }

    /// The file that defines a service, a method, a message or an enumeration, behind the files that
    /// it imports; nil: there is none.
    public func files(defining symbol: String) throws -> [Data]? {
        symbol.isEmpty ? nil : try service.index?.files(for: symbol)
    }
}

/// The .proto files that describe a service, in the form of generated code. Decoded only for a
/// request to a server with reflection.
public struct _RPCFileDescriptors: Sendable {
    private let base64: String

    /// - Parameter base64: a serialized google.protobuf.FileDescriptorSet in Base64, in which
    ///   imported files precede the files that import them.
    public init(base64: String) { self.base64 = base64 }

    /// The descriptors of a service without generated code: none.
    public static let none = _RPCFileDescriptors(base64: "")

    /// Decodes the files.
    ///
    /// - Throws: `RPCError` INTERNAL if the bytes are not a valid descriptor set.
    func files() throws(RPCError) -> [Google_Protobuf_FileDescriptorProto] {
        guard let bytes = Data(base64Encoded: base64),
            let set = try? Google_Protobuf_FileDescriptorSet(serializedBytes: bytes)
        else { throw RPCError(.internal, "a service's file descriptors can't be read") }
        return set.file
    }
}
