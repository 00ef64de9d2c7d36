import RocketDNS
import RocketDNSTestKit
import RocketReactor
import RocketSystem
import Testing

/// A loop with the system's clock, and servers on it, driven by the test's thread.
final class Scene {
    let loop: EventLoop
    let server: FakeDNSServer
    var configuration = DNSConfiguration()
    private(set) var hosts: [Result<DNSAddresses, DNSError>] = []
    private(set) var services: [Result<DNSServices, DNSError>] = []

    init() throws {
        let loop = try EventLoop(name: "dns test")
        loop.claim()
        self.loop = loop
        server = try loop.withReactor { try FakeDNSServer(on: $0) }
        configuration.servers = [server.address]
        configuration.hostsFile = nil
        configuration.resolvConf = "/nowhere/resolv.conf"
        configuration.searchDomains = []
    }

    deinit {
        server.close()
        loop.release()
    }

    var reactor: Reactor { loop.withReactor { $0 } }

    func resolver() throws -> DNSResolver {
        try DNSResolver(configuration: configuration, on: reactor)
    }

    func newServer() throws -> FakeDNSServer { try FakeDNSServer(on: reactor) }

    @discardableResult
    func lookUp(
        _ host: String, port: UInt16 = 0, _ families: DNSFamilies = .all, with resolver: DNSResolver
    ) -> DNSRequest {
        resolver.lookUp(host: host, port: port, families: families) { self.hosts.append($0) }
    }

    @discardableResult
    func lookUpServices(_ name: String, with resolver: DNSResolver) -> DNSRequest {
        resolver.lookUpServices(name: name) { self.services.append($0) }
    }

    /// Runs the loop until the condition holds, at most 10,000 ticks.
    func run(until isDone: () -> Bool) {
        for _ in 0..<10_000 where !isDone() { loop.tick(waitingAtMost: .seconds(5)) }
        #expect(isDone())
    }

    /// Returns the next result of a host.
    func host() throws -> Result<DNSAddresses, DNSError> {
        run { !self.hosts.isEmpty }
        return hosts.removeFirst()
    }

    func hostError() throws -> DNSError? {
        if case .failure(let error) = try host() { return error }
        return nil
    }

    func service() throws -> Result<DNSServices, DNSError> {
        run { !self.services.isEmpty }
        return services.removeFirst()
    }

    /// The texts of the addresses and their TTLs in seconds.
    static func texts(_ addresses: DNSAddresses) -> [String] {
        addresses.addresses.map { found in
            let ttl = found.ttl.map { " \($0.components.seconds)" } ?? ""
            return switch found.address {
            case .ipv4(let bits, let port): "\(IPText.ipv4(bits)):\(port)\(ttl)"
            case .ipv6(let high, let low, let port, _):
                "[\(IPText.ipv6(high: high, low: low))]:\(port)\(ttl)"
            case .unix, .abstract, .unnamed: "?"
            }
        }
    }
}

extension FakeDNSQuestion {
    var isA: Bool { type == 1 }
    var isAAAA: Bool { type == 28 }
}
