import FoundationEssentials
import RocketBase
import RocketRPC
import RocketSimulation
import RocketSystem
import SwiftProtobuf

/// The streaming calls that one client makes to one server. A value.
struct StreamLoad: Sendable {
    let host: Host
    let channel: RPCChannel
    let seed: UInt64

    static func channel(using random: inout SeededGenerator) -> RPCChannelConfiguration {
        var configuration = RPCLoad.channel(using: &random)
        configuration.poolSize = Int.random(in: 1...2, using: &random)
        configuration.streams = limits(using: &random)
        return configuration
    }

    static func limits(using random: inout SeededGenerator) -> RPCStreamLimits {
        var limits = RPCStreamLimits()
        limits.windowBytes = [1024, 5000, 65_536, 262_144][Int.random(in: 0...3, using: &random)]
        if random.chance(0.3) { limits.connectionWindowBytes = 3 << 20 }
        return limits
    }

    /// Makes calls until that virtual time of the world.
    func run(until end: Duration) async throws {
        var random = SeededGenerator(seed: seed)
        while host.world.elapsed < end {
            let burst = random.chance(0.3) ? Int.random(in: 2...12, using: &random) : 1
            let seeds = (0..<burst).map { _ in random.next() }
            try await withThrowingTaskGroup { group in
                for seed in seeds { group.addTask { try await one(seed) } }
                try await group.waitForAll()
            }
            try await host.sleep(for: random.duration(in: .milliseconds(1)...(.milliseconds(400))))
        }
    }

    /// One call, which may be cancelled.
    private func one(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let plan = TransferPlan.any(seed, using: &random)
        let kind = Int.random(in: 0...2, using: &random)
        let timeout =
            random.chance(0.4) ? random.duration(in: .milliseconds(1)...(.seconds(3))) : nil
        var options = RPCCallOptions()
        options.isIdempotent = random.chance(0.3)
        let call = RPCController(timeout: timeout, metadata: plan.metadata, options: options)
        let cancelsAfter =
            random.chance(0.2) ? random.duration(in: .zero...(.milliseconds(300))) : nil
        let cancelsTask = random.chance(0.5)
        await withTaskGroup { group in
            group.addTask { await attempt(kind, plan, call, isCancelled: cancelsAfter != nil) }
            if let cancelsAfter {
                try? await host.sleep(for: cancelsAfter)
                if cancelsTask { group.cancelAll() } else { call.cancel() }
            }
        }
    }

    /// While things go wrong calls fail, but not by a fault of the streams.
    private func attempt(
        _ kind: Int, _ plan: TransferPlan, _ call: RPCController, isCancelled: Bool
    ) async {
        do {
            try await transfer(kind, plan, call)
            host.world.count("streams")
        } catch let error as RPCError {
            switch error.code {
            case .internal, .failedDecode, .failedDeserialize, .failedSerialize, .failedEncode,
                .failedPrecondition:
                host.world.violated(.custom, "transfer \(plan.number) of kind \(kind): \(error)")
            case .cancelled where !isCancelled && !Task.isCancelled:
                host.world.violated(
                    .callEnds, "transfer \(plan.number) of kind \(kind), not cancelled: \(error)")
            default: break
            }
        } catch {}
    }

    /// Makes one call of a kind, and checks all that it receives.
    ///
    /// - Throws: the error of the call.
    private func transfer(_ kind: Int, _ plan: TransferPlan, _ call: RPCController) async throws {
        switch kind {
        case 0: try await collect(plan, call)
        case 1: try await feed(plan, call)
        default: try await mirror(plan, call)
        }
    }

    private func collect(_ plan: TransferPlan, _ controller: RPCController) async throws {
        let call = try await channel.stream(TransferService.collect, controller)
        await write(plan, to: call)
        let count = try await call.response().value.number
        let expected = plan.stopsAfter > 0 ? min(plan.stopsAfter, plan.total) : plan.total
        check(count, is: expected, plan)
    }

    private func feed(_ plan: TransferPlan, _ controller: RPCController) async throws {
        var plan = plan
        plan.writers = 1
        let messages = try await channel.serverStream(
            TransferService.feed, Payload(), controller)
        if let count = try await read(messages, plan) { check(count, is: plan.total, plan) }
    }

    private func mirror(_ plan: TransferPlan, _ controller: RPCController) async throws {
        let call = try await channel.stream(TransferService.mirror, controller)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await write(plan, to: call) }
            let count = try await read(call.responses, plan)
            group.cancelAll()
            let expected = plan.stopsAfter > 0 ? min(plan.stopsAfter, plan.total) : plan.total
            if let count { check(count, is: expected, plan) }
        }
    }

    /// Writes all messages, of several writers at once, and the end. A server that answers early ends
    /// that, and an error is thrown by the reader, too.
    private func write(_ plan: TransferPlan, to call: RPCStreamCall<Payload, Payload>) async {
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<plan.writers {
                group.addTask {
                    try? await plan.write(to: call.requests, writer: writer, host)
                }
            }
        }
        call.finishRequests()
    }

    /// - Returns: how many messages came; nil: the plan drops the call.
    private func read(
        _ messages: RPCMessageStream<Payload>, _ plan: TransferPlan
    ) async throws -> UInt64? {
        var received = ReceivedMessages(call: plan.number, host.world)
        for try await message in messages {
            received.check(message)
            if received.count == plan.dropsAfter { return nil }
            if plan.clientPause > 0, received.count % 8 == 1 {
                try await host.sleep(for: .milliseconds(plan.clientPause))
            }
        }
        return UInt64(received.count)
    }

    private func check(_ count: UInt64, is expected: Int, _ plan: TransferPlan) {
        if count == UInt64(expected) { return }
        host.world.violated(
            .custom, "transfer \(plan.number): \(count) messages of \(expected) have arrived")
    }

    // MARK: When all is well

    /// Whether streams of all kinds succeed on the connections that are left: first some that end
    /// with most of their messages unread, then those that carry more than the credit of a
    /// connection.
    func succeeds() async -> Bool {
        for number in 0..<14 {
            let kind = number < 12 ? number % 2 : number - 11
            var plan = TransferPlan.whole(seed &+ UInt64(number))
            if number < 12 {
                plan.count = 12
                // Behind the first message the window fills.
                if kind == 0 {
                    (plan.serverPause, plan.stopsAfter) = (100, 2)
                } else {
                    (plan.clientPause, plan.dropsAfter) = (100, 2)
                }
            }
            plan.isElsewhere = kind == 2
            let call = RPCController(
                timeout: .seconds(20), metadata: plan.metadata, options: .waitForReady)
            do { try await transfer(kind, plan, call) } catch { return false }
        }
        return await succeedsAtOnce()
    }

    /// Whether streams succeed at once that are read late: together they have more than the credit of
    /// their connection, and wait for that.
    private func succeedsAtOnce() async -> Bool {
        await withTaskGroup { group in
            for number in 0..<8 as Range<UInt64> {
                group.addTask {
                    var plan = TransferPlan.whole(seed &+ 100 &+ number)
                    plan.count = 10 + 2 * Int(number)
                    plan.serverPause = 100
                    let call = RPCController(
                        timeout: .seconds(20), metadata: plan.metadata, options: .waitForReady)
                    return (try? await collect(plan, call)) != nil
                }
            }
            return await group.allSatisfy { $0 }
        }
    }
}

extension TransferPlan {
    /// About 1.5 MiB.
    fileprivate static func whole(_ number: UInt64) -> TransferPlan {
        var random = SeededGenerator(seed: number)
        var plan = any(number, using: &random)
        plan.count = 60
        plan.writers = 1
        plan.mostBytes = 50_000
        plan.serverPause = 0
        plan.clientPause = 0
        plan.stopsAfter = 0
        plan.dropsAfter = 0
        return plan
    }
}
