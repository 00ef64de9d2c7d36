import Foundation
import GRPCTestProtos
import ObservedCompression
import RocketBase
import RocketCodec
import RocketRPC
import SwiftProtobuf

/// A case's expectation that does not hold.
struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The client's part of gRPC's interoperability cases.
struct InteropCases: Sendable {
    let service: Grpc_Testing_TestServiceClient
    let unimplemented: Grpc_Testing_UnimplementedServiceClient

    /// Of a channel that compresses its requests.
    let compressing: Grpc_Testing_TestServiceClient
    let compression: ObservedCompression

    init(
        _ channel: RPCChannel, _ compressing: RPCChannel, _ compression: ObservedCompression
    ) {
        self.compressing = Grpc_Testing_TestServiceClient(compressing)
        self.compression = compression
        service = Grpc_Testing_TestServiceClient(channel)
        unimplemented = Grpc_Testing_UnimplementedServiceClient(channel)
    }

    static let all: [String: @Sendable (InteropCases) async throws -> Void] = [
        "empty_unary": { try await $0.emptyUnary() },
        "large_unary": { try await $0.largeUnary() },
        "client_compressed_unary": { try await $0.clientCompressedUnary() },
        "client_compressed_streaming": { try await $0.clientCompressedStreaming() },
        "server_compressed_unary": { try await $0.serverCompressedUnary() },
        "client_streaming": { try await $0.clientStreaming() },
        "server_streaming": { try await $0.serverStreaming() },
        "server_compressed_streaming": { try await $0.serverCompressedStreaming() },
        "ping_pong": { try await $0.pingPong() },
        "empty_stream": { try await $0.emptyStream() },
        "custom_metadata": { try await $0.customMetadata() },
        "status_code_and_message": { try await $0.statusCodeAndMessage() },
        "special_status_message": { try await $0.specialStatusMessage() },
        "unimplemented_method": { try await $0.unimplementedMethod() },
        "unimplemented_service": { try await $0.unimplementedService() },
        "cancel_after_begin": { try await $0.cancelAfterBegin() },
        "cancel_after_first_response": { try await $0.cancelAfterFirstResponse() },
        "timeout_on_sleeping_server": { try await $0.timeoutOnSleepingServer() },
    ]

    static let timeout = Duration.seconds(20)
    static let requestSizes = [27_182, 8, 1_828, 45_904]
    static let responseSizes = [31_415, 9, 2_653, 58_979]
    static let largeRequest = 271_828
    static let largeResponse = 314_159

    // MARK: Messages and expectations

    func payload(_ size: Int) -> Grpc_Testing_Payload { .with { $0.body = Data(count: size) } }

    func large() -> Grpc_Testing_SimpleRequest {
        .with {
            $0.responseSize = Int32(Self.largeResponse)
            $0.payload = payload(Self.largeRequest)
        }
    }

    func output(_ size: Int, _ response: Int? = nil) -> Grpc_Testing_StreamingOutputCallRequest {
        .with {
            $0.payload = payload(size)
            if let response { $0.responseParameters = [.with { $0.size = Int32(response) }] }
        }
    }

    func check(_ payload: Grpc_Testing_Payload, has size: Int) throws {
        guard payload.body == Data(count: size) else {
            throw Unexpected("\(payload.body.count) bytes, not \(size) zeros")
        }
    }

    /// Runs `body`, which must fail with that code, and returns the error.
    @discardableResult
    func fails(
        with code: RPCErrorCode, _ body: () async throws -> Void
    ) async throws -> RPCError {
        do {
            try await body()
        } catch let error as RPCError {
            if error.code == code { return error }
            throw Unexpected("\(error), not \(code)")
        }
        throw Unexpected("succeeded, not \(code)")
    }
}

// MARK: - Unary

extension InteropCases {
    func emptyUnary() async throws {
        let response = try await service.emptyCall(Grpc_Testing_Empty())
        if response != Grpc_Testing_Empty() { throw Unexpected("not empty") }
    }

    func largeUnary() async throws {
        let response = try await service.unaryCall(large())
        try check(response.payload, has: Self.largeResponse)
    }

    func statusCodeAndMessage() async throws {
        try await checkStatus("test status message")
        let call = try await service.fullDuplexCall(timeout: Self.timeout)
        let error = try await fails(with: .unknown) {
            try await call.requests.write(
                .with { $0.responseStatus = status("test status message") })
            call.finishRequests()
            for try await _ in call.responses { throw Unexpected("a response") }
        }
        if error.message != "test status message" { throw Unexpected(error.message) }
    }

    func specialStatusMessage() async throws {
        try await checkStatus(
            "\t\ntest with whitespace\r\nand Unicode BMP \u{263A} and non-BMP \u{1F608}\t\n")
    }

    private func status(_ message: String) -> Grpc_Testing_EchoStatus {
        .with {
            $0.code = 2
            $0.message = message
        }
    }

    private func checkStatus(_ message: String) async throws {
        let error = try await fails(with: .unknown) {
            _ = try await service.unaryCall(.with { $0.responseStatus = status(message) })
        }
        if error.message != message { throw Unexpected(error.message) }
    }

    func unimplementedMethod() async throws {
        try await failsAsUnimplemented {
            _ = try await service.unimplementedCall(Grpc_Testing_Empty())
        }
    }

    func unimplementedService() async throws {
        try await failsAsUnimplemented {
            _ = try await unimplemented.unimplementedCall(Grpc_Testing_Empty())
        }
    }

    private func failsAsUnimplemented(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as RPCError {
            if error.code.grpcStatus == 12 { return }
            throw Unexpected("\(error), not UNIMPLEMENTED")
        }
        throw Unexpected("succeeded, not UNIMPLEMENTED")
    }

    func customMetadata() async throws {
        let controller = RPCController(timeout: Self.timeout)
        addMetadata(to: controller)
        let response = try await service.unaryCall(large(), controller)
        try check(response.payload, has: Self.largeResponse)
        try checkMetadata(of: controller)
        let second = RPCController(timeout: Self.timeout)
        addMetadata(to: second)
        let call = try await service.fullDuplexCall(second)
        try await call.requests.write(output(Self.largeRequest, Self.largeResponse))
        call.finishRequests()
        var count = 0
        for try await response in call.responses {
            try check(response.payload, has: Self.largeResponse)
            count += 1
        }
        if count != 1 { throw Unexpected("\(count) responses") }
        try checkMetadata(of: call.controller)
    }

    private func addMetadata(to call: RPCController) {
        call.requestMetadata["x-grpc-test-echo-initial"] = "test_initial_metadata_value"
        call.requestMetadata[bytes: "x-grpc-test-echo-trailing-bin"] = [0xab, 0xab, 0xab]
    }

    private func checkMetadata(of call: RPCController) throws {
        let initial = call.replyMetadata["x-grpc-test-echo-initial"]
        guard initial == "test_initial_metadata_value" else {
            throw Unexpected("initial metadata \(call.replyMetadata)")
        }
        let trailing = call.trailingMetadata[bytes: "x-grpc-test-echo-trailing-bin"]
        guard trailing == [0xab, 0xab, 0xab] else {
            throw Unexpected("trailing metadata \(call.trailingMetadata)")
        }
    }
}

// MARK: - Streams

extension InteropCases {
    func clientStreaming() async throws {
        let response = try await service.streamingInputCall(timeout: Self.timeout) { requests in
            for size in Self.requestSizes {
                try await requests.write(.with { $0.payload = payload(size) })
            }
        }
        if response.aggregatedPayloadSize != 74_922 {
            throw Unexpected("\(response.aggregatedPayloadSize) bytes")
        }
    }

    func serverStreaming() async throws {
        let request = Grpc_Testing_StreamingOutputCallRequest.with {
            $0.responseParameters = Self.responseSizes.map { size in .with { $0.size = Int32(size) }
            }
        }
        try await expect(Self.responseSizes, request)
    }

    func expect(
        _ sizes: [Int], _ request: Grpc_Testing_StreamingOutputCallRequest
    ) async throws {
        var rest = sizes[...]
        let responses = try await service.streamingOutputCall(request, timeout: Self.timeout)
        for try await response in responses {
            guard let size = rest.popFirst() else { throw Unexpected("more responses") }
            try check(response.payload, has: size)
        }
        if !rest.isEmpty { throw Unexpected("\(rest.count) responses too few") }
    }

    func pingPong() async throws {
        let call = try await service.fullDuplexCall(timeout: Self.timeout)
        var responses = call.responses.makeAsyncIterator()
        for (size, expected) in zip(Self.requestSizes, Self.responseSizes) {
            try await call.requests.write(output(size, expected))
            guard let response = try await responses.next() else { throw Unexpected("no response") }
            try check(response.payload, has: expected)
        }
        call.finishRequests()
        if try await responses.next() != nil { throw Unexpected("more responses") }
    }

    func emptyStream() async throws {
        let call = try await service.fullDuplexCall(timeout: Self.timeout)
        call.finishRequests()
        for try await _ in call.responses { throw Unexpected("a response") }
    }

    func cancelAfterBegin() async throws {
        let call = try await service.streamingInputCall(RPCController(timeout: Self.timeout))
        call.cancel()
        try await fails(with: .cancelled) { _ = try await call.response() }
    }

    func cancelAfterFirstResponse() async throws {
        let call = try await service.fullDuplexCall(timeout: Self.timeout)
        var responses = call.responses.makeAsyncIterator()
        try await call.requests.write(output(27_182, 31_415))
        guard let response = try await responses.next() else { throw Unexpected("no response") }
        try check(response.payload, has: 31_415)
        call.cancel()
        try await fails(with: .cancelled) { _ = try await responses.next() }
    }

    func timeoutOnSleepingServer() async throws {
        let call = try await service.fullDuplexCall(timeout: .milliseconds(1))
        try await fails(with: .deadlineExceeded) {
            try? await call.requests.write(output(27_182))
            for try await _ in call.responses {}
        }
    }
}
