import RocketReactor
import RocketCodec
import RocketBase
import RocketCodec
import RocketRPC
import RocketReactor
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

/// Calls with a controller or a closure, and the public state of a channel.
@Suite struct ControllerTests {
    @Test("A controller holds the outcome of its call")
    func outcome() async throws {
        try await withServer { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            defer { channel.close() }
            let call = RPCController(timeout: .seconds(3600), metadata: ["x-sent": "grüße"])
            _ = try await channel.call(TestService.describe, Text(), call)
            #expect(call.replyMetadata == ["x-seen": "grüße"])
            #expect(call.isFinished && call.error == nil && !call.isCancelled)
            #expect(call.messageID.count == 20 && call.method == "test.v1.Test.describe")
            #expect(call.peerAddress == address && call.localAddress?.port != nil)

            _ = try? await channel.call(TestService.fail, Text("rpc"), call)
            #expect(call.error?.code == .permissionDenied && call.replyMetadata.isEmpty)
        }
    }

    @Test("A controller cancels its call")
    func cancel() async throws {
        let service = TestService()
        try await withChannel([service]) { channel in
            let call = RPCController(timeout: .seconds(3600))
            let started = channel.start(TestService.never, Text(), call)
            await service.gate.arrived(1)
            call.cancel()
            call.cancel()
            let error = await #expect(throws: RPCError.self) { try await started.value }
            #expect(error?.code == .cancelled && call.error?.code == .cancelled)
            #expect(call.isCancelled)
            // The handler opens the gate when its task is cancelled.
            await service.gate.wait()
            #expect(channel.statistics.cancelsSent == 1)
        }
    }

    @Test("An error thrown by a closure is the controller's error")
    func closureError() async throws {
        struct CallbackFailed: Error {}
        try await withChannel { channel in
            let call = RPCController()
            let error = await withCheckedContinuation { continuation in
                channel.call(
                    TestService.echo, Text("x"), call,
                    done: RPCClosure { _ in
                        throw CallbackFailed()
                    } failed: {
                        continuation.resume(returning: $0)
                    })
            }
            #expect(error.cause is CallbackFailed && call.error?.cause is CallbackFailed)
        }
    }

    @Test("A closure runs on the queue it is given")
    func closureOnQueue() async throws {
        // A queue that keeps the work until the test runs it.
        let queue = Locked<[@Sendable () -> Void]>([])
        let (runs, waiting) = AsyncStream.makeStream(of: Void.self)
        let outcome = Locked("")
        try await withChannel { channel in
            let call = channel.call(
                TestService.echo, Text("queued"),
                done: RPCClosure { work in
                    queue.withLock { $0.append(work) }
                    waiting.yield()
                } _: { response in
                    outcome.withLock { $0 = response.value }
                })
            await call.wait()
            for await _ in runs { break }
            #expect(outcome.withLock { $0 } == "")
            for work in queue.withLock({ $0 }) { work() }
            #expect(outcome.withLock { $0 } == "queued")
        }
    }

    @Test("A chosen msg_id is sent; one of more than 49 bytes is refused")
    func chosenID() async throws {
        try await withChannel { channel in
            let id = String(repeating: "7", count: 49)
            let call = RPCController(options: .with { $0.messageID = id })
            let reply = try await channel.call(TestService.describe, Text(), call)
            #expect(reply.value.hasPrefix("test.v1.Test.describe 49") && call.messageID == id)
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(
                    TestService.echo, Text(), options: .with { $0.messageID = id + "7" })
            }
            #expect(error?.code == .failedEncode)
        }
    }

    // MARK: Channels

    @Test("A channel publishes its states from idle to closed")
    func states() async throws {
        // No idle time-out: only the test ends the connection.
        try await withServer {
            $0.tcp.connection.idleTimeout = nil
        } _: { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            let states = channel.states
            #expect(channel.state == .idle)
            channel.connect()
            var received: [RPCChannelState] = []
            for await state in states {
                received.append(state)
                if state == .ready { channel.close() }
            }
            #expect(received == [.idle, .connecting, .ready, .closed])
            #expect(channel.state == .closed)
        }
    }

    @Test("A pool spreads calls over several servers")
    func poolOverServers() async throws {
        let (first, second) = (TestService(), TestService())
        try await withServer([first]) { a in
            try await withServer([second]) { b in
                var configuration = RPCChannelConfiguration()
                configuration.poolSize = 2
                let channel = try RPCChannel(to: [a, b], configuration: configuration)
                defer { channel.close() }
                // Calls go to the first connection until the second one is ready.
                var calls: [RPCAsyncCall<Number>] = []
                while channel.statistics.connects < 2 {
                    calls.append(
                        channel.start(TestService.hold, Number(1), timeout: .seconds(3600)))
                    _ = try await channel.call(TestService.echo, Text())
                }
                calls.append(channel.start(TestService.hold, Number(1), timeout: .seconds(3600)))
                await first.gate.arrived(1)
                await second.gate.arrived(1)
                first.gate.open()
                second.gate.open()
                for call in calls {
                    let reply = try await call.value
                    #expect(reply.value == 1)
                }
                #expect(channel.statistics.callsInFlight == 0)
            }
        }
    }

    @Test("A channel without an address is one error")
    func noAddress() {
        let error = #expect(throws: RPCError.self) { try RPCChannel(to: [NetAddress]()) }
        #expect(error?.code == .peerAddress)
    }

    @Test("Closing a channel cancels its handlers on the server")
    func closeCancelsHandlers() async throws {
        let service = TestService()
        try await withServer([service]) { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            let call = channel.start(TestService.never, Text(), timeout: .seconds(3600))
            await service.gate.arrived(1)
            channel.close()
            await call.wait()
            // The handler opens the gate when its task is cancelled.
            await service.gate.wait()
            let cancelled = service.gate.cancelled.withLock { $0 }
            #expect(cancelled == 1)
        }
    }

    @Test("A loop that ends before its channel ends the calls")
    func loopEndsFirst() async throws {
        let service = TestService()
        try await withServer([service]) { address in
            let thread = try IOThread(name: "short-lived")
            let channel = try RPCChannel(to: address, loop: thread.loop)
            let call = channel.start(TestService.hold, Number(1), timeout: .seconds(3600))
            await service.gate.arrived(1)
            thread.stop()
            await thread.ended()
            let error = await #expect(throws: RPCError.self) { try await call.value }
            // The code depends on which ends first, the connection or the channel.
            #expect(error?.code == .failedGetReply || error?.code == .channelInit)
            let next = await #expect(throws: RPCError.self) {
                try await channel.call(TestService.echo, Text())
            }
            #expect(next?.code == .channelInit)
            service.gate.open()
        }
    }

    @Test("Calls work from tasks that prefer the channel's loop")
    func taskExecutor() async throws {
        try await withChannel { channel in
            let values = try await withTaskExecutorPreference(channel.loop) {
                try await withThrowingTaskGroup { group in
                    for number in 0..<100 {
                        group.addTask {
                            #expect(channel.loop.isInLoop)
                            return try await channel.call(TestService.echo, Text("\(number)"))
                        }
                    }
                    return try await group.reduce(into: Set<String>()) { $0.insert($1.value) }
                }
            }
            #expect(values.count == 100)
        }
    }
}
