import RocketBalancing
import RocketBase
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// What a channel does differently for single methods.
@Suite struct MethodPolicyTests {
    func method(_ name: String) -> ErasedMethod {
        ErasedMethod(
            methodName: [UInt8](name.utf8), encode: { _, _ in }, decode: { _, _ in })
    }

    @Test("Policies are found by the full name of the method, any number of them")
    func find() throws {
        #expect(MethodPolicies([:]) == nil)
        var policies: [String: RPCMethodPolicy] = [:]
        for number in 1...500 {
            policies["shop.v1.Order.m\(number)", default: .init()].maxAttempts = number
        }
        let found = try #require(MethodPolicies(policies))
        for number in 1...500 {
            let policy = found.find(method("shop.v1.Order.m\(number)"))?.policy
            #expect(policy?.maxAttempts == number)
        }
        #expect(found.find(method("shop.v1.Order.m0")) == nil)
        #expect(found.find(method("")) == nil)
    }

    @Test("The times of a method are taken over where it is hedged as before")
    func adopt() throws {
        var policy = RPCMethodPolicy()
        policy.hedging = HedgePolicy(samples: 1)
        let old = try #require(MethodPolicies(["a.b": policy, "a.c": policy]))
        old.find(method("a.b"))?.record(nanoseconds: 1_000_000)
        old.find(method("a.c"))?.record(nanoseconds: 1_000_000)
        var changed = policy
        changed.hedging?.quantile = 0.5
        policy.timeout = .seconds(1)
        let new = try #require(MethodPolicies(["a.b": policy, "a.c": changed, "a.d": policy]))
        new.adoptTimes(of: old)
        func delay(_ name: String) -> Duration? {
            new.find(method(name))?.hedgeDelay(remaining: .seconds(1))
        }
        #expect(delay("a.b") != nil && delay("a.c") == nil && delay("a.d") == nil)
    }

    @Test("The policies of a stub become those of its channel")
    func stub() throws {
        var stub = StubConfig(name: "order", address: "127.0.0.1:1")
        var one = MethodPolicyConfig(method: "shop.v1.Order.get")
        one.timeout = .milliseconds(5)
        one.maxAttempts = 7
        one.isIdempotent = true
        one.hedges = true
        var other = MethodPolicyConfig(method: "shop.v1.Order.make")
        other.hedges = false
        stub.methodPolicies = [one, other]
        let methods = try RPCChannelConfiguration(stub).methods
        var expected = RPCMethodPolicy()
        expected.timeout = .milliseconds(5)
        expected.maxAttempts = 7
        expected.isIdempotent = true
        expected.hedging = HedgePolicy()
        #expect(methods == ["shop.v1.Order.get": expected, "shop.v1.Order.make": .init()])
    }

    @Test("A call without a time-out has its method's, before the channel's; a reload changes it")
    func timeout() async throws {
        typealias Clock = ChannelConfigurationTests.Clock
        try await withServer([Clock()], configure: { $0.limits.defaults.timeout = .zero }) {
            address in
            var config = RocketConfig()
            config.stubs = [StubConfig(name: "clock", address: address.description)]
            var policy = MethodPolicyConfig(method: Clock.left.fullName)
            policy.timeout = .seconds(7200)
            config.stubs[0].methodPolicies = [policy]
            let channel = try RPCChannel(to: "clock", config: config)
            defer { channel.close() }
            func left(_ timeout: Duration? = nil) async throws -> Int64 {
                let reply = try await channel.call(Clock.left, Number(0), timeout: timeout)
                return reply.value
            }
            #expect(try await (3_600_000...7_200_000).contains(left()))
            #expect(try await (0...3_600_000).contains(left(.seconds(3600))))
            let controlled = try await channel.call(Clock.left, Number(0), RPCController()).value
            #expect((3_600_000...7_200_000).contains(controlled))
            config.stubs[0].methodPolicies[0].timeout = .seconds(72_000)
            try channel.reload(config)
            #expect(try await (36_000_000...72_000_000).contains(left()))
            config.stubs[0].methodPolicies = []
            config.stubs[0].timeout = .seconds(3600)
            try channel.reload(config)
            #expect(try await (0...3_600_000).contains(left()))
        }
    }

    final class Calls: Sendable {
        private let count = Locked(0)

        func isFirst() -> Bool {
            count.withLock { count in
                count += 1
                return count == 1
            }
        }
    }

    /// Two servers share it: the first call that says so has no reply until it is cancelled.
    struct Slow: RPCService {
        static let serviceName = "test.Slow"
        static let get = RPCMethod<Text, Text>(service: serviceName, name: "get")

        let calls = Calls()
        let cancelled = Gate()

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.get) { request, _ in
                if request.value == "hang", calls.isFirst() {
                    await withTaskCancellationHandler {
                        await cancelled.wait()
                    } onCancel: {
                        cancelled.open()
                    }
                }
                return request
            }
        }
    }

    @Test("A call that hangs on one of two servers is answered by the other, and cancelled")
    func hedged() async throws {
        let slow = Slow()
        try await withServer([slow]) { first in
            try await withServer([slow]) { second in
                var configuration = RPCChannelConfiguration.patient
                var policy = RPCMethodPolicy()
                policy.isIdempotent = true
                policy.hedging = HedgePolicy(samples: 1)
                configuration.methods = [Slow.get.fullName: policy]
                let channel = try RPCChannel(to: [first, second], configuration: configuration)
                defer { channel.close() }
                // Of the first calls some may be sent while one server only is connected.
                var hedged: RPCController?
                for _ in 0..<1000 where hedged == nil {
                    _ = try await channel.call(Slow.get, Text("go"))
                    if channel.statistics.connects == 2, channel.statistics.picks > 0 {
                        hedged = RPCController()
                    }
                }
                let call = try #require(hedged)
                #expect(try await channel.call(Slow.get, Text("hang"), call).value == "hang")
                await slow.cancelled.wait()
                #expect(call.attempts == 2 && Set(call.attemptedPeers) == [first, second])
                // On a busy machine the second attempt may reach its server first, and hang there.
                // HedgingEndTests decides by hand who answers.
                let isHedge = call.peerAddress == call.attemptedPeers.last
                #expect(channel.statistics.hedgesWon >= (isHedge ? 1 : 0))
                #expect(isHedge || call.peerAddress == call.attemptedPeers.first)
            }
        }
    }
}
