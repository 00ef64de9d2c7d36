import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// A loop under an open load on a manual clock: each handler computes for 1 ms, refusals
/// take no time, and what arrives during a tick is read by the next one.
@Suite("A loop under more load than it can serve")
struct OverloadedLoopTests {
    /// Advances the clock by 1 ms.
    struct Computing: RPCService {
        static let serviceName = "test.v1.Computing"
        let clock: any TimeSource

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(
                RPCMethod<Text, Text>(service: Self.serviceName, name: "sync"),
                synchronous: { request, _ in
                    compute()
                    return request
                })
            try registry.add(RPCMethod<Text, Text>(service: Self.serviceName, name: "async")) {
                request, _ in
                await waitForNothing()
                compute()
                return request
            }
        }

        private func compute() {
            (clock as? ManualTimeSource)?.advance(by: .milliseconds(1))
        }

        private func waitForNothing() async {}
    }

    struct Result {
        /// Of the capacity, in calls that were served within 100 ms of their arrival.
        var goodput = 0.0
        var refused = 0
    }

    /// Serves calls at `load` times the capacity for three seconds; the first one does not count.
    func run(_ method: String, load: Double, limits: RPCCallLimits) throws -> Result {
        let kit = FrameKit()
        var result = Result()
        try DrivenServer.with(limits: limits) {
            Computing(clock: $0.time)
        } _: { server, _ in
            let (loop, clock) = (server.loop, server.loop.clock)
            let start = clock.monotonic().nanoseconds
            var (sent, taken, inTime) = (0, 0, 0)
            let gap = 1_000_000 / load
            loop.tickUntilIdle()
            while clock.monotonic().nanoseconds - start < 3_000_000_000 {
                let elapsed = Double(clock.monotonic().nanoseconds - start)
                var frames: [UInt8] = []
                while Double(sent) * gap <= elapsed {
                    frames += try kit.frame(id: "\(sent)", "test.v1.Computing.\(method)")
                    sent += 1
                }
                if frames.isEmpty {
                    clock.advance(by: .microseconds(100))
                } else {
                    server.caller.send(frames)
                }
                loop.tick()
                let now = Double(clock.monotonic().nanoseconds - start)
                for answer in try kit.parseAll(Array(server.caller.bytes[taken...])) {
                    let arrived = Double(try #require(Int(answer.id))) * gap
                    if answer.code != .success {
                        result.refused += 1
                    } else if arrived >= 1e9, now - arrived <= 100_000_000 {
                        inTime += 1
                    }
                }
                taken = server.caller.bytes.count
            }
            result.goodput = Double(inTime) / 2000
        }
        return result
    }

    var limits: RPCCallLimits {
        var limits = RPCCallLimits()
        limits.queueDelay = .milliseconds(5)
        return limits
    }

    @Test("Without a limit nothing is served in time", arguments: ["sync", "async"])
    func unlimited(method: String) throws {
        let result = try run(method, load: 3, limits: RPCCallLimits())
        #expect(result.goodput < 0.1 && result.refused == 0)
    }

    @Test(
        "Queue delay keeps 90 % of the capacity", arguments: ["sync", "async"], [1.5, 2.0, 3.0])
    func queueDelay(method: String, load: Double) throws {
        let result = try run(method, load: load, limits: limits)
        #expect(result.goodput >= 0.9, "\(result)")
    }

    @Test("Below the capacity nothing is refused", arguments: ["sync", "async"])
    func calm(method: String) throws {
        #expect(try run(method, load: 0.9, limits: limits).refused == 0)
    }
}
