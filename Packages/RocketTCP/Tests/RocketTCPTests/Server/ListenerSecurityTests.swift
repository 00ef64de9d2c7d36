import RocketBase
import Testing

@testable import RocketTCP

@Suite struct ListenerSecurityTests {
    private struct Named: ServerTransportSecurity {
        let name: String
        func acceptSession() throws(TransportSecurityError) -> any SecureSession {
            throw TransportSecurityError(.resources, name)
        }
    }

    private func address(_ text: String) throws -> NetAddress { try NetAddress(parsing: text) }

    private func name(
        _ security: ListenerSecurity, _ bound: String, configured: String?
    ) throws -> String? {
        let configured = try configured.map { try address($0) }
        return (security.security(of: try address(bound), configured: configured) as? Named)?.name
    }

    @Test("Listeners on IP addresses are protected, Unix sockets are not, unless they are named")
    func choices() throws {
        var security = ListenerSecurity()
        security.tcp = Named(name: "all")
        security.exceptions = [
            try address("127.0.0.1:80"): nil, try address("unix:/run/b"): Named(name: "b"),
            try address("10.0.0.1:0"): Named(name: "any port"),
        ]
        #expect(try name(security, "10.0.0.1:443", configured: "10.0.0.1:443") == "all")
        #expect(try name(security, "127.0.0.1:80", configured: "127.0.0.1:80") == nil)
        #expect(try name(security, "unix:/run/a", configured: "unix:/run/a") == nil)
        #expect(try name(security, "unix:/run/b", configured: "unix:/run/b") == "b")
        #expect(try name(security, "10.0.0.1:5000", configured: "10.0.0.1:0") == "any port")
    }

    @Test(
        "An adopted socket is that of the only exception with its port, unless that is plaintext")
    func adopted() throws {
        var security = ListenerSecurity()
        security.tcp = Named(name: "all")
        security.exceptions = [try address("127.0.0.1:80"): nil]
        #expect(try name(security, "127.0.0.1:80", configured: nil) == nil)
        #expect(try name(security, "0.0.0.0:80", configured: nil) == "all")
        security.exceptions = [try address("10.0.0.1:80"): Named(name: "other")]
        #expect(try name(security, "0.0.0.0:80", configured: nil) == "other")
        #expect(try name(security, "0.0.0.0:81", configured: nil) == "all")
        security.exceptions[try address("127.0.0.1:80")] = .some(nil)
        #expect(try name(security, "0.0.0.0:80", configured: nil) == "all")
        #expect(try name(security, "10.0.0.1:80", configured: nil) == "other")
        security.tcp = nil
        #expect(try name(security, "0.0.0.0:80", configured: nil) == "other")
        #expect(try name(security, "0.0.0.0:81", configured: nil) == nil)
        #expect(ListenerSecurity().isEmpty && !security.isEmpty)
    }
}
