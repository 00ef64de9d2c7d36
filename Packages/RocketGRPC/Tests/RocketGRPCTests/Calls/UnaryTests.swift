import Foundation
import RocketBase
import RocketCodec
import RocketGRPC
import RocketRPC
import RocketSystem
import SwiftProtobuf
import RocketTCP
import Testing

@Suite("Unary calls over gRPC")
struct UnaryTests {
    @Test("Calls of synchronous and asynchronous handlers are answered, many at once")
    func echo() async throws {
        try await withGRPC { channel in
            for index in 0..<20 {
                let reply1 = try await channel.call(GRPCService.echo, Text("a\(index)")).value
                #expect(reply1 == "a\(index)")
                let reply2 = try await channel.call(GRPCService.now, Text("b\(index)")).value
                #expect(reply2 == "b\(index)")
            }
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<500 {
                    group.addTask {
                        try await channel.call(GRPCService.echo, Text("c\(index)")).value
                            == "c\(index)"
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
            #expect(channel.statistics.connects == 1)
        }
    }

    @Test("TinyPB and gRPC are served on the same port")
    func samePort() async throws {
        try await withGRPCServer { _, address in
            var patient = RPCChannelConfiguration()
            patient.timeout = .seconds(600)
            let tiny = try RPCChannel(to: address, configuration: patient)
            let grpc = try RPCChannel(to: address, configuration: grpcChannel())
            defer {
                tiny.close()
                grpc.close()
            }
            let reply3 = try await tiny.call(GRPCService.echo, Text("tiny")).value
            #expect(reply3 == "tiny")
            let reply4 = try await grpc.call(GRPCService.echo, Text("grpc")).value
            #expect(reply4 == "grpc")
        }
    }

    @Test(
        "Messages of all sizes arrive, up to the limit",
        arguments: [0, 1, 16_384, 300_000, 3_000_000])
    func sizes(count: Int) async throws {
        try await withGRPC { channel in
            let data = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            let reply5 = try await channel.call(GRPCService.bytes, Bytes(data)).value
            #expect(reply5 == data)
        }
    }

    @Test("A request over the server's limit is RESOURCE_EXHAUSTED, and the connection goes on")
    func tooLarge() async throws {
        let codec = TinyPBCodec(maxFrameBytes: 200_000)
        try await withGRPC(configure: { $0.codec = codec }) { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(GRPCService.bytes, Bytes(Data(count: 300_000)))
            }
            #expect(error?.code == .resourceExhausted)
            #expect(error?.message.contains("300004 bytes") == true)
            let reply6 = try await channel.call(GRPCService.echo, Text("x")).value
            #expect(reply6 == "x")
            #expect(channel.statistics.connects == 1)
        }
    }

    @Test(
        "Codes arrive, those of applications and of Rocket too, with text, details and trailers",
        arguments: [
            RPCErrorCode.cancelled, .unknown, .invalidArgument, .deadlineExceeded, .notFound,
            .alreadyExists, .permissionDenied, .resourceExhausted, .failedPrecondition, .aborted,
            .outOfRange, .unimplemented, .internal, .dataLoss, .unauthenticated, .failedGetReply,
            .failedDeserialize, RPCErrorCode(rawValue: 42),
        ])
    func codes(code: RPCErrorCode) async throws {
        try await withGRPC { channel in
            let controller = RPCController()
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(
                    GRPCService.fail, Number(Int64(code.rawValue)), controller)
            }
            #expect(error?.code == code)
            #expect(error?.message == "fehlgeschlagen: 100 % é\n")
            #expect(error?.details(of: Text.self).map(\.value) == ["detail"])
            #expect(controller.trailingMetadata["x-trailer"] == "t")
        }
    }

    @Test("Metadata travels in both directions")
    func metadata() async throws {
        try await withGRPC { channel in
            var metadata: RPCMetadata = ["x-a": "1 2", "x-a": "3", "under_score.dot": "%"]
            metadata[bytes: "x-bin"] = [1, 2, 3, 4]
            let controller = RPCController(metadata: metadata)
            let reply = try await channel.call(GRPCService.metadata, Text(), controller)
            let lines = reply.value.split(separator: "\n")
            #expect(lines.filter { $0.hasPrefix("x-a=") } == ["x-a=1 2", "x-a=3"])
            #expect(lines.contains("under_score.dot=%"))
            #expect(lines.contains("x-bin=AQIDBA"))
            #expect(lines.contains { $0.hasPrefix("user-agent=grpc-swift-rocket/") })
            #expect(!lines.contains { $0.hasPrefix("grpc-") || $0.hasPrefix(":") })
            #expect(controller.replyMetadata["x-initial"] == "1")
            #expect(controller.replyMetadata[bytes: "y-bin"] == [0, 255])
            #expect(controller.trailingMetadata.entries.map(\.key) == ["x-trailing"])
        }
    }

    @Test("Metadata that gRPC can't carry fails the call before it is sent")
    func invalidMetadata() async throws {
        try await withGRPC { channel in
            for metadata: RPCMetadata in [["x-a": "é"], ["x-a": " 1"], ["te": "x"]] {
                let error = await #expect(throws: RPCError.self) {
                    try await channel.call(GRPCService.echo, Text(), metadata: metadata)
                }
                #expect(error?.code == .failedEncode)
            }
        }
    }

    @Test("4 KiB of metadata pass with the first call")
    func muchMetadata() async throws {
        try await withGRPC { channel in
            let value = String(repeating: "v", count: 4000)
            let reply = try await channel.call(
                GRPCService.metadata, Text(), metadata: ["x-long": value])
            #expect(reply.value.contains("x-long=\(value)"))
        }
    }

    @Test("Methods that don't exist are UNIMPLEMENTED")
    func unknownMethods() async throws {
        try await withGRPC { channel in
            let unknown = RPCMethod<Text, Text>(service: "test.v1.Calls", name: "unknown")
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(unknown, Text())
            }
            #expect(error?.code == .methodNotFound && error?.code.grpcStatus == 12)
            let other = RPCMethod<Text, Text>(service: "test.v1.None", name: "unknown")
            let second = await #expect(throws: RPCError.self) {
                try await channel.call(other, Text())
            }
            #expect(second?.code == .serviceNotFound)
        }
    }

    @Test("A call whose deadline passes is cancelled on the server")
    func deadline() async throws {
        let service = GRPCService()
        try await withGRPC([service]) { channel in
            // A deadline may pass before the server has the call: on a busy machine any.
            var timeout = Duration.milliseconds(50)
            while !service.hasBegun.hasFired {
                let error = await #expect(throws: RPCError.self) {
                    try await channel.call(GRPCService.wait, Text(), timeout: timeout)
                }
                try #require(error?.code == .deadlineExceeded)
                timeout *= 2
            }
            await service.wasCancelled.wait()
        }
    }

    @Test("A call that its task cancels is cancelled on the server")
    func cancel() async throws {
        let service = GRPCService()
        try await withGRPC([service]) { channel in
            let task = Task { try await channel.call(GRPCService.wait, Text()) }
            await service.hasBegun.wait()
            task.cancel()
            await #expect(throws: RPCError.self) { try await task.value }
            await service.wasCancelled.wait()
            let reply7 = try await channel.call(GRPCService.echo, Text("x")).value
            #expect(reply7 == "x")
            #expect(channel.statistics.connects == 1)
        }
    }

    @Test("A server that speaks TinyPB only can't be connected to")
    func tinyServer() async throws {
        try await withGRPCServer(configure: { $0.protocols = [] }) { _, address in
            let channel = try RPCChannel(to: address, configuration: grpcChannel())
            defer { channel.close() }
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(GRPCService.echo, Text())
            }
            #expect(error?.code == .failedConnect)
        }
    }
}
