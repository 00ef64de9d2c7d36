import RocketBalancing
import RocketBase
import RocketBaseTestKit
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import Testing

@_spi(Transport) @testable import RocketRPC

/// A channel to several servers whose calls are hedged: the network, the servers and the clock are the
/// test's.
struct HedgedChannel {
    static let a = NetAddress.loopback(port: 1)
    static let b = NetAddress.loopback(port: 2)
    static let c = NetAddress.loopback(port: 3)

    let channel: DrivenChannel
    let servers: [NetAddress]
    let method: String

    /// - Parameter latency: how long the calls take of which the channel learns; nil: it learns nothing.
    init(
        _ servers: [NetAddress] = [a, b], latency: Duration? = .milliseconds(20),
        policy: HedgePolicy? = HedgePolicy(samples: 10), method: String = "t.T.m",
        _ configure: (inout RPCChannelConfiguration) -> Void = { _ in }
    ) throws {
        self.servers = servers
        self.method = method
        channel = try DrivenChannel(
            random: SplitMix(seed: 7), to: .fixed(servers.map { RPCEndpoint([$0]) })
        ) {
            $0.methods[method, default: .init()].hedging = policy
            configure(&$0)
        }
        channel.start()
        for server in servers { try channel.last(to: server).connect() }
        // All connections have worked.
        for _ in 0..<20 { channel.start() }
        for (server, request) in try requests() {
            try channel.last(to: server).reply(to: request.id)
        }
        guard let latency else { return }
        for _ in 0..<10 {
            start()
            let (server, request) = try #require(try requests().first)
            channel.tick(after: latency)
            try channel.last(to: server).reply(to: request.id)
        }
    }

    /// The time after which a call is hedged whose method takes 20 ms.
    static var delay: Duration {
        get throws {
            var delay = HedgeDelay(HedgePolicy(samples: 10))
            for _ in 0..<10 { delay.record(nanoseconds: 20_000_000) }
            return try #require(delay.delay(isIdempotent: true, remaining: .seconds(10)))
        }
    }

    @discardableResult
    func start(
        isIdempotent: Bool = true, timeout: Duration = .seconds(10),
        _ change: (FakeCall) -> Void = { _ in }
    ) -> FakeCall {
        channel.start(timeout: timeout) {
            $0.methodName = [UInt8](method.utf8)
            $0.outgoing.policy = channel.core.settings.policies?.find($0.outgoing.method)
            $0.parameters.isIdempotent = isIdempotent
            change($0)
        }
    }

    /// What the servers have received since the last time, without cancellations.
    func requests() throws -> [(NetAddress, Request)] {
        try frames().filter { $0.1.method != "rocket.cancel" }
    }

    func frames() throws -> [(NetAddress, Request)] {
        try servers.flatMap { server in
            try channel.last(to: server).requests().map { (server, $0) }
        }
    }

    /// Starts a call whose first attempt gets no reply in time.
    ///
    /// - Returns: the call, and the servers that have it, in the order of its attempts.
    func hedged(
        timeout: Duration = .seconds(10), _ change: (FakeCall) -> Void = { _ in }
    ) throws -> (FakeCall, first: FakeTransport, second: FakeTransport) {
        let call = start(timeout: timeout, change)
        let first = try #require(try requests().first).0
        channel.tick(after: try Self.delay)
        let second = try #require(try requests().first).0
        return (call, try channel.last(to: first), try channel.last(to: second))
    }

    /// Connects the transports that were made since there were so many.
    func connectNew(since count: Int) {
        for transport in channel.connector.made.dropFirst(count) { transport.connect() }
    }

    /// Whether nothing is left of the calls that have ended.
    var isEmpty: Bool {
        let core = channel.core
        return core.pending.count == 0 && core.hedged.twiceInFlight == 0
            && core.hedged.earliest == nil
            && (0..<8).allSatisfy { core.endpoints.balancer.callsInFlight(at: $0) == 0 }
    }
}

extension HedgePolicy {
    init(samples: Int) {
        self.init()
        minimumSamples = samples
    }
}

@Suite struct HedgingTests {
    @Test(
        "A call is hedged exactly at its method's p95, and sent to another server with the same id")
    func time() throws {
        let hedged = try HedgedChannel()
        let call = hedged.start()
        let (first, request) = try #require(try hedged.requests().first)
        hedged.channel.tick(after: try HedgedChannel.delay - .nanoseconds(1))
        #expect(try hedged.requests().isEmpty && hedged.channel.statistics.hedges == 0)
        hedged.channel.tick(after: .nanoseconds(1))
        let sent = try hedged.requests()
        #expect(sent.count == 1 && sent[0].0 != first && sent[0].1.id == request.id)
        #expect(sent[0].1.id == call.idText)
        let statistics = hedged.channel.statistics
        #expect(statistics.hedges == 1 && statistics.callsInFlight == 1 && statistics.retries == 0)
        hedged.channel.tick(after: .seconds(5))
        #expect(try hedged.requests().isEmpty, "one hedge at most")
    }

    @Test("A call that ends in time is not hedged")
    func inTime() throws {
        let hedged = try HedgedChannel()
        let call = hedged.start()
        let (server, _) = try #require(try hedged.requests().first)
        hedged.channel.tick(after: .milliseconds(20))
        try hedged.channel.last(to: server).reply(to: call.idText)
        hedged.channel.tick(after: .seconds(1))
        #expect(try hedged.requests().isEmpty && hedged.channel.statistics.hedges == 0)
        #expect(hedged.isEmpty)
    }

    @Test("Before enough calls have ended none is hedged; each of them costs an entry only")
    func learning() throws {
        let hedged = try HedgedChannel(latency: nil)
        let calls = (0..<9).map { _ in hedged.start() }
        hedged.channel.tick(after: .seconds(1))
        for (server, request) in try hedged.requests() {
            try hedged.channel.last(to: server).reply(to: request.id)
        }
        #expect(calls.allSatisfy { $0.ends == [.response([])] })
        #expect(hedged.channel.statistics.hedges == 0 && hedged.isEmpty)
    }

    @Test("A fast method's calls are hedged after 1 ms at the earliest")
    func shortest() throws {
        let hedged = try HedgedChannel(latency: .microseconds(50))
        hedged.start()
        _ = try hedged.requests()
        hedged.channel.tick(after: .microseconds(999))
        #expect(try hedged.requests().isEmpty)
        hedged.channel.tick(after: .microseconds(1))
        #expect(try hedged.requests().count == 1)
    }

    @Test("The time of a hedged call counts from its first attempt on")
    func learnsWholeTime() throws {
        let hedged = try HedgedChannel()
        for _ in 0..<64 {
            let call = hedged.start()
            _ = try hedged.requests()
            hedged.channel.tick(after: .seconds(1))
            let (second, _) = try #require(try hedged.requests().first)
            try hedged.channel.last(to: second).reply(to: call.idText)
        }
        // Where only the second's own time counted, the p95 would fall to nothing.
        let policy = hedged.channel.core.settings.policies?.find(hedged.start().outgoing.method)
        let delay = policy?.hedgeDelay(remaining: .seconds(10))
        #expect(try #require(delay) >= .seconds(1))
    }

    // MARK: No hedge

    /// Starts a call, and returns whether it is hedged.
    func isHedged(_ hedged: HedgedChannel, _ call: FakeCall) throws -> Bool {
        _ = try hedged.requests()
        hedged.channel.tick(after: .milliseconds(100))
        return try !hedged.requests().isEmpty
    }

    @Test("Calls that are not idempotent, streams, and those of other methods are not hedged")
    func others() throws {
        let hedged = try HedgedChannel()
        #expect(try !isHedged(hedged, hedged.start(isIdempotent: false)))
        #expect(try !isHedged(hedged, hedged.start { $0.outgoing.policy = nil }))
        let loop = hedged.channel.driven.reactor.loop
        let streaming = hedged.start {
            $0.outgoing.stream = CallStream(
                on: loop, limit: 0, maxOutboundBytes: 1 << 20, maxInboundBytes: 1 << 20,
                windowBytes: 1 << 16, sendsEnd: true)
        }
        #expect(try !isHedged(hedged, streaming))
        #expect(try isHedged(hedged, hedged.start()))
        #expect(hedged.channel.statistics.hedges == 1)
    }

    @Test(
        "A method without hedging in its policy, and one that may be sent once only, are not hedged"
    )
    func policies() throws {
        let without = try HedgedChannel(policy: nil)
        #expect(try !isHedged(without, without.start()))
        let once = try HedgedChannel { $0.methods["t.T.m"]?.maxAttempts = 1 }
        #expect(try !isHedged(once, once.start()))
        let never = try HedgedChannel { $0.retry = .never }
        #expect(try !isHedged(never, never.start()))
        let twice = try HedgedChannel {
            $0.retry = .never
            $0.methods["t.T.m"]?.maxAttempts = 2
        }
        #expect(try isHedged(twice, twice.start()))
    }

    @Test("There is no hedge without another server, or where that has no room")
    func noOther() throws {
        let single = try HedgedChannel([HedgedChannel.a])
        #expect(try !isHedged(single, single.start()))
        let hedged = try HedgedChannel()
        let call = hedged.start()
        let (first, _) = try #require(try hedged.requests().first)
        let other = first == HedgedChannel.a ? HedgedChannel.b : HedgedChannel.a
        try hedged.channel.last(to: other).fill()
        hedged.channel.tick(after: .seconds(1))
        #expect(try hedged.requests().isEmpty && call.ends.isEmpty)
        try hedged.channel.last(to: other).makeRoom()
        try hedged.channel.last(to: other).end()
        #expect(try !isHedged(hedged, hedged.start()))
        #expect(hedged.channel.statistics.hedges == 0)
    }

    @Test("A C++ server that takes one call at a time gets no hedges")
    func exclusive() throws {
        let hedged = try HedgedChannel(method: "T.m") { $0.peer = .rocket }
        let call = hedged.start()
        #expect(try !isHedged(hedged, call) && call.ends.isEmpty)
    }

    @Test("Beyond the retry budget calls are not hedged, and counted")
    func budget() throws {
        let hedged = try HedgedChannel {
            $0.retry.budget = RetryBudget(percent: 0, minimumPerSecond: 1)
        }
        for _ in 0..<30 { hedged.start() }
        _ = try hedged.requests()
        hedged.channel.tick(after: try HedgedChannel.delay)
        #expect(try hedged.requests().count == 10)
        let statistics = hedged.channel.statistics
        #expect(statistics.hedges == 10 && statistics.retriesRefused == 20)
    }

    @Test("A call whose deadline is before the p95 is not hedged")
    func deadline() throws {
        let hedged = try HedgedChannel()
        let call = hedged.start(timeout: .milliseconds(15))
        _ = try hedged.requests()
        hedged.channel.tick(after: .milliseconds(100))
        #expect(try hedged.requests().isEmpty && call.ends == [.error(.callTimeout)])
        // The loop was busy until after both.
        let late = hedged.start(timeout: try HedgedChannel.delay + .milliseconds(1))
        _ = try hedged.requests()
        hedged.channel.tick(after: .seconds(1))
        #expect(try hedged.requests().isEmpty && late.ends == [.error(.callTimeout)])
        #expect(hedged.channel.statistics.hedges == 0 && hedged.isEmpty)
    }

    @Test("A hedge whose metadata the other server may not take is not sent, nor does it wait")
    func metadata() throws {
        let hedged = try HedgedChannel()
        let limit = "rkm1\nlimit=8192\n"
        let call = hedged.start()
        let (first, _) = try #require(try hedged.requests().first)
        try hedged.channel.last(to: first).reply(to: call.idText, info: limit)
        // Only the first server is known to take more.
        let other = first == HedgedChannel.a ? HedgedChannel.b : HedgedChannel.a
        try hedged.channel.last(to: other).fill()
        let sent = hedged.start {
            $0.parameters.metadata = ["x": String(repeating: "y", count: 600)]
        }
        try hedged.channel.last(to: other).makeRoom()
        #expect(try hedged.requests().map(\.0) == [first])
        hedged.channel.tick(after: .seconds(1))
        #expect(try hedged.requests().isEmpty && hedged.channel.core.hedged.twiceInFlight == 0)
        try hedged.channel.last(to: first).reply(to: sent.idText)
        #expect(sent.ends == [.response([])] && hedged.isEmpty)
    }
}
