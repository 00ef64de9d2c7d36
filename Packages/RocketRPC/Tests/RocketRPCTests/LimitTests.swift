import RocketBase
import RocketRPC
import RocketSystem
import RocketReactorTestKit
import RocketTCP
import SwiftProtobuf
import Synchronization
import Testing

@Suite("Limits on calls", .ownThread)
struct LimitTests {
    let kit = FrameKit()

    /// The codes of echo calls with texts of these lengths.
    func codes(
        _ limits: RPCCallLimits, _ method: String = "echo", lengths: [Int]
    ) async throws -> [RPCErrorCode] {
        let dispatcher = try RPCDispatcher(services: [TestService()], limits: limits)
        var codes: [RPCErrorCode] = []
        for length in lengths {
            let frame = try kit.frame(
                "test.v1.Test.\(method)", payload: kit.text(String(repeating: "x", count: length)))
            codes.append(try kit.parse(await dispatcher.answer(frame)).code)
        }
        return codes
    }

    let ok = RPCErrorCode(rawValue: 0)

    @Test("A request over the size limit is refused")
    func requestSize() async throws {
        var limits = RPCCallLimits()
        limits.defaults.maxRequestBytes = 12
        // The text is preceded by two bytes.
        #expect(try await codes(limits, lengths: [10, 11]) == [ok, .resourceExhausted])
        limits.methods["test.v1.Test.echo"] = RPCMethodLimits(maxRequestBytes: 7)
        #expect(try await codes(limits, lengths: [5, 6]) == [ok, .resourceExhausted])
        #expect(try await codes(limits, "triple", lengths: [10, 11]) == [ok, .resourceExhausted])
    }

    @Test("A response over the size limit is replaced by an error")
    func responseSize() async throws {
        var limits = RPCCallLimits()
        limits.defaults.maxResponseBytes = 32
        #expect(try await codes(limits, "triple", lengths: [10, 11]) == [ok, .resourceExhausted])
        limits.methods["test.v1.Test.triple"] = RPCMethodLimits(maxResponseBytes: 17)
        #expect(try await codes(limits, "triple", lengths: [5, 6]) == [ok, .resourceExhausted])
        #expect(try await codes(limits, lengths: [30, 31]) == [ok, .resourceExhausted])
    }

    @Test("A limit of 0 means no limit")
    func zeroLimit() async throws {
        var limits = RPCCallLimits()
        limits.defaults = RPCMethodLimits(maxRequestBytes: 3, maxResponseBytes: 3)
        limits.methods["test.v1.Test.echo"] = RPCMethodLimits(
            maxRequestBytes: 0, maxResponseBytes: 0)
        #expect(try await codes(limits, lengths: [100]) == [ok])
        #expect(try await codes(limits, "triple", lengths: [100]) == [.resourceExhausted])
    }

    @Test("Error texts contain the size and the limit")
    func errorTexts() async throws {
        var limits = RPCCallLimits()
        limits.defaults = RPCMethodLimits(maxRequestBytes: 5, maxResponseBytes: 5)
        let dispatcher = try RPCDispatcher(services: [TestService()], limits: limits)
        let long = try kit.frame(payload: kit.text("four"))
        #expect(
            try kit.parse(await dispatcher.answer(long)).info
                == "the request has 6 bytes; 5 are allowed")
        let short = try kit.frame("test.v1.Test.triple", payload: kit.text("two"))
        let answer = try kit.parse(await dispatcher.answer(short))
        #expect(answer.info == "the response has 11 bytes; 5 are allowed")
        #expect(answer.payload.isEmpty)
    }

    @Test("The server's time limit ends a call whose handler does not return")
    func handlerTimeout() async throws {
        let service = TestService()
        try await withServer([service]) {
            $0.limits.methods["test.v1.Test.never"] = RPCMethodLimits(timeout: .milliseconds(20))
        } _: { address in
            let client = try RawClient(address)
            client.send(try kit.frame("test.v1.Test.never"))
            let answer = try kit.parse(client.receiveFrame())
            #expect(answer.code == .callTimeout)
            #expect(answer.info == "the handler ran for longer than the server lets it")
            await service.gate.wait()
            #expect(service.gate.cancelled.withLock { $0 } == 1)
        }
    }

    @Test("The earlier one of the caller's deadline and the server's limit applies")
    func earlierDeadline() async throws {
        let service = TestService()
        try await withServer([service]) {
            $0.limits.defaults.timeout = .seconds(3600)
        } _: { address in
            let client = try RawClient(address)
            client.send(try kit.frame("test.v1.Test.never", info: "rkm1\ntimeout-ms=20\n"))
            #expect(
                try kit.parse(client.receiveFrame()).info
                    == "the deadline passed while the handler ran")
        }
    }

    // MARK: Calls in flight

    @Test("Calls over the connection's limit are refused, and the others finish")
    func callsPerConnection() async throws {
        let service = TestService()
        try await withChannel([service]) {
            $0.limits.maxCallsPerConnection = 2
        } _: { channel in
            async let first = channel.call(TestService.hold, Number(1), timeout: .seconds(3600))
            async let second = channel.call(TestService.hold, Number(2), timeout: .seconds(3600))
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

    @Test("The server's limit counts all connections and can be raised at run time")
    func callsPerServer() async throws {
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
            try await first.call(TestService.hold, Number(5), timeout: .seconds(3600))
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
}
