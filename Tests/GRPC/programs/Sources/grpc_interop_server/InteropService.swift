import Foundation
import GRPCTestProtos
import ObservedCompression
import RocketBase
import RocketCodec
import RocketRPC
import SwiftProtobuf

/// The keys of metadata that gRPC's interoperability cases name.
enum EchoKey {
    static let initial = "x-grpc-test-echo-initial"
    static let trailing = "x-grpc-test-echo-trailing-bin"
}

/// grpc.testing.TestService, after the server's part of gRPC's interoperability cases.
struct InteropService: Grpc_Testing_TestService {
    let compression: ObservedCompression

    func emptyCall(
        _ request: Grpc_Testing_Empty, _ call: RPCController
    ) async throws -> Grpc_Testing_Empty {
        echoMetadata(call)
        return Grpc_Testing_Empty()
    }

    func unaryCall(
        _ request: Grpc_Testing_SimpleRequest, _ call: RPCController
    ) async throws -> Grpc_Testing_SimpleResponse {
        echoMetadata(call)
        if request.hasExpectCompressed { try expectCompressed(request.expectCompressed.value) }
        if request.hasResponseStatus { throw error(request.responseStatus) }
        if request.hasResponseCompressed {
            compression.startOver()
            compression.compressNext(request.responseCompressed.value)
        }
        return try Grpc_Testing_SimpleResponse.with {
            $0.payload = try payload(request.responseSize)
        }
    }

    func cacheableUnaryCall(
        _ request: Grpc_Testing_SimpleRequest, _ call: RPCController
    ) async throws -> Grpc_Testing_SimpleResponse {
        try await unaryCall(request, call)
    }

    func streamingOutputCall(
        _ request: Grpc_Testing_StreamingOutputCallRequest,
        _ responses: RPCWriter<Grpc_Testing_StreamingOutputCallResponse>, _ call: RPCController
    ) async throws {
        echoMetadata(call)
        compression.startOver()
        try await respond(to: request, responses)
    }

    func streamingInputCall(
        _ requests: RPCMessageStream<Grpc_Testing_StreamingInputCallRequest>,
        _ call: RPCController
    ) async throws -> Grpc_Testing_StreamingInputCallResponse {
        var sum = 0
        for try await request in requests {
            if request.hasExpectCompressed { try expectCompressed(request.expectCompressed.value) }
            sum += request.payload.body.count
        }
        return .with { $0.aggregatedPayloadSize = Int32(clamping: sum) }
    }

    func fullDuplexCall(
        _ requests: RPCMessageStream<Grpc_Testing_StreamingOutputCallRequest>,
        _ responses: RPCWriter<Grpc_Testing_StreamingOutputCallResponse>, _ call: RPCController
    ) async throws {
        echoMetadata(call)
        for try await request in requests { try await respond(to: request, responses) }
    }

    func halfDuplexCall(
        _ requests: RPCMessageStream<Grpc_Testing_StreamingOutputCallRequest>,
        _ responses: RPCWriter<Grpc_Testing_StreamingOutputCallResponse>, _ call: RPCController
    ) async throws {
        var all: [Grpc_Testing_StreamingOutputCallRequest] = []
        for try await request in requests { all.append(request) }
        for request in all { try await respond(to: request, responses) }
    }

    func unimplementedCall(
        _ request: Grpc_Testing_Empty, _ call: RPCController
    ) async throws -> Grpc_Testing_Empty {
        throw RPCError(.unimplemented, "UnimplementedCall is never implemented")
    }

    private func respond(
        to request: Grpc_Testing_StreamingOutputCallRequest,
        _ responses: RPCWriter<Grpc_Testing_StreamingOutputCallResponse>
    ) async throws {
        if request.hasResponseStatus { throw error(request.responseStatus) }
        for wanted in request.responseParameters {
            if wanted.intervalUs > 0 {
                try await Task.sleep(for: .microseconds(wanted.intervalUs))
            }
            if wanted.hasCompressed { compression.compressNext(wanted.compressed.value) }
            let body = try payload(wanted.size)
            try await responses.write(.with { $0.payload = body })
        }
    }

    private func expectCompressed(_ isExpected: Bool) throws {
        if compression.hasDecompressed() != isExpected {
            throw RPCError(
                .invalidArgument, "the request is \(isExpected ? "not " : "")compressed")
        }
    }

    private func payload(_ size: Int32) throws -> Grpc_Testing_Payload {
        guard (0...(64 << 20)).contains(size) else {
            throw RPCError(.invalidArgument, "a payload of \(size) bytes")
        }
        return .with { $0.body = Data(count: Int(size)) }
    }

    private func error(_ status: Grpc_Testing_EchoStatus) -> RPCError {
        RPCError(RPCErrorCode(grpcStatus: Int(status.code)), status.message)
    }

    private func echoMetadata(_ call: RPCController) {
        if let value = call.requestMetadata[EchoKey.initial] {
            call.replyMetadata[EchoKey.initial] = value
        }
        if let value = call.requestMetadata[bytes: EchoKey.trailing] {
            call.trailingMetadata[bytes: EchoKey.trailing] = value
        }
    }
}
