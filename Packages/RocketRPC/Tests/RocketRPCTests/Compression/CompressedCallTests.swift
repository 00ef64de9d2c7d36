import Foundation
import RocketBase
import RocketCodec
import RocketReactorTestKit
import RocketTCP
import SwiftProtobuf
import Testing

@_spi(Transport) @testable import RocketRPC

@Suite("Calls with compressed messages", .ownThread)
struct CompressedCallTests {
    private static let zeros = Bytes(Data(count: 300_000))

    private func withBoth(
        server: RunLengths? = RunLengths(), client: RunLengths? = RunLengths(),
        limits: (inout RPCServerConfiguration) -> Void = { _ in },
        _ body: (RPCChannel) async throws -> Void
    ) async throws {
        try await withServer(configure: {
            if let server { $0.protocols = [.tinyPB(compression: server, above: 1_000)] }
            limits(&$0)
        }) { address in
            var configuration = RPCChannelConfiguration.patient
            if let client { configuration.protocol = .tinyPB(compression: client, above: 1_000) }
            let channel = try RPCChannel(to: address, configuration: configuration)
            defer { channel.close() }
            try await body(channel)
        }
    }

    @Test("Large and small messages come back, many at a time")
    func comeBack() async throws {
        try await withBoth { channel in
            for _ in 0..<3 {
                let small = try await channel.call(TestService.echo, Text("x"))
                #expect(small == Text("x"))
                let large = try await channel.call(TestService.echoBytes, Self.zeros)
                #expect(large == Self.zeros)
            }
            try await withThrowingTaskGroup { group in
                for index in 0..<50 {
                    group.addTask {
                        let bytes = Bytes(Data(repeating: UInt8(index), count: 100 << (index % 12)))
                        let reply = try await channel.call(TestService.echoBytes, bytes)
                        #expect(reply == bytes)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("Peers without compression, or with other encodings, are served as before")
    func others() async throws {
        let pairs: [(RunLengths?, RunLengths?)] = [
            (nil, RunLengths()), (RunLengths(), nil), (RunLengths(["one"]), RunLengths(["other"])),
        ]
        for (server, client) in pairs {
            try await withBoth(server: server, client: client) { channel in
                for _ in 0..<2 {
                    let reply = try await channel.call(TestService.echoBytes, Self.zeros)
                    #expect(reply == Self.zeros)
                }
            }
        }
    }

    @Test("The wire has the keys of the documentation, and small frames")
    func wire() async throws {
        try await withServer(configure: {
            $0.protocols = [.tinyPB(compression: RunLengths(), above: 1_000)]
        }) { address in
            let (client, kit) = (try RawClient(address), FrameKit())
            let message: [UInt8] = try Self.zeros.serializedBytes()
            client.send(
                try kit.frame(
                    "test.v1.Test.echoBytes", info: "rkm1\naccept-encoding=runs\n",
                    payload: message))
            let first = client.receiveFrame()
            #expect(first.count < 4_000)
            let answer = try kit.parse(first)
            #expect(answer.info.contains("accept-encoding=runs\n"))
            #expect(answer.info.contains("\nencoding=runs\n"))
            #expect(answer.info.contains("limit=8192\n"))
            #expect(try runs(message) == answer.payload)
            client.send(
                try kit.frame(
                    "test.v1.Test.echoBytes", info: "rkm1\nencoding=runs\n",
                    payload: runs(message)))
            let second = try kit.parse(client.receiveFrame())
            #expect(try runs(message) == second.payload)
            client.send(
                try kit.frame(
                    "test.v1.Test.echoBytes", info: "rkm1\nencoding=runs\n", payload: [1]))
            let refused = try kit.parse(client.receiveFrame())
            #expect(refused.code == .failedDeserialize)
            client.send(try kit.frame(payload: []))
            #expect(try kit.parse(client.receiveFrame()).code.rawValue == 0)
        }
    }

    @Test("Limits hold for messages as they are without compression")
    func limits() async throws {
        try await withBoth(limits: { $0.limits.defaults.maxRequestBytes = 200_000 }) { channel in
            _ = try await channel.call(TestService.echo, Text("x"))
            await #expect {
                try await channel.call(TestService.echoBytes, Self.zeros)
            } throws: {
                ($0 as? RPCError)?.code == .resourceExhausted
            }
        }
        try await withBoth(limits: { $0.codec = TinyPBCodec(maxFrameBytes: 200_000) }) { channel in
            _ = try await channel.call(TestService.echo, Text("x"))
            await #expect {
                try await channel.call(TestService.echoBytes, Self.zeros)
            } throws: {
                ($0 as? RPCError)?.code == .resourceExhausted
            }
            let reply = try await channel.call(TestService.echo, Text("y"))
            #expect(reply == Text("y"))
        }
    }

    @Test("Errors of handlers, metadata and deadlines are as without compression")
    func outcomes() async throws {
        try await withBoth { channel in
            let call = RPCController()
            call.requestMetadata["x-sent"] = "1"
            let text = try await channel.call(TestService.describe, Text(""), call)
            #expect(text.value.hasSuffix("true"))
            #expect(call.replyMetadata["x-seen"] == "1")
            await #expect(throws: RPCError.self) {
                try await channel.call(TestService.fail, Text("rpc"))
            }
        }
    }
}
