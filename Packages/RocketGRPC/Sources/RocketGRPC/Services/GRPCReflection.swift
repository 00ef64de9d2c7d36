import RocketBase
@_spi(Transport) import RocketRPC
import SwiftProtobuf

/// `grpc.reflection.v1.ServerReflection`, and under the name of v1alpha, whose messages are the same:
/// the services of a server and their files, for tools. Any thread.
struct GRPCReflection: Grpc_Reflection_V1_ServerReflectionService {
    let source: ReflectionSource

    nonisolated(nonsending) func serverReflectionInfo(
        _ requests: RPCMessageStream<Grpc_Reflection_V1_ServerReflectionRequest>,
        _ responses: RPCWriter<Grpc_Reflection_V1_ServerReflectionResponse>, _ call: RPCController
    ) async throws {
        try await serve(requests, responses, source)
    }
}

/// The same under the older name.
struct GRPCReflectionAlpha: RPCService {
    static var serviceName: String { "grpc.reflection.v1alpha.ServerReflection" }

    let source: ReflectionSource

    func register(in registry: inout RPCServiceRegistry) throws {
        let method = RPCMethod<
            Grpc_Reflection_V1_ServerReflectionRequest, Grpc_Reflection_V1_ServerReflectionResponse
        >(
            service: Self.serviceName, name: "ServerReflectionInfo",
            kind: .bidirectionalStreaming)
        try registry.add(bidirectional: method) { requests, responses, _ in
            try await serve(requests, responses, source)
        }
    }
}

private nonisolated(nonsending) func serve(
    _ requests: RPCMessageStream<Grpc_Reflection_V1_ServerReflectionRequest>,
    _ responses: RPCWriter<Grpc_Reflection_V1_ServerReflectionResponse>, _ source: ReflectionSource
) async throws {
    for try await request in requests {
        try await responses.write(try ReflectionAnswer(source).response(to: request))
    }
}

/// Answers one request of reflection.
struct ReflectionAnswer {
    typealias Request = Grpc_Reflection_V1_ServerReflectionRequest
    typealias Response = Grpc_Reflection_V1_ServerReflectionResponse

    private let source: ReflectionSource

    init(_ source: ReflectionSource) { self.source = source }

    /// - Throws: `RPCError` INTERNAL if a service's descriptors can't be read.
    func response(to request: Request) throws -> Response {
        var response = Response()
        response.validHost = request.host
        response.originalRequest = request
        response.messageResponse = try message(request.messageRequest)
        return response
    }

    private func message(
        _ request: Request.OneOf_MessageRequest?
    ) throws -> Response.OneOf_MessageResponse {
        switch request {
        case .fileByFilename(let name):
            guard let files = try source.files(named: name) else {
                return notFound("file '\(name)'")
            }
            return .fileDescriptorResponse(.with { $0.fileDescriptorProto = files })
        case .fileContainingSymbol(let symbol):
            guard let files = try source.files(defining: symbol) else {
                return notFound("symbol '\(symbol)'")
            }
            return .fileDescriptorResponse(.with { $0.fileDescriptorProto = files })
        case .fileContainingExtension(let wanted):
            let holder = try source.files().first { file in
                Self.extensions(of: wanted.containingType, in: file)
                    .contains(wanted.extensionNumber)
            }
            guard let holder, let files = try source.files(named: holder.name) else {
                return notFound(
                    "extension \(wanted.extensionNumber) of '\(wanted.containingType)'")
            }
            return .fileDescriptorResponse(.with { $0.fileDescriptorProto = files })
        case .allExtensionNumbersOfType(let type):
            guard try source.files(defining: type) != nil else {
                return notFound("type '\(type)'")
            }
            let numbers = try source.files().flatMap { Self.extensions(of: type, in: $0) }
            return .allExtensionNumbersResponse(
                .with {
                    $0.baseTypeName = type
                    $0.extensionNumber = numbers.sorted()
                })
        case .listServices:
            return .listServicesResponse(
                .with { list in
                    list.service = source.serviceNames.map { name in .with { $0.name = name } }
                })
        case nil:
            return error(.invalidArgument, "the request asks for nothing")
        }
    }

    /// The numbers of the extensions of a message that a file defines, also inside of messages.
    private static func extensions(
        of type: String, in file: Google_Protobuf_FileDescriptorProto
    ) -> [Int32] {
        var fields = file.extension
        var messages = file.messageType
        while let message = messages.popLast() {
            fields += message.extension
            messages += message.nestedType
        }
        return fields.filter { $0.extendee == "." + type }.map(\.number)
    }

    private func notFound(_ what: String) -> Response.OneOf_MessageResponse {
        error(.notFound, "there is no \(what)")
    }

    private func error(_ code: RPCErrorCode, _ text: String) -> Response.OneOf_MessageResponse {
        .errorResponse(
            .with {
                $0.errorCode = Int32(clamping: code.grpcStatus)
                $0.errorMessage = text
            })
    }
}
