import RocketDNS
import RocketDNSTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

@Suite(.oneAtATime) struct KnownNameTests {
    let scene: Scene
    init() throws { scene = try Scene() }

    @Test(
        "A literal is its own address, without a query",
        arguments: [
            ("192.0.2.1", "192.0.2.1:5"), ("2001:db8::1", "[2001:db8::1]:5"),
            ("fe80::1%7", "[fe80::1]:5"),
        ])
    func literals(_ host: String, _ address: String) throws {
        let resolver = try scene.resolver()
        scene.lookUp(host, port: 5, with: resolver)
        let found = try scene.host().get()
        #expect(Scene.texts(found) == [address] && found.minimumTTL == nil)
        #expect(scene.server.questions.isEmpty)
    }

    @Test("A literal of another family has no records")
    func otherFamily() throws {
        let resolver = try scene.resolver()
        scene.lookUp("192.0.2.1", .ipv6, with: resolver)
        #expect(try scene.hostError()?.kind == .noRecords)
    }

    @Test("localhost is this machine, without a query")
    func localhost() throws {
        let resolver = try scene.resolver()
        scene.lookUp("a.localhost", port: 1, .ipv4, with: resolver)
        #expect(Scene.texts(try scene.host().get()) == ["127.0.0.1:1"])
        scene.lookUp("localhost", with: resolver)
        #expect(try scene.host().get().addresses.count == 2)
        #expect(scene.server.questions.isEmpty)
    }

    @Test(
        "Reports names that DNS can't have",
        arguments: ["", "a..b", "a b", "a\0b", String(repeating: "a", count: 64)])
    func invalidNames(_ name: String) throws {
        let resolver = try scene.resolver()
        scene.lookUp(name, with: resolver)
        #expect(try scene.hostError() == DNSError(.invalidName, name: name))
    }

    @Test("The hosts file precedes DNS, and is read again after a change")
    func hostsFile() throws {
        let path = "/tmp/rocket-dns-hosts-\(CurrentProcess.processID)"
        try FileContents.write(Array("127.0.0.7 a.example # b.example\n".utf8), to: path)
        defer { try? SocketFile.remove(path) }
        scene.configuration.hostsFile = path
        let driven = try HandDrivenLoop()
        let resolver = try DNSResolver(configuration: scene.configuration, on: driven.reactor)
        var found: [String] = []
        func lookUp() {
            resolver.lookUp(host: "A.example") { result in
                found = (try? result.get()).map(Scene.texts) ?? []
            }
            driven.tick()
        }
        lookUp()
        #expect(found == ["127.0.0.7:0"])
        try FileContents.write(Array("127.0.0.77 a.example\n".utf8), to: path)
        lookUp()
        #expect(found == ["127.0.0.7:0"])
        driven.tick(after: .seconds(1))
        lookUp()
        #expect(found == ["127.0.0.77:0"])
    }

    @Test("Without resolv.conf the server is this machine")
    func noSettings() throws {
        scene.configuration.servers = []
        scene.configuration.resolvConf = "/nowhere/resolv.conf"
        let resolver = try scene.resolver()
        #expect(resolver.servers == [.ipv4(bits: 0x7F00_0001, port: 53)])
    }

    @Test("resolv.conf has servers and domains, and is read again after a change")
    func settings() throws {
        let path = "/tmp/rocket-dns-resolv-\(CurrentProcess.processID)"
        try FileContents.write(Array("nameserver 127.0.0.9\n".utf8), to: path)
        defer { try? SocketFile.remove(path) }
        scene.configuration.servers = []
        scene.configuration.resolvConf = path
        let driven = try HandDrivenLoop()
        let resolver = try DNSResolver(configuration: scene.configuration, on: driven.reactor)
        #expect(resolver.servers == [.ipv4(bits: 0x7F00_0009, port: 53)])
        var results: [Result<DNSAddresses, DNSError>] = []
        try FileContents.write(Array("nameserver 127.0.0.99\n".utf8), to: path)
        driven.tick(after: .seconds(1))
        resolver.lookUp(host: "a.localhost") { results.append($0) }
        driven.tick()
        #expect(resolver.servers == [.ipv4(bits: 0x7F00_0063, port: 53)])
    }

    @Test("A server has to be an IP address")
    func badServer() throws {
        scene.configuration.servers = [.unix(path: "/x")]
        #expect(throws: DNSSetupError.self) { try scene.resolver() }
    }
}
