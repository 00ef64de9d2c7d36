import RocketBase
import RocketBaseTestKit
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// What a channel and a server do depends on what their loop was handed, and on nothing else.
@Suite(.oneAtATime) struct DeterminismTests {
    // MARK: Randomness

    /// The ids of calls, and when calls are sent again whose connection has ended.
    private func run(seed: UInt64) throws -> [String] {
        let channel = try DrivenChannel(random: SplitMix(seed: seed)) {
            $0.connectBackOff = BackOff(first: .milliseconds(10), most: .milliseconds(40))
            $0.retry.backOff = BackOff(first: .milliseconds(50), most: .seconds(1))
        }
        var trace: [String] = []
        let parent = try callID([UInt8]("99998888".utf8))
        for _ in 0..<5 {
            channel.start { $0.parameters.isIdempotent = true }
            channel.start {
                $0.parameters.idChoice = .inherited(parent)
                $0.parameters.isIdempotent = true
            }
        }
        channel.last.connect()
        trace += channel.last.requests().map(\.id)
        channel.last.end()
        let began = channel.now
        for _ in 0..<200 {
            if channel.state == .connecting {
                trace.append("connect at \(channel.now - began)")
                channel.last.connect()
            }
            for request in channel.last.requests() {
                trace.append("\(request.id) at \(channel.now - began)")
            }
            channel.tick(after: .milliseconds(1))
        }
        #expect(trace.count > 20)
        return trace
    }

    @Test("Ids, jitter and back-offs are those of the loop's generator")
    func seeded() throws {
        let first = try run(seed: 1)
        #expect(try first == run(seed: 1))
        #expect(try first != run(seed: 2))
    }

    @Test("Which late replies are recognised depends on the loop's generator")
    func hashes() throws {
        func hashes(_ seed: UInt64) throws -> [UInt64] {
            let channel = try DrivenChannel(random: SplitMix(seed: seed))
            let id = try callID([UInt8]("mine".utf8))
            return [
                channel.start { $0.parameters.idChoice = .chosen(id) }.id.hash,
                channel.start().id.hash,
            ]
        }
        #expect(try hashes(1) == hashes(1))
        #expect(try hashes(1)[0] != hashes(2)[0])
    }

    // MARK: Time

    @Test("A call's deadline is one of its loop's clock")
    func deadline() throws {
        let hand = try HandDrivenLoop()
        let dispatcher = try RPCDispatcher(services: [TestService()], time: hand.clock)
        let channel = try RPCChannel(inProcess: dispatcher, loop: hand.loop)
        hand.clock.advance(by: .seconds(1000))
        #expect(channel.now == hand.clock.monotonic())
        let controller = RPCController(timeout: .seconds(3))
        let call = channel.start(TestService.echo, Text("x"), controller)
        hand.tickUntilIdle()
        #expect(controller.isFinished && controller.error == nil)
        #expect(controller.deadline == hand.clock.monotonic() + .seconds(3))
        channel.close()
        hand.tickUntilIdle()
        withExtendedLifetime(call) {}
    }

    // MARK: Tasks

    /// Records whether what runs runs on the loop.
    private struct LoopObserver: RPCCallObserver {
        let loop: EventLoop
        let seen = Seen()

        func callBegan(_ call: RPCController) -> (@Sendable (RPCCallEnding) -> Void)? {
            seen.record(loop.isInLoop)
            return nil
        }
    }

    private final class Seen: Sendable {
        private let all = Locked<[Bool]>([])
        var values: [Bool] { all.withLock { $0 } }
        func record(_ isInLoop: Bool) { all.withLock { $0.append(isInLoop) } }
    }

    @Test("Started calls, their interceptors and closures run on the channel's loop")
    func tasks() throws {
        let hand = try HandDrivenLoop()
        let observer = LoopObserver(loop: hand.loop)
        let seen = observer.seen
        let dispatcher = try RPCDispatcher(services: [TestService()], time: hand.clock)
        let channel = try RPCChannel(
            inProcess: dispatcher, interceptors: [observer], loop: hand.loop)
        let loop = hand.loop
        let call = channel.start(TestService.echo, Text("x"))
        channel.call(
            TestService.echo, Text("x"),
            done: RPCClosure { _ in seen.record(loop.isInLoop) })
        channel.call(
            TestService.fail, Text("rpc"),
            done: RPCClosure(by: { $0() }) { _ in
            } failed: { _ in
                seen.record(loop.isInLoop)
            })
        // Nothing runs on another thread, so nothing has happened yet, and all has after it.
        #expect(seen.values.isEmpty)
        hand.tickUntilIdle()
        #expect(seen.values == Array(repeating: true, count: 5))
        channel.close()
        hand.tickUntilIdle()
        withExtendedLifetime(call) {}
    }

    // MARK: Order

    @Test("The end of a loop closes its channels in the order of their first use")
    func channels() throws {
        let hand = try HandDrivenLoop()
        let order = Locked<[Int]>([])
        let channels = try (0..<20).map { _ in
            try RPCChannel(to: .loopback(port: 1), loop: hand.loop)
        }
        for (number, channel) in channels.enumerated() {
            channel.call(
                TestService.echo, Text("x"), options: waiting,
                done: RPCClosure { _ in
                } failed: { _ in
                    order.withLock { $0.append(number) }
                })
        }
        hand.tickUntilIdle()
        hand.loop.stop()
        hand.loop.run()
        #expect(order.withLock { $0 } == Array(0..<20))
    }

    private var waiting: RPCCallOptions {
        var options = RPCCallOptions()
        options.waitsForReady = true
        return options
    }

    private final class Order: Sendable {
        private let all = Locked<[Int]>([])
        var numbers: [Int] { all.withLock { $0 } }
        func append(_ number: Int) { all.withLock { $0.append(number) } }
    }

    @Test("Subscribers of a channel's state are notified in the order of their subscriptions")
    func subscribers() throws {
        let hand = try HandDrivenLoop()
        let broadcaster = StateBroadcaster()
        let order = Order()
        for number in 0..<20 {
            let states = broadcaster.subscribe()
            Task(executorPreference: hand.loop) {
                for await state in states where state == .ready {
                    order.append(number)
                }
                order.append(100 + number)
            }
        }
        hand.tickUntilIdle()
        broadcaster.publish(.ready)
        hand.tickUntilIdle()
        broadcaster.publish(.closed)
        hand.tickUntilIdle()
        #expect(order.numbers == Array(0..<20) + Array(100..<120))
    }

    @Test("Watch calls return in the order in which they came")
    func watchers() throws {
        let hand = try HandDrivenLoop()
        let health = RPCHealth(services: ["a.B"])
        let call = RPCController()
        let order = Order()
        for number in 0..<20 {
            Task(executorPreference: hand.loop) {
                _ = try await health.watch(
                    .with {
                        $0.service = "a.B"
                        $0.known = .serving
                    }, call)
                order.append(number)
            }
        }
        hand.tickUntilIdle()
        #expect(order.numbers.isEmpty)
        health.set(.notServing, for: "a.B")
        hand.tickUntilIdle()
        #expect(order.numbers == Array(0..<20))
    }

    /// Holds its calls, and records the order in which they are cancelled.
    private final class Holding: RPCService {
        static let serviceName = "test.v1.Holding"
        static let hold = RPCMethod<Text, Text>(service: serviceName, name: "hold")
        let cancelled = Locked<[String]>([])
        let gate = AsyncEvent()

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.hold) { request, call in
                let id = call.messageID
                await withTaskCancellationHandler {
                    await self.gate.wait()
                } onCancel: {
                    self.cancelled.withLock { $0.append(id) }
                }
                return request
            }
        }
    }

    @Test("A server that stops cancels its calls in the order in which their connections came")
    func connections() throws {
        let service = Holding()
        try ServerScene.with([service], connections: 20) { scene, clients in
            // The calls come in another order than the connections.
            for number in (0..<20).reversed() {
                try clients[number].call("test.v1.Holding.hold", id: "\(number)")
            }
            scene.scheduler.stop()
            service.gate.fire()
            scene.loop.tickUntilIdle()
        }
        #expect(service.cancelled.withLock { $0 } == (0..<20).map { "\($0)" })
    }

    @Test("The schedulers of a server stop in the order in which their loops came")
    func schedulers() throws {
        let registry = SchedulerRegistry()
        let dispatcher = try RPCDispatcher(services: [])
        let hands = try (0..<8).map { _ in try HandDrivenLoop() }
        let made = hands.reversed().map { registry.scheduler(on: $0.reactor, dispatcher) }
        for (hand, scheduler) in zip(hands.reversed(), made) {
            #expect(registry.scheduler(on: hand.reactor, dispatcher) === scheduler)
        }
        registry.stopAll()
        for hand in hands { #expect(hand.tick().tasks == 1) }
    }
}
