import RocketBase
import RocketRPC
import RocketTCP
import Testing

@testable import RocketNames

@Suite struct DNSNamesTargetTests {
    private func name(_ text: String) throws -> DNSName { try DNSName(RPCTarget(text)) }

    @Test("A host, with and without scheme, with a dot at its end, or an IP address")
    func hosts() throws {
        let plain = DNSName.Question.host("orders.svc", port: 80, name: "orders.svc")
        #expect(try name("orders.svc:80").question == plain)
        #expect(try name("dns:orders.svc:80").question == plain)
        #expect(try name("dns:///orders.svc:80").question == plain)
        #expect(
            try name("dns:///orders.svc.:80").question
                == .host("orders.svc.", port: 80, name: "orders.svc"))
        #expect(try name("dns:///10.0.0.1:80").question == .host("10.0.0.1", port: 80, name: nil))
        #expect(try name("dns:///[::1]:80").question == .host("::1", port: 80, name: nil))
    }

    @Test("A service")
    func services() throws {
        for text in ["srv:_rocket._tcp.orders.svc", "srv:///_rocket._tcp.orders.svc"] {
            #expect(try name(text).question == .service("_rocket._tcp.orders.svc"))
        }
    }

    @Test("The server that is asked is an IP address, with or without port")
    func servers() throws {
        func server(_ text: String) throws -> String? {
            try name("dns://\(text)/orders:80").server.map { "\(NetAddress($0))" }
        }
        #expect(try server("") == nil)
        #expect(try server("10.0.0.1") == "10.0.0.1:0")
        #expect(try server("10.0.0.1:5353") == "10.0.0.1:5353")
        #expect(try server("[::1]:53") == "[::1]:53")
        #expect(try server("[::1]") == "[::1]:0")
        #expect(try server("::1") == "[::1]:0")
        #expect(try name("srv://10.0.0.1/_a._tcp.b").server != nil)
    }

    @Test(
        "What is wrong is said with the whole name",
        arguments: [
            ("dns:///orders", "has no port"), ("dns:///:80", "host is empty"),
            ("dns:///a..b:80", "'a..b' is not a name that DNS may have"),
            ("dns:///orders:99999", "port \"99999\""), ("dns://dns.example/a:80", "dns.example"),
            ("dns://[fe80::1%1]/a:80", "is not an IP address"),
            ("srv:_rocket._tcp.orders:80", "is not the name of a service"),
            ("srv:a..b", "is not the name of a service"),
        ])
    func wrong(_ text: String, _ problem: String) throws {
        let error = #expect(throws: RPCError.self) { try DNSNames().check(RPCTarget(text)) }
        #expect(error?.code == .peerAddress)
        #expect(error?.message.contains(problem) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("'\(text)'") == true)
    }
}
