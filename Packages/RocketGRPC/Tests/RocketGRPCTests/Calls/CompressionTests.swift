import Foundation
import RocketBase
import RocketCodec
import RocketCompression
import RocketGRPC
import RocketRPC
import SwiftProtobuf
import Testing

@Suite("Compression over gRPC")
struct CompressionTests {
    private static let text = Data(repeating: UInt8(ascii: "a"), count: 500_000)

    private func configurations(
        _ algorithm: CompressionAlgorithm
    ) -> (GRPCServerConfiguration, GRPCChannelConfiguration) {
        var server = GRPCServerConfiguration()
        server.compression = Compression()
        var channel = GRPCChannelConfiguration()
        channel.compression = Compression([algorithm])
        channel.compressesRequests = true
        return (server, channel)
    }

    @Test(
        "Requests and responses, unary and streamed",
        arguments: [CompressionAlgorithm.gzip, .zstd])
    func calls(algorithm: CompressionAlgorithm) async throws {
        let (server, channel) = configurations(algorithm)
        try await withGRPC(server: server, channel: channel) { channel in
            let reply = try await channel.call(GRPCService.bytes, Bytes(Self.text))
            #expect(reply.value == Self.text)
            let call = try await channel.stream(GRPCService.chat)
            var responses = call.responses.makeAsyncIterator()
            for count in [0, 10, 300, 500_000] {
                try await call.requests.write(Bytes(Self.text.prefix(count)))
                let response = try await responses.next()
                #expect(response?.value.count == count)
            }
            call.finishRequests()
            let end = try await responses.next()
            #expect(end == nil)
        }
    }

    @Test("An encoding that the server does not have is UNIMPLEMENTED")
    func unknown() async throws {
        let (server, channel) = configurations(.deflate)
        try await withGRPC(server: server, channel: channel) { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(GRPCService.bytes, Bytes(Self.text))
            }
            #expect(error?.code == .unimplemented)
            #expect(error?.message.contains("identity,zstd,gzip") == true)
        }
    }

    @Test("A call whose requests are not compressed names no encoding, and so is served")
    func uncompressed() async throws {
        let (server, channel) = configurations(.deflate)
        try await withGRPC(server: server, channel: channel) { channel in
            let reply = try await channel.call(
                GRPCService.bytes, Bytes(Self.text), options: .uncompressed)
            #expect(reply.value == Self.text)
            let call = try await channel.stream(GRPCService.chat, options: .uncompressed)
            var responses = call.responses.makeAsyncIterator()
            for count in [1000, 500_000] {
                try await call.requests.write(Bytes(Self.text.prefix(count)))
                let response = try await responses.next()
                #expect(response?.value.count == count)
            }
            call.finishRequests()
        }
    }

    @Test("A message that gets too large when it is decompressed is RESOURCE_EXHAUSTED")
    func bomb() async throws {
        let (server, channel) = configurations(.gzip)
        try await withGRPC(
            server: server, channel: channel,
            configure: { $0.codec = TinyPBCodec(maxFrameBytes: 200_000) }
        ) { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(GRPCService.bytes, Bytes(Self.text))
            }
            #expect(error?.code == .resourceExhausted)
            let stream = await #expect(throws: (any Error).self) {
                let call = try await channel.stream(GRPCService.chat)
                try await call.requests.write(Bytes(Self.text))
                for try await _ in call.responses {}
            }
            #expect((stream as? RPCError)?.code == .resourceExhausted)
        }
    }
}
