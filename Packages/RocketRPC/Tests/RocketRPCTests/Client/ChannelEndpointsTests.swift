import RocketBalancing
import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import Testing

@_spi(Transport) @testable import RocketRPC

/// A channel to several servers, whose list changes.
@Suite struct ChannelEndpointsTests {
    let a = NetAddress.loopback(port: 1)
    let b = NetAddress.loopback(port: 2)
    let c = NetAddress.loopback(port: 3)

    func endpoints(_ addresses: NetAddress...) -> [RPCEndpoint] {
        addresses.map { RPCEndpoint([$0]) }
    }

    func channel(
        _ addresses: NetAddress..., configure: (inout RPCChannelConfiguration) -> Void = { _ in }
    ) throws -> DrivenChannel {
        try DrivenChannel(to: .fixed(addresses.map { RPCEndpoint([$0]) })) {
            $0.connectBackOff = BackOff(first: .milliseconds(100), most: .milliseconds(100))
            configure(&$0)
        }
    }

    @Test("The first call connects to all servers, and calls are spread over those that are ready")
    func spreads() throws {
        let channel = try channel(a, b, c)
        #expect(channel.connector.made.isEmpty)
        channel.start()
        #expect(channel.connector.made.map(\.endpoint) == [a, b, c])
        try channel.last(to: b).connect()
        #expect(try channel.state == .ready && channel.last(to: b).requests().count == 1)
        try channel.last(to: a).connect()
        try channel.last(to: c).refuse()
        for _ in 0..<100 { channel.start() }
        let toA = try channel.last(to: a).requests().count
        let toB = try channel.last(to: b).requests().count
        #expect(toA + toB == 100 && toA >= 30 && toB >= 30)
    }

    @Test("Servers that stay in the list keep their connections; a new one is connected to")
    func stay() throws {
        let channel = try channel(a, b)
        channel.start()
        try channel.last(to: a).connect()
        try channel.last(to: b).connect()
        channel.core.replace(endpoints(b, c))
        #expect(channel.connector.made.map(\.endpoint) == [a, b, c])
        #expect(try channel.last(to: b).closing == nil)
    }

    @Test("A server that is not in the list any more ends its calls, and gets no more")
    func gone() throws {
        let channel = try channel(a, b)
        let calls = (0..<20).map { _ in channel.start() }
        try channel.last(to: a).connect()
        try channel.last(to: b).connect()
        let more = (0..<20).map { _ in channel.start() }
        let left = try channel.last(to: a).requests()
        channel.core.replace(endpoints(b))
        #expect(try channel.last(to: a).closing == nil)
        for _ in 0..<20 { channel.start() }
        #expect(try channel.last(to: a).requests().isEmpty)
        for request in left { try channel.last(to: a).reply(to: request.id) }
        #expect(try channel.last(to: a).closing == .afterFlush)
        let answered = (calls + more).filter { $0.ends == [.response([])] }.count
        #expect(answered == left.count && answered > 0)
    }

    @Test("A server that is gone while it is connected to is not connected to any more")
    func goneEarly() throws {
        let channel = try channel(a, b)
        channel.start()
        channel.core.replace(endpoints(b))
        #expect(try channel.last(to: a).isCancelled)
        try channel.last(to: a).refuse()
        channel.tick(after: .seconds(1))
        #expect(channel.connector.made.count == 2)
    }

    @Test("A failure, or an empty list, leaves the last list")
    func failure() throws {
        let channel = try channel(a, b)
        channel.start()
        try channel.last(to: a).connect()
        channel.core.resolved(.failure(RPCError(.peerAddress, "no DNS")))
        channel.core.resolved(.success([]))
        channel.core.resolved(.success([RPCEndpoint([])]))
        #expect(try channel.state == .ready && channel.last(to: a).closing == nil)
        #expect(channel.statistics.resolutionFailures == 3 && channel.statistics.resolutions == 0)
    }

    @Test("Without any list calls fail with the resolver's error, or wait if they are to")
    func unresolved() throws {
        let channel = try DrivenChannel(to: .fixed([]))
        channel.core.resolved(.failure(RPCError(.peerAddress, "no such name")))
        #expect(channel.state == .transientFailure)
        let call = channel.start()
        #expect(call.ends == [.error(.peerAddress)])
        let patient = channel.start { $0.outgoing.parameters.waitsForReady = true }
        #expect(patient.ends.isEmpty)
        channel.core.resolved(.success(endpoints(a)))
        try channel.last(to: a).connect()
        try channel.last(to: a).reply(to: patient.idText)
        #expect(patient.ends == [.response([])])
    }

    @Test("One of several servers that closes its connection is connected to again at once")
    func reconnects() throws {
        let channel = try channel(a, b)
        let call = channel.start()
        try channel.last(to: a).connect()
        try channel.last(to: a).reply(to: call.idText)
        try channel.last(to: a).end(.peerFinished)
        #expect(channel.connector.made.map(\.endpoint) == [a, b, a])
        // One that has never worked waits.
        try channel.last(to: a).connect()
        try channel.last(to: a).end(.peerFinished)
        #expect(channel.connector.made.count == 3)
        channel.tick(after: .milliseconds(100))
        #expect(channel.connector.made.count == 4)
    }

    @Test("Calls avoid a slow server, and a retry goes to another one")
    func balanced() throws {
        let channel = try channel(a, b)
        channel.start()
        for server in [a, b] { try channel.last(to: server).connect() }
        // a answers at once, b after 100 ms.
        for _ in 0..<20 {
            channel.start()
            for request in try channel.last(to: a).requests() {
                try channel.last(to: a).reply(to: request.id)
            }
            channel.tick(after: .milliseconds(100))
            for request in try channel.last(to: b).requests() {
                try channel.last(to: b).reply(to: request.id)
            }
        }
        for _ in 0..<20 {
            channel.start()
            for request in try channel.last(to: a).requests() {
                try channel.last(to: a).reply(to: request.id)
            }
        }
        #expect(try channel.last(to: b).requests().isEmpty)
        let call = channel.start()
        try channel.last(to: a).reply(to: call.idText, code: .unavailable)
        channel.tick(after: .milliseconds(1))
        #expect(try channel.last(to: b).requests().map(\.id) == [call.idText])
        #expect(channel.statistics.picks >= 42)
    }

    @Test("A server whose calls all fail is left out, and counted")
    func ejected() throws {
        let (d, e) = (NetAddress.loopback(port: 4), NetAddress.loopback(port: 5))
        let all = [a, b, c, d, e]
        let channel = try channel(a, b, c, d, e) { $0.balancing.policy = .roundRobin }
        channel.start()
        for server in all { try channel.last(to: server).connect() }
        var failed = 0
        for _ in 0..<600 {
            channel.start()
            for server in all {
                for request in try channel.last(to: server).requests() {
                    if server == b { failed += 1 }
                    try channel.last(to: server).reply(
                        to: request.id, code: server == b ? .internal : .init(rawValue: 0))
                }
            }
            channel.tick(after: .milliseconds(10))
        }
        #expect(channel.statistics.ejections >= 1 && failed < 100, "\(failed) of 600")
        let status = channel.core.status
        #expect(status.map(\.addresses) == all.map { [$0] })
        #expect(status.map(\.isEjected) == [false, true, false, false, false])
        #expect(status.allSatisfy { $0.state == .ready && $0.callsInFlight == 0 })
    }

    @Test("Calls with equal keys go to the same server")
    func keys() throws {
        let channel = try channel(a, b, c) { $0.balancing.policy = .consistentHash }
        channel.start()
        for server in [a, b, c] { try channel.last(to: server).connect() }
        var servers: [UInt64: Set<NetAddress>] = [:]
        for number in 0..<90 {
            let key = UInt64(number % 9) &* 0x9E37_79B9_7F4A_7C15
            channel.start { $0.outgoing.parameters.balancingKey = key }
            for server in [a, b, c] {
                for request in try channel.last(to: server).requests() {
                    try channel.last(to: server).reply(to: request.id)
                    if number >= 9 { servers[key, default: []].insert(server) }
                }
            }
        }
        #expect(servers.count == 9 && servers.values.allSatisfy { $0.count == 1 })
        #expect(Set(servers.values).count > 1)
    }

    @Test("With pick_first all calls go to the first server that answers; a new list keeps it")
    func pickFirst() throws {
        let channel = try channel(a, b) { $0.balancing.policy = .pickFirst }
        channel.start()
        #expect(channel.connector.made.count == 1)
        channel.last.connect()
        let connected = channel.last.peerAddress
        channel.core.replace([RPCEndpoint([c]), RPCEndpoint([connected])])
        #expect(channel.last.closing == nil)
        channel.core.replace([RPCEndpoint([c])])
        for request in channel.last.requests() { channel.last.reply(to: request.id) }
        #expect(channel.connector.made[0].closing == .afterFlush)
    }

    @Test("Beyond the budget calls are not sent again; those that no server has seen are")
    func budget() throws {
        let channel = try DrivenChannel.connected {
            $0.retry.budget = RetryBudget(percent: 0, minimumPerSecond: 1)
        }
        let calls = (0..<20).map { _ in channel.start() }
        _ = channel.last.requests()
        for call in calls { channel.last.reply(to: call.idText, code: .resourceExhausted) }
        let refused = (0..<20).map { _ in channel.start() }
        _ = channel.last.requests()
        for call in refused { channel.last.reply(to: call.idText, code: .unavailable) }
        #expect(refused.filter { $0.ends == [.error(.unavailable)] }.count == 10)
        #expect(channel.statistics.retries == 10 && channel.statistics.retriesRefused == 10)
        #expect(channel.statistics.retryBudgetLeft == 0)
        let unseen = channel.start()
        channel.last.end()
        #expect(unseen.ends.isEmpty && channel.statistics.retriesRefused == 10)
    }

    @Test("New settings count from the next call on, and calls in flight go on")
    func settings() throws {
        let channel = try channel(a, b) { $0.balancing.policy = .roundRobin }
        let first = channel.start()
        for server in [a, b] { try channel.last(to: server).connect() }
        let more = (0..<10).map { _ in channel.start() }
        let old = [try channel.last(to: a), try channel.last(to: b)]
        var configuration = channel.core.settings.configuration
        configuration.balancing.policy = .leastInFlight
        configuration.maxCallsInFlight = 12
        let same = ChannelSettings(
            source: channel.core.settings.source, configuration: configuration,
            connector: channel.core.settings.connector)
        channel.core.apply(same, replacesConnections: false)
        #expect(channel.connector.made.count == 2)
        channel.start()
        #expect(channel.start().ends == [.error(.resourceExhausted)])
        channel.core.apply(same, replacesConnections: true)
        #expect(channel.connector.made.map(\.endpoint) == [a, b, a, b])
        #expect(old.allSatisfy { $0.closing == nil })
        for transport in old {
            for request in transport.requests() { transport.reply(to: request.id) }
        }
        #expect(([first] + more).allSatisfy { $0.ends == [.response([])] })
        #expect(old.allSatisfy { $0.closing == .afterFlush })
    }

    @Test("A resolver that reports while it starts opens connections, without a call, too")
    func reportsAtOnce() throws {
        let resolver = FakeResolver(first: endpoints(a, b))
        let channel = try DrivenChannel(
            to: .resolved(resolver, try RPCTarget("fake:orders")))
        channel.isOpenOnLoop()
        channel.core.connect()
        channel.tick(after: .zero)
        #expect(channel.connector.made.map(\.endpoint) == [a, b])
        #expect(channel.statistics.resolutions == 1)
    }

    @Test("What the resolver of an earlier name reports late is dropped")
    func lateReport() throws {
        let resolver = FakeResolver()
        let channel = try DrivenChannel(
            to: .resolved(resolver, try RPCTarget("fake:orders")))
        channel.isOpenOnLoop()
        channel.start()
        resolver.reports[0].found(endpoints(a))
        channel.tick(after: .zero)
        #expect(channel.connector.made.map(\.endpoint) == [a])
        let other = ChannelSettings(
            source: .resolved(resolver, try RPCTarget("fake:stock")),
            configuration: channel.core.settings.configuration,
            connector: channel.core.settings.connector)
        channel.core.apply(other, replacesConnections: false)
        #expect(resolver.started.map(\.name) == ["orders", "stock"] && resolver.cancelled == 1)
        resolver.reports[1].found(endpoints(b))
        resolver.reports[0].found(endpoints(c))
        channel.tick(after: .zero)
        #expect(channel.core.status.map(\.addresses) == [[b]])
        channel.core.close()
        #expect(resolver.cancelled == 2)
        resolver.reports[1].found(endpoints(c))
        channel.tick(after: .zero)
        #expect(channel.core.status.isEmpty)
    }

    @Test("Of a long list each channel uses a part, and another channel another one")
    func subset() throws {
        let many = (1...100).map { RPCEndpoint([NetAddress.loopback(port: UInt16($0))]) }
        var used: Set<Set<NetAddress>> = []
        for seed in 0..<3 {
            let channel = try DrivenChannel(random: SplitMix(seed: UInt64(seed)), to: .fixed(many))
            channel.start()
            #expect(channel.connector.made.count == 20)
            used.insert(Set(channel.connector.made.compactMap(\.endpoint)))
        }
        #expect(used.count == 3)
    }

    @Test("The same server twice in a list is one")
    func twice() throws {
        let channel = try channel(a, a, b)
        channel.start()
        #expect(channel.connector.made.map(\.endpoint) == [a, b])
    }
}

/// A resolver that the test plays.
// SAFETY: a test uses it on its own thread only.
final class FakeResolver: RPCResolver, @unchecked Sendable {
    private let first: [RPCEndpoint]?
    private(set) var started: [RPCTarget] = []
    private(set) var reports: [RPCResolverReport] = []
    private(set) var cancelled = 0

    /// - Parameter first: what it reports while it starts; nil: nothing.
    init(first: [RPCEndpoint]? = nil) { self.first = first }

    var schemes: [String] { ["fake"] }

    func check(_ target: RPCTarget) throws(RPCError) {}

    func start(
        _ target: RPCTarget, on reactor: Reactor, report: RPCResolverReport
    ) -> any RPCResolution {
        started.append(target)
        reports.append(report)
        if let first { report.found(first) }
        return Resolution(self)
    }

    private final class Resolution: RPCResolution {
        private let resolver: FakeResolver

        init(_ resolver: FakeResolver) { self.resolver = resolver }

        func refresh() {}
        func cancel() { resolver.cancelled += 1 }
    }
}

extension DrivenChannel {
    /// What the loop passes to its channels reaches this one.
    func isOpenOnLoop() { LoopChannels.of(driven.reactor).add(core) }

    /// The newest transport to an address.
    func last(to address: NetAddress) throws -> FakeTransport {
        try #require(connector.last(to: address))
    }
}
