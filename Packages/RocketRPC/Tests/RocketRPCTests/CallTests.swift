import RocketRPC
import RocketTCP
import SwiftProtobuf
import Synchronization
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
                                TestService.hold, Number(Int64(number)), timeout: .seconds(60)
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

    @Test func aDeadlineEndsTheCallAndLateRepliesHurtNobody() async throws {
        let service = TestService()
        try await withChannel([service]) { channel in
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(
                    TestService.hold, Number(1), timeout: .milliseconds(20))
            }
            #expect(error?.code == .callTimeout)
            service.gate.open()
            let next = try await channel.call(TestService.echo, Text("on"))
            #expect(next.value == "on")
        }
    }

    @Test func cancellingTheTaskEndsTheCallAtOnce() async throws {
        let service = TestService()
        try await withChannel([service]) { channel in
            let task = Task {
                try await channel.call(TestService.hold, Number(1), timeout: .seconds(60))
            }
            await service.gate.arrived(1)
            task.cancel()
            let error = await #expect(throws: RPCError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            service.gate.open()
        }
    }

    @Test func aServerThatIsNotThereIsOneClearError() async throws {
        var address: NetAddress?
        try await withServer { address = $0 }
        let channel = try RPCChannel(to: try #require(address))
        let error = await #expect(throws: RPCError.self) {
            try await channel.call(TestService.echo, Text())
        }
        #expect(error?.code == .peerClosed)
        channel.close()
    }

    @Test func aClosedChannelEndsItsCalls() async throws {
        let service = TestService()
        try await withServer([service]) { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            let task = Task {
                try await channel.call(TestService.hold, Number(1), timeout: .seconds(60))
            }
            await service.gate.arrived(1)
            channel.close()
            let error = await #expect(throws: RPCError.self) { try await task.value }
            #expect(error?.code == .channelInit)
            service.gate.open()
        }
    }

    @Test func aConnectionLostWithTenThousandCallsEndsEachOfThemOnce() async throws {
        let service = TestService()
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        configuration.limits.maxCallsPerConnection = 10_000
        configuration.drainTimeout = .zero
        let server = try RPCServer(configuration: configuration, services: [service])
        let running = Task { try await server.run() }
        let channel = try RPCChannel(to: try #require(await server.boundAddresses.first))
        let codes = try await withThrowingTaskGroup { group in
            for number in 0..<10_000 {
                group.addTask {
                    do throws(RPCError) {
                        _ = try await channel.call(
                            TestService.hold, Number(Int64(number)), timeout: .seconds(60))
                        return RPCErrorCode(rawValue: 0)
                    } catch {
                        return error.code
                    }
                }
            }
            await service.gate.arrived(10_000)
            server.beginDrain()
            try await running.value
            return try await group.reduce(into: [RPCErrorCode: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(codes == [.failedGetReply: 10_000])
        service.gate.open()
        channel.close()
    }

    @Test func aChannelThatWasClosedBeforeItsFirstCallFailsThem() async throws {
        try await withServer { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            channel.close()
            channel.close()
            for _ in 0..<3 {
                let error = await #expect(throws: RPCError.self) {
                    try await channel.call(TestService.echo, Text("x"))
                }
                #expect(error?.code == .channelInit)
            }
        }
    }

    @Test func callsOverTheLimitAreRefusedAndTheOthersFinish() async throws {
        let service = TestService()
        try await withChannel([service]) {
            $0.limits.maxCallsPerConnection = 2
        } _: { channel in
            async let first = channel.call(TestService.hold, Number(1), timeout: .seconds(60))
            async let second = channel.call(TestService.hold, Number(2), timeout: .seconds(60))
            await service.gate.arrived(2)
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(TestService.echo, Text())
            }
            #expect(error?.code == .resourceExhausted)
            service.gate.open()
            let sum = try await first.value + second.value
            #expect(sum == 3)
        }
    }

    @Test func theServersOwnLimitCountsAllConnectionsAndCanBeRaisedWhileItRuns() async throws {
        let service = TestService()
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        configuration.limits.maxCalls = 1
        let server = try RPCServer(configuration: configuration, services: [service])
        let running = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        let first = try RPCChannel(to: address, configuration: .patient)
        let second = try RPCChannel(to: address, configuration: .patient)
        let call = Task {
            try await first.call(TestService.hold, Number(5), timeout: .seconds(60))
        }
        await service.gate.arrived(1)
        let error = await #expect(throws: RPCError.self) {
            try await second.call(TestService.echo, Text("x"))
        }
        #expect(error?.code == .resourceExhausted)
        configuration.limits.maxCalls = 2
        server.update(configuration)
        let next = try await second.call(TestService.echo, Text("x"))
        #expect(next.value == "x")
        service.gate.open()
        #expect(try await call.value.value == 5)
        server.beginDrain()
        try await running.value
        await #expect(throws: RPCError.self) { try await server.run() }
    }

    @Test func aDrainLetsRunningCallsFinish() async throws {
        let service = TestService()
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        configuration.drainTimeout = .seconds(60)
        let server = try RPCServer(configuration: configuration, services: [service])
        let running = Task { try await server.run() }
        let channel = try RPCChannel(to: try #require(await server.boundAddresses.first))
        let call = Task {
            try await channel.call(TestService.hold, Number(5), timeout: .seconds(60))
        }
        await service.gate.arrived(1)
        server.beginDrain()
        service.gate.open()
        #expect(try await call.value.value == 5)
        try await running.value
        channel.close()
    }
}
