import RocketBase
import RocketDNS
import RocketDNSTestKit
import RocketReactor
import RocketReactorTestKit
import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketNames

/// Names with answers that the test gives, and a manual clock.
@Suite struct DNSNamesTests {
    /// What was reported. Any thread.
    private final class Reports: Sendable {
        private let all = Locked<[Result<[RPCEndpoint], RPCError>]>([])

        func add(_ result: Result<[RPCEndpoint], RPCError>) { all.withLock { $0.append(result) } }
        func take() -> [Result<[RPCEndpoint], RPCError>] {
            all.withLock { all in
                defer { all = [] }
                return all
            }
        }
    }

    private final class Site {
        let driven: HandDrivenLoop
        let client: FakeDNSClient
        private let reports = Reports()
        private var resolution: (any RPCResolution)?

        init() throws {
            driven = try HandDrivenLoop()
            client = FakeDNSClient(on: driven.reactor)
        }

        deinit {
            resolution?.cancel()
            driven.loop.release()
        }

        func start(_ text: String) throws {
            let bound = LoopBound(client, on: driven.reactor)
            let names = DNSNames { _, _ in bound.get() }
            let target = try RPCTarget(text)
            try names.check(target)
            let report = RPCResolverReport(on: driven.loop) { [reports] in reports.add($1) }
            resolution = names.start(target, on: driven.reactor, report: report)
            driven.tickUntilIdle()
        }

        func host(_ name: String, _ texts: String..., ttl: Duration? = .seconds(60)) throws {
            try set(name, texts, ttl)
        }

        func set(
            _ name: String, _ texts: [String], _ ttl: Duration? = .seconds(60),
            missing: DNSError? = nil
        ) throws {
            let addresses = try texts.map { text in
                DNSAddress(
                    try NetAddress(parsing: text.contains(":") ? "[\(text)]:0" : "\(text):0")
                        .socketAddress, ttl: ttl)
            }
            client.setAddresses(
                of: name,
                .success(DNSAddresses(addresses, minimumTTL: ttl, missingFamily: missing)))
        }

        func fail(_ name: String, _ kind: DNSError.Kind, negativeTTL: Duration? = nil) {
            client.setAddresses(
                of: name, .failure(DNSError(kind, name: name, negativeTTL: negativeTTL)))
        }

        func services(_ name: String, _ services: [(UInt16, UInt16, UInt16, String)]) {
            let records = services.map {
                DNSService(
                    priority: $0.0, weight: $0.1, port: $0.2, target: $0.3, ttl: .seconds(60))
            }
            client.setServices(
                of: name, .success(DNSServices(records, minimumTTL: .seconds(60))))
        }

        func after(_ duration: Duration) {
            driven.tick(after: duration)
            driven.tickUntilIdle()
        }

        func refresh() {
            resolution?.refresh()
            // A timer that is due now.
            after(.nanoseconds(1))
        }

        func cancel() { resolution?.cancel() }

        /// What was reported since the last call: lists as texts, failures as messages.
        func taken() -> [[String]] {
            reports.take().map { result in
                switch result {
                case .success(let list): list.map(\.text)
                case .failure(let error): ["failed: \(error.message)"]
                }
            }
        }

        func list() -> [RPCEndpoint] { (try? reports.take().last?.get()) ?? [] }

        var lookups: Int { client.lookups.count }
    }

    @Test("Two families with one address each are one endpoint, with the name for TLS")
    func bothFamilies() throws {
        let site = try Site()
        try site.host("orders.svc", "fd00::1", "10.0.0.1")
        try site.start("dns:///orders.svc:80")
        let list = site.list()
        #expect(list.map(\.text) == ["[fd00::1]:80,10.0.0.1:80"])
        #expect(list.map(\.host) == ["orders.svc"])
    }

    @Test("Several addresses of a family are endpoints of their own, with the name for TLS")
    func several() throws {
        let site = try Site()
        try site.host("orders.svc", "fd00::1", "10.0.0.1", "10.0.0.2")
        try site.start("orders.svc:80")
        let list = site.list()
        #expect(list.map(\.text) == ["[fd00::1]:80", "10.0.0.1:80", "10.0.0.2:80"])
        #expect(list.map(\.host) == ["orders.svc", "orders.svc", "orders.svc"])
    }

    @Test("When the TTL is over the name is looked up again; only what is new is reported")
    func expiry() throws {
        let site = try Site()
        try site.host("a", "10.0.0.1", "10.0.0.2")
        try site.start("a:80")
        #expect(site.taken() == [["10.0.0.1:80", "10.0.0.2:80"]])
        site.after(.seconds(59))
        #expect(site.lookups == 1)
        try site.host("a", "10.0.0.2", "10.0.0.1", ttl: .seconds(5))
        site.after(.seconds(1))
        #expect(site.lookups == 2 && site.taken() == [])
        try site.host("a", "10.0.0.3", ttl: nil)
        site.after(.seconds(5))
        #expect(site.lookups == 3 && site.taken() == [["10.0.0.3:80"]])
        site.after(.seconds(29))
        #expect(site.lookups == 3)
        site.after(.seconds(1))
        #expect(site.lookups == 4)
        site.cancel()
        site.after(.seconds(600))
        #expect(site.lookups == 4 && site.taken() == [])
    }

    @Test("A negative answer lasts for its TTL, whatever the channel asks for")
    func negative() throws {
        let site = try Site()
        site.fail("a", .unknownName, negativeTTL: .seconds(40))
        try site.start("a:80")
        #expect(site.taken() == [["failed: host name \"a\": there is no such name"]])
        try site.host("a", "10.0.0.1")
        site.after(.seconds(39))
        site.refresh()
        #expect(site.lookups == 1)
        site.after(.seconds(1))
        #expect(site.taken() == [["10.0.0.1:80"]])
    }

    @Test("After a failure the name is looked up again soon, at growing intervals")
    func failure() throws {
        let site = try Site()
        site.fail("a", .timedOut)
        try site.start("a:80")
        #expect(site.taken() == [["failed: host name \"a\": no server has answered in time"]])
        site.after(.seconds(2))
        #expect(site.taken().count == 1 && site.lookups == 2)
        site.after(.milliseconds(1_999))
        #expect(site.lookups == 2)
        try site.host("a", "10.0.0.1")
        site.after(.milliseconds(2_001))
        #expect(site.taken() == [["10.0.0.1:80"]])
        #expect(site.lookups == 3)
    }

    @Test("A host keeps its addresses while it can't be looked up, and each failure is reported")
    func outage() throws {
        let site = try Site()
        try site.host("a", "10.0.0.1")
        try site.start("a:80")
        site.fail("a", .timedOut)
        site.after(.seconds(60))
        let failure = ["failed: host name \"a\": no server has answered in time"]
        #expect(site.taken() == [["10.0.0.1:80"], failure])
        site.after(.seconds(2))
        #expect(site.taken() == [failure])
        try site.host("a", "10.0.0.1")
        site.after(.seconds(60))
        #expect(site.taken() == [])
    }

    @Test("A channel that loses its servers gets a new list, at most once a second")
    func refresh() throws {
        let site = try Site()
        try site.host("a", "10.0.0.1")
        try site.start("a:80")
        for _ in 0..<10 { site.refresh() }
        #expect(site.lookups == 1)
        try site.host("a", "10.0.0.2")
        site.after(.seconds(1))
        #expect(site.lookups == 2)
        #expect(site.taken() == [["10.0.0.1:80"], ["10.0.0.2:80"]])
        site.after(.seconds(10))
        try site.host("a", "10.0.0.3")
        site.refresh()
        #expect(site.lookups == 3 && site.taken() == [["10.0.0.3:80"]])
        // One that is running is not begun twice.
        site.client.setAddresses(of: "a", nil)
        site.after(.seconds(60))
        site.refresh()
        site.refresh()
        #expect(site.lookups == 4)
    }

    @Test("A family that could not be looked up keeps its addresses, and the endpoint its identity")
    func missingFamily() throws {
        let site = try Site()
        try site.host("a", "fd00::1", "10.0.0.1")
        try site.start("a:80")
        try site.set("a", ["10.0.0.1"], missing: DNSError(.timedOut, name: "a"))
        site.after(.seconds(60))
        #expect(site.taken() == [["[fd00::1]:80,10.0.0.1:80"]])
        // By a negative answer it is gone.
        try site.set("a", ["10.0.0.1"])
        site.after(.seconds(2))
        #expect(site.taken() == [["10.0.0.1:80"]])
    }

    @Test("SRV: the targets of the best priority, with their weights and ports")
    func services() throws {
        let site = try Site()
        site.services("_r._tcp.o", [(1, 5, 80, "a"), (1, 0, 81, "b"), (2, 9, 82, "c")])
        try site.host("a", "10.0.0.1", "10.0.0.2", ttl: .seconds(20))
        try site.host("b", "fd00::1")
        try site.start("srv:_r._tcp.o")
        let list = site.list()
        #expect(list.map(\.text) == ["10.0.0.1:80,10.0.0.2:80", "[fd00::1]:81"])
        #expect(list.map(\.weight) == [5, 1])
        #expect(list.map(\.host) == ["a", "b"])
        #expect(site.client.lookups == ["_r._tcp.o", "a", "b"])
        // The order of a target's addresses changes with each answer: they are the same servers.
        try site.host("a", "10.0.0.2", "10.0.0.1")
        site.after(.seconds(20))
        #expect(site.lookups == 6 && site.taken() == [])
    }

    @Test("SRV: the next priority where the best one has no addresses")
    func priorities() throws {
        let site = try Site()
        site.services("s", [(1, 0, 80, "a"), (2, 0, 80, "b"), (3, 0, 80, "c")])
        site.fail("a", .unknownName)
        try site.host("b", "10.0.0.2")
        try site.start("srv:s")
        #expect(site.taken() == [["10.0.0.2:80"]])
        site.fail("b", .noRecords)
        site.fail("c", .serverFailed)
        site.after(.seconds(60))
        #expect(site.taken() == [["failed: host name \"c\": the server has failed"]])
    }

    @Test("SRV: a target that can't be looked up keeps its addresses; a new one comes later")
    func targets() throws {
        let site = try Site()
        site.services("s", [(1, 0, 80, "a"), (1, 0, 80, "b")])
        try site.host("a", "10.0.0.1")
        site.fail("b", .timedOut)
        try site.start("srv:s")
        #expect(site.taken() == [["10.0.0.1:80"]])
        site.fail("a", .timedOut)
        try site.host("b", "10.0.0.2")
        site.after(.seconds(2))
        #expect(site.taken() == [["10.0.0.1:80", "10.0.0.2:80"]])
        site.fail("a", .unknownName)
        site.after(.seconds(4))
        #expect(site.taken() == [["10.0.0.2:80"]])
    }

    @Test("SRV: without records it is a failure, and so when the service ends")
    func noServices() throws {
        let site = try Site()
        site.client.setServices(of: "s", .failure(DNSError(.noRecords, name: "s")))
        try site.start("srv:s")
        #expect(
            site.taken() == [["failed: host name \"s\": the name has no records of these types"]])
        site.services("s", [(1, 0, 80, "a")])
        try site.host("a", "10.0.0.1")
        site.after(.seconds(30))
        #expect(site.taken() == [["10.0.0.1:80"]])
    }
}
