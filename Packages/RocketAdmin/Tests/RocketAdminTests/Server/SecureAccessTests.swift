import RocketBase
import RocketSystem
import RocketTCP
import Testing

@testable import RocketAdmin

@Suite("Who may look at a page with TLS")
struct SecureAccessTests {
    private struct NoSecurity: ServerTransportSecurity {
        func acceptSession() throws(TransportSecurityError) -> any SecureSession {
            throw TransportSecurityError(.configuration, "none")
        }
    }

    private func certificate(_ name: String) throws -> PeerIdentity {
        let fingerprint = try #require(X509Fingerprint(bytes: Array(repeating: 0, count: 32)))
        return .certificate(
            X509Certificate(
                subject: "CN=\(name)", dnsNames: [name],
                fingerprint: fingerprint, serial: "1",
                notBefore: WallTime(nanoseconds: 0), notAfter: WallTime(nanoseconds: 1)))
    }

    @Test("The rules decide; without a certificate it is 401, without rules nobody may do anything")
    func rules() throws {
        let table = try AuthorizationPolicy(
            "deny admin.* to dns:gone", "allow admin.* to dns:ops", "allow admin.read to dns:reader"
        )
        let access = SecureAccess(security: NoSecurity()) { table }
        #expect(try access.refusal(of: .read, to: certificate("ops")) == nil)
        #expect(try access.refusal(of: .change, to: certificate("ops")) == nil)
        #expect(try access.refusal(of: .read, to: certificate("reader")) == nil)
        #expect(try access.refusal(of: .change, to: certificate("reader")) == 403)
        #expect(try access.refusal(of: .read, to: certificate("gone")) == 403)
        #expect(access.refusal(of: .read, to: .none) == 401)
        let closed = SecureAccess(security: NoSecurity()) { nil }
        #expect(try closed.refusal(of: .read, to: certificate("ops")) == 403)
        let open = try AuthorizationPolicy("allow admin.read to *")
        let everybody = SecureAccess(security: NoSecurity()) { open }
        #expect(everybody.refusal(of: .read, to: .none) == nil)
    }

    @Test("A page with TLS may listen on any IP address, and on no Unix socket")
    func addresses() throws {
        let any = try NetAddress(parsing: "0.0.0.0:0")
        #expect(throws: AdminError.self) { try AdminConfiguration(address: any) }
        let made = try AdminConfiguration(address: any, security: NoSecurity()) { nil }
        #expect(made.access != nil)
        let unix = try NetAddress(parsing: "unix:/a")
        #expect(throws: AdminError.self) {
            try AdminConfiguration(address: unix, security: NoSecurity()) { nil }
        }
    }

    @Test("A configuration with TLS needs a program that has it")
    func provider() {
        var config = AdminConfig()
        config.listen = "127.0.0.1:0"
        config.tls = ServerTLSConfig(certificate: "a", key: "b")
        let error = #expect(throws: AdminError.self) { try AdminConfiguration(config) }
        #expect(error?.description.contains("admin/tls") == true)
    }

    @Test("Peers are known by the numbers of their connections, as long as those last")
    func peers() throws {
        let peers = SecurePeers()
        let first = peers.add(.none)
        let second = peers.add(try certificate("a"))
        #expect(first == 1 && peers[second] != nil)
        peers.remove(second)
        #expect(peers[second] == nil && peers[first] == PeerIdentity.none && peers[0] == nil)
    }
}
