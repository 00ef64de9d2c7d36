import Foundation
import GRPCTestProtos
import ObservedCompression
import RocketBase
import RocketRPC
import SwiftProtobuf

// Cases whose messages are compressed, or must not be.

extension InteropCases {
    func clientCompressedUnary() async throws {
        var request = large()
        request.expectCompressed.value = true
        try await fails(with: .invalidArgument) { _ = try await service.unaryCall(request) }
        let compressed = try await compressing.unaryCall(request)
        try check(compressed.payload, has: Self.largeResponse)
        request.expectCompressed.value = false
        let plain = try await service.unaryCall(request)
        try check(plain.payload, has: Self.largeResponse)
    }

    func clientCompressedStreaming() async throws {
        func request(_ size: Int, _ isCompressed: Bool) -> Grpc_Testing_StreamingInputCallRequest {
            .with {
                $0.expectCompressed.value = isCompressed
                $0.payload = payload(size)
            }
        }
        try await fails(with: .invalidArgument) {
            _ = try await service.streamingInputCall(timeout: Self.timeout) { requests in
                try await requests.write(request(27_182, true))
            }
        }
        compression.startOver()
        compression.compressNext(true)
        compression.compressNext(false)
        let response = try await compressing.streamingInputCall(timeout: Self.timeout) { requests in
            try await requests.write(request(27_182, true))
            try await requests.write(request(45_904, false))
        }
        if response.aggregatedPayloadSize != 73_086 {
            throw Unexpected("\(response.aggregatedPayloadSize) bytes")
        }
    }

    func serverCompressedUnary() async throws {
        for isCompressed in [true, false] {
            compression.startOver()
            var request = large()
            request.responseCompressed.value = isCompressed
            let response = try await service.unaryCall(request)
            try check(response.payload, has: Self.largeResponse)
            try checkDecompressed(isCompressed)
        }
    }

    func serverCompressedStreaming() async throws {
        for (size, isCompressed) in [(31_415, true), (92_653, false)] {
            compression.startOver()
            let request = Grpc_Testing_StreamingOutputCallRequest.with {
                $0.responseParameters = [
                    .with {
                        $0.size = Int32(size)
                        $0.compressed.value = isCompressed
                    }
                ]
            }
            try await expect([size], request)
            try checkDecompressed(isCompressed)
        }
        let both = Grpc_Testing_StreamingOutputCallRequest.with {
            $0.responseParameters = [(31_415, true), (92_653, false)].map { size, isCompressed in
                .with {
                    $0.size = Int32(size)
                    $0.compressed.value = isCompressed
                }
            }
        }
        try await expect([31_415, 92_653], both)
    }

    private func checkDecompressed(_ isExpected: Bool) throws {
        if compression.hasDecompressed() != isExpected {
            throw Unexpected("the response is \(isExpected ? "not " : "")compressed")
        }
    }
}
