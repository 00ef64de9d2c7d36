import RocketBase
import RocketCodec
import RocketRPC
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

/// Calls that are made by one `call(_:each:)`.
@Suite struct BatchTests {
    func values(_ results: [Result<Text, RPCError>]) -> [String?] {
        results.map { try? $0.get().value }
    }

    func codes<Response>(_ results: [Result<Response, RPCError>]) -> [RPCErrorCode?] {
        results.map { result in
            if case .failure(let error) = result { error.code } else { nil }
        }
    }

    func texts(_ count: Int) -> [Text] { (0..<count).map { Text("\($0)") } }

    @Test("Each request gets its own response, also where there are more than 1,024")
    func responses() async throws {
        try await withChannel { channel in
            for count in [0, 1, 2, 1023, 1024, 1025, 2500] {
                let results = await channel.call(TestService.echo, each: texts(count))
                #expect(values(results) == (0..<count).map { "\($0)" })
            }
            #expect(channel.statistics.callsInFlight == 0)
        }
    }

    @Test("A task on the channel's loop makes batches, too")
    func onTheLoop() async throws {
        try await withChannel { channel in
            let texts = texts(1500)
            let results = await Task(executorPreference: channel.loop) {
                await channel.call(TestService.echo, each: texts)
            }.value
            #expect(values(results) == (0..<1500).map { "\($0)" })
        }
    }

    @Test("A call that fails has its own error, and leaves the others alone")
    func failures() async throws {
        try await withChannel { channel in
            let requests = ["rpc", "business", "rpc"].map { Text($0) }
            let results = await channel.call(TestService.fail, each: requests)
            #expect(
                codes(results)[0] == .permissionDenied && codes(results)[2] == .permissionDenied)
            #expect(codes(results)[1] == RPCErrorCode(rawValue: -7))
            guard case .failure(let error) = results[0] else { return }
            #expect(error.description.contains("test.v1.Test.fail"))
            // Their objects are not used again.
            let later = await channel.call(TestService.fail, each: requests)
            #expect(codes(later) == codes(results))
            #expect(
                values(await channel.call(TestService.echo, each: texts(3))) == ["0", "1", "2"])
        }
    }

    @Test("A batch never has more calls in flight than the channel allows")
    func limits() async throws {
        try await withServer { address in
            for (inFlight, waiting) in [(7, 100), (100, 5), (1, 1)] {
                var configuration = RPCChannelConfiguration.patient
                configuration.maxCallsInFlight = inFlight
                configuration.maxCallsWaiting = waiting
                let channel = try RPCChannel(to: address, configuration: configuration)
                defer { channel.close() }
                let results = await channel.call(TestService.echo, each: texts(30))
                #expect(values(results) == (0..<30).map { "\($0)" })
            }
        }
    }

    @Test("Calls of a batch are spread over the connections and servers as single ones")
    func balancing() async throws {
        try await withServer { first in
            try await withServer { second in
                let channel = try RPCChannel(to: [first, second], configuration: .patient)
                defer { channel.close() }
                let results = await channel.call(TestService.echo, each: texts(200))
                #expect(values(results) == (0..<200).map { "\($0)" })
                #expect(channel.statistics.picks >= 200)
            }
        }
    }

    // MARK: Ends

    @Test("Cancelling the task ends the calls that have not ended, and cancels their handlers")
    func cancelled() async throws {
        let service = TestService()
        try await withChannel([service]) { channel in
            let requests = texts(3)
            let task = Task { await channel.call(TestService.never, each: requests) }
            await service.gate.arrived(3)
            task.cancel()
            #expect(codes(await task.value) == [.cancelled, .cancelled, .cancelled])
            await service.gate.wait()
            #expect(channel.statistics.cancelsSent == 3)
        }
    }

    @Test("A cancelled task sends no call of a batch, nor of its later parts")
    func cancelledBefore() async throws {
        let service = TestService()
        try await withChannel([service]) { channel in
            _ = try await channel.call(TestService.echo, Text())
            let requests = texts(1100)
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await channel.call(TestService.never, each: requests)
            }
            #expect(codes(await task.value) == requests.map { _ in .cancelled })
            #expect(service.gate.arrivalCount == 0 && channel.statistics.cancelsSent == 0)
        }
    }

    @Test("Cancelling batches while they end affects no later call")
    func cancelledWhileEnding() async throws {
        try await withChannel { channel in
            await withTaskGroup { group in
                for caller in 0..<4 {
                    group.addTask {
                        for number in 0..<50 {
                            let requests = (0..<20).map { Text("\(caller) \(number) \($0)") }
                            let cancelled = Task {
                                await channel.call(TestService.echo, each: requests)
                            }
                            if number % 3 == 0 { await Task.yield() }
                            cancelled.cancel()
                            let kept = await channel.call(TestService.echo, each: requests)
                            #expect(values(kept) == requests.map(\.value))
                            for (result, request) in zip(await cancelled.value, requests) {
                                if case .success(let reply) = result { #expect(reply == request) }
                            }
                        }
                    }
                }
            }
            #expect(channel.statistics.callsInFlight == 0)
        }
    }

    @Test("Each call has the time-out")
    func timeout() async throws {
        let service = TestService()
        try await withChannel([service]) { channel in
            let results = await channel.call(
                TestService.hold, each: [Number(1), Number(2)], timeout: .milliseconds(1))
            #expect(codes(results) == [.callTimeout, .callTimeout])
            let late = await channel.call(TestService.echo, each: texts(2), timeout: .zero)
            #expect(codes(late) == [.callTimeout, .callTimeout])
            service.gate.open()
        }
    }

    @Test("Calls of a closed channel fail")
    func closed() async throws {
        try await withServer { address in
            let channel = try RPCChannel(to: address)
            channel.close()
            let results = await channel.call(TestService.echo, each: texts(1100))
            #expect(codes(results) == results.map { _ in .channelInit } && results.count == 1100)
        }
    }

    // MARK: Parameters

    @Test("What names one call can't name several")
    func sharedNames() async throws {
        try await withChannel { channel in
            let key: RPCMetadata = ["idempotency-key": "k"]
            let named = RPCCallOptions.with { $0.messageID = "mine" }
            let echo = TestService.echo
            #expect(
                codes(await channel.call(echo, each: texts(2), metadata: key))
                    == [.failedEncode, .failedEncode])
            #expect(
                codes(await channel.call(echo, each: texts(2), options: named))
                    == [.failedEncode, .failedEncode])
            let one = await channel.call(echo, each: texts(1), metadata: key, options: named)
            #expect(values(one) == ["0"])
            let empty = RPCCallOptions.with { $0.messageID = "" }
            #expect(
                codes(await channel.call(echo, each: texts(1), options: empty)) == [.failedEncode])
        }
    }

    @Test("Objects of calls with parameters keep nothing for the next ones")
    func reset() async throws {
        try await withChannel { channel in
            let special = await channel.call(
                TestService.describe, each: texts(3), metadata: ["x-sent": "1"],
                options: .with { $0.isIdempotent = true })
            let plain = await channel.call(TestService.describe, each: texts(3))
            let expected = [String](repeating: "test.v1.Test.describe 20 true", count: 3)
            #expect(values(special) == expected && values(plain) == expected)
        }
    }

    @Test("Calls of a batch in a handler inherit its deadline, each with an id of its own")
    func inAHandler() async throws {
        try await withChannel { toBack in
            try await withChannel([Relay(next: toBack)]) { channel in
                let reply = try await channel.call(
                    Relay.pass, Text(), options: .with { $0.messageID = "abc" })
                // The first has the id of the handler's call, the others one that begins with it.
                #expect(
                    reply.value == "test.v1.Test.describe 3 true,"
                        + "test.v1.Test.describe 14 true,test.v1.Test.describe 14 true")
            }
        }
    }

    struct Relay: RPCService {
        static let serviceName = "batch.Relay"
        static let pass = RPCMethod<Text, Text>(service: serviceName, name: "pass")
        let next: RPCChannel

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.pass) { request, _ in
                let replies = await next.call(
                    TestService.describe, each: [request, request, request])
                return Text(try replies.map { try $0.get().value }.joined(separator: ","))
            }
        }
    }

    // MARK: Interceptors

    @Test("Interceptors wrap each call")
    func interceptors() async throws {
        let counting = Counting()
        let service = TestService()
        try await withServer([service]) { address in
            let channel = try RPCChannel(
                to: address, configuration: .patient, interceptors: [counting])
            defer { channel.close() }
            let results = await channel.call(TestService.echo, each: texts(1100))
            #expect(values(results) == (0..<1100).map { "\($0)" })
            #expect(counting.calls.withLock { $0 } == 1100)
            let requests = texts(2)
            let task = Task { await channel.call(TestService.never, each: requests) }
            await service.gate.arrived(2)
            task.cancel()
            #expect(codes(await task.value) == [.cancelled, .cancelled])
        }
    }

    final class Counting: RPCInterceptor {
        let calls = Locked(0)

        func intercept<Request: Message & Sendable, Response: Message & Sendable>(
            _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
        ) async throws -> Response {
            calls.withLock { $0 += 1 }
            return try await next(request, call)
        }
    }
}
