import RocketBase
import RocketCodec
import RocketRPC
import SwiftProtobuf
import Testing

@Suite struct CallTests {
    @Test func aCallGetsItsResponse() async throws {
        try await withChannel { channel in
            let reply = try await channel.call(TestService.echo, Text("hello"))
            #expect(reply.value == "hello")
        }
    }

    @Test func aThousandCallsOnOneConnectionGetTheirOwnAnswersInAnyOrder() async throws {
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
                // All of them wait in their handlers at once; then they go on in random order.
                await service.gate.arrived(1000)
                service.gate.open()
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(replies.count == 1000)
            #expect(replies.allSatisfy { $0.key == $0.value })
        }
    }

    @Test func aSlowCallHoldsNobodyUp() async throws {
        let service = TestService()
        try await withChannel([service]) { channel in
            async let slow = channel.call(TestService.hold, Number(1), timeout: .seconds(60))
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

    @Test func aHandlersOwnErrorKeepsItsCodeAndText() async throws {
        try await withChannel { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(TestService.fail, Text("rpc"))
            }
            #expect(error?.code == .permissionDenied)
            #expect(error?.message == "not you")
            #expect(error?.method == "test.v1.Test.fail")
        }
    }

    @Test func anyOtherErrorIsInternalAndTellsNothingInside() async throws {
        try await withChannel { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(TestService.fail, Text("other"))
            }
            #expect(error?.code == .internal)
            #expect(error?.message == "the handler failed")
        }
    }

    @Test func aBusinessErrorWithNoFieldsToFillIsAnErrorWithItsCode() async throws {
        try await withChannel { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(TestService.fail, Text("business"))
            }
            #expect(error?.code.rawValue == -7)
            #expect(error?.message == "no")
        }
    }

    @Test func aHandlerSeesItsCall() async throws {
        try await withChannel { channel in
            let reply = try await channel.call(
                TestService.describe, Text(), metadata: ["x-sent": "grüße"])
            #expect(reply.value == "test.v1.Test.describe 20 true")
        }
    }

    @Test func unknownNamesAreAnsweredAndTheNextCallWorks() async throws {
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

    @Test func aMessageThatDoesNotParseIsAnsweredAndTheNextCallWorks() async throws {
        try await withChannel { channel in
            // Field 1 is bytes here and text there: these are no UTF-8.
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(
                    RPCMethod<Google_Protobuf_BytesValue, Text>(
                        service: "test.v1.Test", name: "echo"),
                    .with { $0.value.append(0xFF) })
            }
            #expect(error?.code == .failedDeserialize)
            let next = try await channel.call(TestService.echo, Text("on"))
            #expect(next.value == "on")
        }
    }
}
