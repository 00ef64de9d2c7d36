import FoundationEssentials
import RocketBase
import RocketRPC
import RocketSimulation
import RocketSystem
import SwiftProtobuf

/// The calls that one client makes to one server. A value.
struct RPCLoad: Sendable {
    let host: Host
    let channel: RPCChannel
    /// The virtual time of the world at which it ends.
    let until: Duration
    let seed: UInt64

    static func channel(using random: inout SeededGenerator) -> RPCChannelConfiguration {
        var configuration = RPCChannelConfiguration()
        configuration.poolSize = Int.random(in: 1...3, using: &random)
        configuration.waitsForReady = random.chance(0.5)
        configuration.timeout = random.duration(in: .milliseconds(200)...(.seconds(3)))
        return configuration
    }

    func run() async throws {
        var random = SeededGenerator(seed: seed)
        while host.world.elapsed < until {
            let burst = random.chance(0.2) ? Int.random(in: 2...40, using: &random) : 1
            let seeds = (0..<burst).map { _ in random.next() }
            try await withThrowingTaskGroup { group in
                for seed in seeds { group.addTask { try await one(seed) } }
                try await group.waitForAll()
            }
            try await host.sleep(for: random.duration(in: .milliseconds(1)...(.milliseconds(500))))
        }
    }

    /// One call, which may be cancelled.
    private func one(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let methods = EchoService.all
        let method = methods[Int.random(in: 0..<methods.count, using: &random)]
        let size =
            random.chance(0.05)
            ? Int.random(in: 0...200_000, using: &random) : Int.random(in: 0...500, using: &random)
        let request = Payload.pattern(size + 1, using: &random)
        let timeout =
            random.chance(0.5) ? random.duration(in: .milliseconds(1)...(.seconds(2))) : nil
        var options = RPCCallOptions()
        options.isIdempotent = random.chance(0.3)
        let cancelsAfter =
            random.chance(0.1) ? random.duration(in: .zero...(.milliseconds(300))) : nil
        let chosen = options
        let start = host.world.elapsed
        await withTaskGroup { group in
            group.addTask {
                do {
                    let reply = try await channel.call(
                        method, request, timeout: timeout, options: chosen)
                    if reply != request {
                        host.world.violated(.reply, "a reply of another call: \(method.fullName)")
                    }
                } catch {
                    // While things go wrong, calls fail; the history of calls checks how.
                    if let timeout { checkTimeout(error, timeout, since: start) }
                }
            }
            if let cancelsAfter {
                try? await host.sleep(for: cancelsAfter)
                group.cancelAll()
            }
        }
    }

    /// A deadline doesn't pass before its time, which servers know in whole milliseconds.
    private func checkTimeout(_ error: any Error, _ timeout: Duration, since start: Duration) {
        guard let error = error as? RPCError, error.code == .callTimeout else { return }
        let elapsed = host.world.elapsed - start
        if elapsed + .milliseconds(1) < timeout {
            host.world.violated(
                .deadline, "a call with a timeout of \(timeout) timed out after \(elapsed)")
        }
    }
}

extension Payload {
    /// Bytes of no pattern that repeats within them, which follow from the generator.
    ///
    /// - Parameter count: up to 1 MiB.
    static func pattern(_ count: Int, using random: inout SeededGenerator) -> Payload {
        let start = Int.random(in: 0...patternBytes.count - count, using: &random)
        return .with { $0.value = Data(patternBytes[start..<start + count]) }
    }

    private static let patternBytes: [UInt8] = {
        var random = SeededGenerator(seed: 1)
        return (0..<2 << 20).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }()
}

/// A call that a handler makes has no later deadline than the one that the handler answers.
struct InheritedDeadline: RPCInterceptor {
    let host: Host

    nonisolated(nonsending) func intercept<Request, Response>(
        _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
    ) async throws -> Response {
        if let limit = RPCController.current?.deadline, call.deadline.map({ $0 > limit }) ?? true {
            host.world.violated(
                .deadline, "\(host.name): a call of a handler does not inherit its deadline")
        }
        return try await next(request, call)
    }
}
