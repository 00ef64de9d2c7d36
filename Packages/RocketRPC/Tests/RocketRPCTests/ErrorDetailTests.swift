import RocketBase
import RocketCodec
import RocketRPC
import SwiftProtobuf
import Testing

/// Trailing metadata and details of errors, from a handler to the caller.
@Suite("Details of errors and trailing metadata")
struct ErrorDetailTests {
    private func with(
        _ transport: TransportKind, _ body: (RPCChannel) async throws -> Void
    ) async throws {
        try await transport.with([DetailService()]) { caller in
            try await body(try #require(caller as? ChannelCaller).channel)
        }
    }

    @Test("A response has both kinds of metadata", arguments: TransportKind.channels)
    func response(_ transport: TransportKind) async throws {
        try await with(transport) { channel in
            for method in [DetailService.succeed, DetailService.synchronous] {
                let call = RPCController(timeout: .seconds(600))
                let response = try await channel.call(method, Text("x"), call)
                #expect(response.value == "x")
                #expect(call.trailingMetadata == DetailService.trailing)
                #expect(call.trailingMetadata[bytes: "t-bin"] == [0, 1, 254])
                #expect(call.replyMetadata["x-b"] == nil)
                if method.name == "succeed" { #expect(call.replyMetadata["x-a"] == "1") }
            }
        }
    }

    @Test("An error has details and trailing metadata", arguments: TransportKind.channels)
    func error(_ transport: TransportKind) async throws {
        try await with(transport) { channel in
            for method in [DetailService.fail, DetailService.synchronous] {
                let call = RPCController(timeout: .seconds(600))
                let error = await #expect(throws: RPCError.self) {
                    try await channel.call(method, Text("fail"), call)
                }
                #expect(error?.code == .notFound && error?.message == "no order")
                let expected = try DetailService.error().details
                #expect(error?.details == expected)
                #expect(error?.details(of: Text.self).map(\.value) == ["first", "second"])
                #expect(error?.details(of: Number.self).map(\.value) == [7])
                #expect(error?.details(of: Bytes.self).isEmpty == true)
                #expect(call.error?.details.count == 3)
                #expect(call.trailingMetadata == DetailService.trailing)
                #expect(call.replyMetadata.isEmpty)
                // The next call of the same controller has nothing of this one.
                _ = try? await channel.call(DetailService.marked, Text(), call)
                #expect(call.trailingMetadata.isEmpty && call.error?.details.isEmpty == true)
            }
        }
    }

    @Test("A key of the reply that begins with the mark of trailing metadata is refused")
    func marked() async throws {
        try await with(.inProcess) { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(DetailService.marked, Text("x"))
            }
            #expect(error?.code == .resourceExhausted)
            #expect(error?.message.contains("\"trailing-x\"; `trailing-` marks") == true)
        }
    }

    @Test("Details over 8192 bytes are left out, and the error stays")
    func tooLarge() async throws {
        try await with(.inProcess) { channel in
            for (count, expected) in [(200, 1), (8192, 1), (8193, 0), (1_000_000, 0)] {
                let error = await #expect(throws: RPCError.self) {
                    try await channel.call(DetailService.sized, Number(Int64(count)))
                }
                #expect(error?.code == .notFound && error?.details.count == expected, "\(count)")
            }
        }
    }

    @Test("Trailing metadata that can't be encoded does not change the error")
    func invalid() async throws {
        try await with(.inProcess) { channel in
            let call = RPCController(timeout: .seconds(600))
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(DetailService.invalid, Text("x"), call)
            }
            #expect(error?.code == .notFound && error?.message == "no order")
            #expect(error?.details.isEmpty == true && call.trailingMetadata.isEmpty)
        }
    }

    @Test("A detail is unpacked as the type that it has, and as no other one")
    func packing() throws {
        let detail = try RPCErrorDetail(Text("x"))
        #expect(detail.typeURL == "type.googleapis.com/google.protobuf.StringValue")
        #expect(detail.message(as: Text.self) == Text("x"))
        #expect(detail.message(as: Bytes.self) == nil)
        let broken = RPCErrorDetail(typeURL: detail.typeURL, value: [0x0A])
        #expect(broken.message(as: Text.self) == nil)
        let error = RPCError(.aborted, "x", details: [broken, detail])
        #expect(error.details(of: Text.self) == [Text("x")])
    }
}
