import RocketBase
import RocketCodec
import RocketRPC
import SwiftProtobuf
import Testing

@Suite("Calls")
struct CallTests {
    @Test("A call receives its response")
    func singleCall() async throws {
        try await withChannel { channel in
            let reply = try await channel.call(TestService.echo, Text("hello"))
            #expect(reply.value == "hello")
        }
    }

    @Test("1,000 calls on one connection receive their own replies, in any order")
    func replyOrder() async throws {
        let service = TestService()
        try await withChannel([service]) { channel in
            let replies = try await withThrowingTaskGroup { group in
                for number in 0..<1000 {
                    group.addTask {
                        (
                            Int64(number),
                            try await channel.call(
                                TestService.hold, Number(Int64(number)), timeout: .seconds(600)
                            ).value
                        )
                    }
                }
                // All handlers wait at the same time, and then resume in random order.
                await service.gate.arrived(1000)
                service.gate.open()
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(replies.count == 1000)
            #expect(replies.allSatisfy { $0.key == $0.value })
        }
    }

    @Test("A slow call does not delay other calls")
    func slowCall() async throws {
        let service = TestService()
        try await withChannel([service]) { channel in
            async let slow = channel.call(TestService.hold, Number(1), timeout: .seconds(3600))
            await service.gate.arrived(1)
            for number in 0..<100 {
                let reply = try await channel.call(TestService.echo, Text("\(number)"))
                #expect(reply.value == "\(number)")
            }
            service.gate.open()
            let held = try await slow.value
            #expect(held == 1)
        }
    }

    @Test("An RPCError thrown by a handler keeps its code and text")
    func handlerRPCError() async throws {
        try await withChannel { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(TestService.fail, Text("rpc"))
            }
            #expect(error?.code == .permissionDenied)
            #expect(error?.message == "not you")
            #expect(error?.method == "test.v1.Test.fail")
        }
    }

    @Test("Any other error becomes INTERNAL and reveals no detail")
    func handlerOtherError() async throws {
        try await withChannel { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(TestService.fail, Text("other"))
            }
            #expect(error?.code == .internal)
            #expect(error?.message == "the handler failed")
        }
    }

    @Test("A business error without response fields becomes an error with its code")
    func businessErrorWithoutFields() async throws {
        try await withChannel { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(TestService.fail, Text("business"))
            }
            #expect(error?.code.rawValue == -7)
            #expect(error?.message == "no")
        }
    }

    @Test("A handler receives the controller of its call")
    func handlerController() async throws {
        try await withChannel { channel in
            let reply = try await channel.call(
                TestService.describe, Text(), metadata: ["x-sent": "grüße"])
            #expect(reply.value == "test.v1.Test.describe 20 true")
        }
    }

    @Test("Unknown names are answered with an error, and the next call succeeds")
    func unknownNames() async throws {
        try await withChannel { channel in
            let cases: [(String, String, RPCErrorCode)] = [
                ("test.v1.Nobody", "echo", .serviceNotFound),
                ("test.v1.Test", "nothing", .methodNotFound),
                ("", "echo", .parseServiceName),
                ("test.v1.Test", "", .parseServiceName),
            ]
            for (service, name, code) in cases {
                let error = await #expect(throws: RPCError.self) {
                    try await channel.call(
                        RPCMethod<Text, Text>(service: service, name: name), Text())
                }
                #expect(error?.code == code)
            }
            let next = try await channel.call(TestService.echo, Text("on"))
            #expect(next.value == "on")
        }
    }

    @Test("An invalid message is answered with an error, and the next call succeeds")
    func invalidMessage() async throws {
        try await withChannel { channel in
            // Field 1 has type bytes here and string in the method: the bytes are invalid UTF-8.
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(
                    RPCMethod<Bytes, Text>(
                        service: "test.v1.Test", name: "echo"),
                    .with { $0.value.append(0xFF) })
            }
            #expect(error?.code == .failedDeserialize)
            let next = try await channel.call(TestService.echo, Text("on"))
            #expect(next.value == "on")
        }
    }
}
